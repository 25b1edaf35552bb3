"""Files to score: distinct rows of even length, made of sentences or of letters."""

from pathlib import Path

import pytest

from benchmarks.scale.files import check_room, digits_for, distinct, evenly, spelled, spelled_rows
from bertline.errors import BertlineError


def test_no_two_sentences_of_a_file_are_equal() -> None:
    texts = list(distinct(["one", "two", "one"], 60))
    assert texts[:3] == ["one a a a a", "two a a a a", "one b a a a"] and texts[-1] == "two d b a a"
    assert len(set(texts)) == 60 and {len(text.split()) for text in texts} == {5}


def test_any_beginning_of_the_sentences_is_as_long_as_all() -> None:
    texts = evenly("x" * length for length in [*range(1000, 0, -1), 5, 5])
    assert sorted(map(len, texts)) == list(range(1, 1001))
    assert all(sum(map(len, texts[:first])) / first == pytest.approx(500, rel=0.06) for first in (10, 30, 100, 300))


def test_more_rounds_than_four_letters_can_tell_apart_take_more_letters() -> None:
    assert digits_for(["one", "two"], 2 * 26**4) == 4
    assert digits_for(["one", "two"], 2 * 26**4 + 1) == 5


def test_rows_of_letters_are_distinct_and_as_long_as_they_should_be() -> None:
    texts = list(spelled(2, spelled_rows(2, 10_000)))
    assert len(texts) == len(set(texts)) == 26**2 and texts[27] == "b b"
    assert (spelled_rows(6, 1000), spelled_rows(6, 0)) == (1000, 1)


def test_a_disk_without_room_is_one_line(tmp_path: Path) -> None:
    check_room(tmp_path, 1)
    with pytest.raises(BertlineError, match=r"need about 1,099,511,627,776 MiB and .* are free; give fewer --rows"):
        check_room(tmp_path, 2**60)
