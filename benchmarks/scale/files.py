"""Files to score: made of a table's sentences, or of single letters where rows shall have so many tokens."""

import shutil
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from bertline.errors import BertlineError

_LETTERS, _DIGITS = "abcdefghijklmnopqrstuvwxyz", 4  # 456,976 rounds
_GOLDEN = (5**0.5 - 1) / 2
SCORED_BYTES = 40  # that a row grows by when it is scored, at most: a label and a score


def evenly(texts: Iterable[str]) -> list[str]:
    """Each text once, in an order of which any beginning has short and long ones alike.

    Texts of rising length are visited at multiples of the golden ratio, modulo 1, which fill an interval evenly. In a
    table's own order the first thousand may be longer than the others, and a small file then slower for that alone.
    """
    rising = sorted(dict.fromkeys(texts), key=len)
    places = np.arange(len(rising)) * _GOLDEN % 1
    return [rising[rank] for rank in places.argsort().argsort().tolist()]


def distinct(texts: Sequence[str], count: int, digits: int = _DIGITS) -> Iterator[str]:
    """The texts in turn, each with the number of its round behind it, so that no two are equal.

    The number is written as `digits` single letters, which every vocabulary has: each text grows by the same tokens,
    and files of all sizes have rows of the same length.
    """
    order = list(dict.fromkeys(texts))
    for row in range(count):
        number, place = divmod(row, len(order))
        yield f"{order[place]} {_spelled(number, digits)}"


def digits_for(texts: Sequence[str], count: int) -> int:
    """How many letters tell all rounds of a file of `count` rows apart; at least four, so that most files are alike."""
    rounds, digits = -(-count // len(set(texts))), _DIGITS
    while len(_LETTERS) ** digits < rounds:
        digits += 1
    return digits


def spelled_rows(letters: int, wanted: int) -> int:
    """How many rows of so many letters there are, up to those that are wanted and at least one."""
    return max(1, min(wanted, int(len(_LETTERS) ** letters)))


def spelled(letters: int, count: int) -> Iterator[str]:
    """Distinct texts of so many single letters, a token each."""
    return (_spelled(number, letters) for number in range(count))


def _spelled(number: int, digits: int) -> str:
    """The number in base 26, last digit first, padded with the letter for 0."""
    found = []
    for _ in range(digits):
        number, rest = divmod(number, len(_LETTERS))
        found.append(_LETTERS[rest])
    return " ".join(found)


def write_lines(path: Path, texts: Iterable[str]) -> Path:
    """A file of one column without a header."""
    with path.open("w", encoding="utf-8") as stream:
        stream.writelines(f"{text}\n" for text in texts)
    return path


def check_room(folder: Path, needed_bytes: int) -> None:
    """BertlineError where the folder's disk has no room for that."""
    free = shutil.disk_usage(folder).free
    if needed_bytes > free:
        raise BertlineError(
            f"{folder}: the files need about {needed_bytes / 2**20:,.0f} MiB and {free / 2**20:,.0f} MiB are free; "
            "give fewer --rows, or another folder in TMPDIR"
        )
