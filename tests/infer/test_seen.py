"""Each text is scored once while it is remembered, and the memory is bounded and depends on the texts alone."""

from pathlib import Path

import numpy as np
import pytest

from infer import seen as seen_module
from infer.scorer import Scorer
from infer.seen import Placement, Seen
from tests import tiny


def fill(placement: Placement, score: dict[str, float]) -> None:
    for slot, text in zip(range(placement.first, placement.first + len(placement.fresh)), placement.fresh, strict=True):
        placement.slots[slot] = score[str(text)]


def test_fresh_texts_in_order_and_repeats_within_and_across_windows() -> None:
    seen, score = Seen(1), {"a": 1.0, "b": 2.0, "c": 3.0, "d": 4.0}
    one = seen.place(["b", "a", "b"])
    two = seen.place(["a", "c", "c", "d"])  # placed before the first is scored, as the stages do
    assert (one.fresh, two.fresh) == (["b", "a"], ["c", "d"])
    assert (one.opens_generation, two.opens_generation) == (True, False)
    fill(one, score)
    fill(two, score)
    assert one.logits().ravel().tolist() == [2, 1, 2]
    assert two.logits().ravel().tolist() == [1, 3, 3, 4]


def test_a_full_memory_is_emptied_and_windows_larger_than_it_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(seen_module, "CAPACITY", 4)
    seen = Seen(1)
    opens = [seen.place(list(texts)).opens_generation for texts in ("ab", "cd", "a", "efghij", "e")]
    assert opens == [True, False, True, True, True]


@pytest.mark.parametrize(("bound", "limit"), [("CHARACTERS", 5), ("WINDOWS", 2)])
def test_neither_long_texts_nor_many_windows_grow_it(monkeypatch: pytest.MonkeyPatch, bound: str, limit: int) -> None:
    monkeypatch.setattr(seen_module, bound, limit)
    seen = Seen(1)
    windows = [["ab"], [("abc", "d")], ["ab"], ["ab"], ["ab"]]
    opens = [seen.place(texts).opens_generation for texts in windows]  # type: ignore[arg-type]
    assert opens == [True, False, True, False, bound == "WINDOWS"]


def test_what_is_forgotten_is_the_same_from_any_window_on_that_opens_a_generation(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(seen_module, "WINDOWS", 3)
    windows = [[], ["a"], ["b"], ["a"], [], [], ["a"], ["a"], ["a"], ["a"], ["a"]]

    def opens(start: int) -> list[bool]:
        seen = Seen(1)
        return [seen.place(texts).opens_generation for texts in windows[start:]]

    whole = opens(0)
    for start, opened in enumerate(whole):
        assert not opened or opens(start) == whole[start:]


def test_without_dedupe_every_row_is_fresh() -> None:
    seen = Seen(1, dedupe=False)
    for _ in range(2):
        placement = seen.place(["a", "a"])
        assert placement.fresh == ["a", "a"] and placement.slot_of_row.tolist() == [0, 1]


def test_no_texts() -> None:
    assert Seen(2).place([]).logits().shape == (0, 2)


def test_repeats_far_apart_are_not_run_again_and_cut_ones_are_counted(bundle: Path) -> None:
    scorer, seen = Scorer.open(bundle, device="cpu"), Seen(2)
    long = "the cat " * 60
    windows = [scorer.prepare(texts, seen) for texts in ([long, *tiny.SENTENCES], [*tiny.SENTENCES, long, long])]
    logits = [scorer.run(window) for window in windows]
    assert [window.work.unique_rows for window in windows] == [9, 0]
    assert [window.work.truncated for window in windows] == [1, 2]
    assert (logits[1][:8] == logits[0][1:]).all() and np.abs(logits[1][9] - logits[0][0]).max() == 0
