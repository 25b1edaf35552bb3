"""Rows of a table as they are handed on: blocks of good ones, and bad ones singly."""

from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple


class BadRow(NamedTuple):
    """A row that cannot be used, and why."""

    line: int  # number on disk, from 1
    reason: str  # columns, encoding, nul or too_long; where a cell is at fault: label, null or encoding
    message: str  # one line: file, line, column, remedy
    raw: bytes  # the line without its end; of one that is too long, the beginning


@dataclass(frozen=True)
class LineBlock:
    """Consecutive rows of text: their lines as they were, without line ends. Cells are cut out when asked for."""

    file: str
    first: int  # number of the first line on disk, from 1
    lines: list[str]
    width: int  # columns

    def __len__(self) -> int:
        return len(self.lines)

    def slice(self, start: int, stop: int) -> "LineBlock":
        """The rows from index `start` to before `stop`."""
        return LineBlock(self.file, self.first + start, self.lines[start:stop], self.width)

    def column(self, index: int) -> list[str]:
        """One cell of each row; `index` is from 0."""
        if self.width == 1:
            return self.lines
        from_end = self.width - index
        if from_end <= index:  # split off as few cells as there are on that side
            return [line.rsplit("\t", from_end)[-from_end] for line in self.lines]
        return [line.split("\t", index + 1)[index] for line in self.lines]

    def texts(self) -> list[list[str]]:
        """All cells, column by column."""
        return list(map(list, zip(*(line.split("\t") for line in self.lines), strict=True)))

    def values(self) -> list[list[str]]:
        """As `texts`: a line holds nothing else."""
        return self.texts()

    def as_lines(self) -> tuple[list[str], int]:
        """The lines, and how many cells had to change to fit into one: none."""
        return self.lines, 0

    def raw(self, row: int) -> bytes:
        """The line at that index as UTF-8."""
        return self.lines[row].encode()

    def size(self, start: int, stop: int) -> int:
        """Characters of the rows from index `start` to before `stop`."""
        return sum(map(len, self.lines[start:stop]))

    def fitting(self, start: int, room: int) -> int:
        """How many rows from index `start` on fit into `room` characters, with the one that goes over it."""
        sizes = accumulate(map(len, self.lines[start:]))
        return next((count for count, size in enumerate(sizes, 1) if size > room), len(self) - start)
