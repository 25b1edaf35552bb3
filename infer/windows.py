"""A window: the rows held in memory at once, and the rejects met among them."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from infer.encode import Text
from infer.rejects import Reject
from infer.sources import Block

WINDOW_SIZE = 32 * 2**20  # characters (of Parquet, bytes) of rows and rejects after which a window is closed
REJECTS_PER_ROW = 4  # a window is closed after that many rejects for each row it has room for


class Window:
    """Rows in file order, over files where one ends, and the rejects that came before its last row or ended it.

    It is closed by its number of rows, by their size and by its rejects, all of which the input alone decides. It may
    hold rejects and no rows.
    """

    def __init__(self, rows: int) -> None:
        self.texts: list[Text] = []
        self.labels: list[Any] = []  # values of the problem's parser, where the input has labels
        self.rejects: list[Reject] = []
        self.blocks: list[Block] = []  # the rows themselves
        self._rows = rows
        self._size = 0

    def __len__(self) -> int:
        return len(self.texts)

    def fitting(self, block: Block, start: int) -> int:
        """How many rows of the block from index `start` on belong here."""
        rows = min(len(block) - start, self._rows - len(self))
        room = WINDOW_SIZE - self._size
        return rows if block.size(start, start + rows) <= room else min(rows, block.fitting(start, room))

    def add(self, block: Block, texts: Sequence[Text], labels: Sequence[Any]) -> None:
        """Append all rows of a block; labels only where the input has any."""
        self.blocks.append(block)
        self.texts += texts
        self.labels += labels
        self._size += block.size(0, len(block))

    def reject(self, reject: Reject) -> None:
        """Note a row that is none."""
        self.rejects.append(reject)
        self._size += len(reject.raw)

    @property
    def is_full(self) -> bool:
        """Whether nothing more belongs here."""
        rejected = len(self.rejects) >= REJECTS_PER_ROW * self._rows
        return len(self) >= self._rows or self._size > WINDOW_SIZE or rejected

    @property
    def lines(self) -> list[str]:
        """Rows as lines of TSV, without line ends: as they were, or made from the columns of Parquet."""
        return self._lines[0]

    @property
    def blanked(self) -> int:
        """Cells of Parquet that had a tab or line break replaced for `lines`; 0 while nobody has asked for those."""
        return self._lines[1] if "_lines" in vars(self) else 0

    @cached_property
    def _lines(self) -> tuple[list[str], int]:
        parts = [block.as_lines() for block in self.blocks]
        return [line for lines, _ in parts for line in lines], sum(count for _, count in parts)

    @property
    def numbers(self) -> list[int]:
        """The number of each row in its file, from 1."""
        return [number for block in self.blocks for number in range(block.first, block.first + len(block))]

    def place(self, row: int) -> tuple[str, int]:
        """File of the row at that index, and its number there."""
        for block in self.blocks:
            if row < len(block):
                return block.file, block.first + row
            row -= len(block)
        raise IndexError(row)

    def where(self, row: int) -> str:
        """The same in words, for an error."""
        file, number = self.place(row)
        return f"{file}, line {number}"
