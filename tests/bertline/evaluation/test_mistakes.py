"""The ten surest mistakes: the right ones, in a fixed order, with texts that disturb nothing."""

import numpy as np
import pytest

from bertline.evaluation.mistakes import MAX_CHARACTERS, Mistakes, harmless, shortened
from bertline.metrics import softmax
from tests.bertline.evaluation.streams import Stream


@pytest.mark.parametrize(("labels", "pairs"), [(2, False), (4, True)])
def test_they_are_the_wrong_rows_of_the_highest_probability(labels: int, pairs: bool) -> None:
    stream = Stream.drawn(700, labels, pairs=pairs)
    sure = softmax(stream.logits).max(axis=1).round(6)
    wrong = [row for row in range(700) if stream.true[row] != stream.predicted[row]]
    expected = sorted(wrong, key=lambda row: (-sure[row], row))[:10]
    mistakes = stream.evaluated().mistakes.rows
    assert [mistake.row for mistake in mistakes] == [row + 1 for row in expected]
    for mistake, row in zip(mistakes, expected, strict=True):
        assert (mistake.file, mistake.line, mistake.weight) == ("a.tsv", row + 2, sure[row])
        assert mistake.true == stream.labels[stream.true[row]] != mistake.predicted
        text = stream.texts[row]
        assert mistake.texts == (text if isinstance(text, tuple) else (text,))


@pytest.mark.parametrize("piece", [1, 7, 12, 100])
def test_of_equally_sure_ones_the_earliest_are_kept(piece: int) -> None:
    mistakes, weights = Mistakes(), np.full(100, 0.9)
    weights[90] = 0.95
    for start in range(0, 100, piece):
        part = weights[start : start + piece]
        mistakes.add(start + 1, part, lambda _: ("a", "b"), ["t"] * len(part), lambda _: ("f", 1))
    assert [mistake.row for mistake in mistakes.rows] == [91, *range(1, 10)]


def test_texts_are_cut_and_stay_on_one_line() -> None:
    assert shortened("a" * MAX_CHARACTERS) == "a" * MAX_CHARACTERS
    assert shortened("word " * 100) == ("word " * 60)[:299].rstrip() + "…"
    assert shortened("a\tb\r\nc\u2028d") == "a b c d"


def test_what_would_disturb_a_screen_or_a_file_is_replaced_and_other_scripts_stay() -> None:
    assert harmless("\x00\x1b[31m\u202etxt\ud800\x7f") == "\ufffd\ufffd[31m\ufffdtxt\ufffd\ufffd"
    for text in ("naïve – “quoted”", "日本語", "👩‍👩‍👧", "שלום\u200f", "<b>&amp;"):
        assert harmless(text) == text
