"""Turns over a series: back and forth, without those that fail, and with what Ctrl-C left."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.scale import turns
from benchmarks.scale.turns import UNFINISHED, Plan, needed_bytes, take_turns
from bertline.errors import BertlineError


def plan(name: str, **changes: Any) -> Plan:
    known: dict[str, Any] = {"x": 1, "file": name, "rows": 2, "row_bytes": 10.0, "texts": lambda: ["one", "two"]}
    return Plan(name, **known | {"threads": 1, "options": (), "tokens": 6} | changes)


@pytest.fixture
def scored(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Names of files in the order of their turns, scored by nobody; one named bad fails, one named stop is Ctrl-C."""
    names: list[str] = []

    def score(bundle: Path, file: Path, options: list[str], *, variables: dict[str, str]) -> dict[str, Any]:
        names.append(file.name)
        assert file.read_text() == "one\ntwo\n" and variables["RAYON_NUM_THREADS"] == options[-1]
        if file.name == "bad":
            raise BertlineError("out of luck")
        if file.name == "stop" and names.count("stop") > 1:
            raise KeyboardInterrupt
        counts = {"rows": 2, "unique_rows": 2, "tokens": 6, "seconds": float(len(names)), "startup_seconds": 0.5}
        return counts | {"peak_memory_mib": 100.0, "stage_seconds": {"read": float(len(names))}}

    monkeypatch.setattr(turns, "score_alone", score)
    return names


def test_files_take_turns_and_one_that_fails_has_no_second(scored: list[str]) -> None:
    lines: list[str] = []
    series, interrupted = take_turns("rows", [plan("a"), plan("bad"), plan("b")], Path("bundle"), 3, lines.append)
    assert scored == ["a", "bad", "b", "b", "a", "a", "b"] and not interrupted
    assert [(point.name, point.seconds) for point in series.points] == [("a", (1, 5, 6)), ("b", (3, 4, 7))]
    assert series.points[0].stage_seconds == {"read": 5.0} and series.points[0].peak_memory_mib == (100.0,) * 3
    assert series.failures == {"bad": "out of luck"} and "rows: bad: out of luck" in lines


def test_ctrl_c_keeps_what_has_a_pass(scored: list[str]) -> None:
    series, interrupted = take_turns("rows", [plan("a"), plan("stop")], Path("bundle"), 3, lambda line: None)
    assert interrupted and [(point.name, len(point.seconds)) for point in series.points] == [("a", 1), ("stop", 1)]
    monkey = [plan("stop"), plan("never")]
    series, interrupted = take_turns("rows", monkey, Path("bundle"), 1, lambda line: None)
    assert interrupted and series.points == () and series.failures == {"stop": UNFINISHED, "never": UNFINISHED}


def test_a_file_that_cannot_be_written_is_a_failure_and_leaves_nothing(scored: list[str]) -> None:
    def full() -> list[str]:
        raise OSError(28, "No space left on device")

    series, _ = take_turns("rows", [plan("a", texts=full), plan("b")], Path("bundle"), 1, lambda line: None)
    assert "No space left on device" in series.failures["a"] and scored == ["b"]


def test_other_tokens_than_were_planned_are_a_failure(scored: list[str]) -> None:
    series, _ = take_turns("lengths", [plan("8 tokens", tokens=16)], Path("bundle"), 1, lambda line: None)
    assert "its 2 rows came to 6 tokens, not 16" in series.failures["8 tokens"]


def test_what_is_known_to_be_missing_is_not_tried(scored: list[str]) -> None:
    series, _ = take_turns("threads", [plan("2 threads", missing="1 CPU")], Path("bundle"), 1, lambda line: None)
    assert (series.points, series.failures, scored) == ((), {"2 threads": "1 CPU"}, [])


def test_the_disk_that_is_needed_counts_shared_files_once_and_one_output() -> None:
    assert needed_bytes([plan("a"), plan("b", file="a"), plan("c", rows=4)]) == 20 + 40 + 4 * 50
    assert needed_bytes([plan("a", missing="it is")]) == 0
