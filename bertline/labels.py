"""Label cells of a table: the name of a label, names with commas between, or a number."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from bertline.columns import Columns
from bertline.schema import parse_json

SEPARATOR = ","  # between the labels of one cell
FLOAT32_MAX = 3.4028234663852886e38
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_FLOAT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


class CellParser(Protocol):
    """Understands the label column of one kind of problem."""

    def values_of(self, cells: Iterable[str]) -> list[Any]:
        """What each cell says, or None where it says nothing that belongs there."""

    def fault(self, cell: str | bytes | None) -> str:
        """What to say of a cell that is none."""


def parse_cell(parser: CellParser, cell: str, table: Columns, line: int, column: int) -> Any:
    """What one cell says; BertlineError naming the cell where it is none."""
    (value,) = parser.values_of([cell])
    if value is None:
        raise table.error(line, column, parser.fault(cell))
    return value


class LabelParser:
    """A label's name, or its id where no name is a number itself: an id (int)."""

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = tuple(labels)
        self._ids = {label: number for number, label in enumerate(labels)}
        if not any(_NUMBER.fullmatch(label) for label in labels):  # with stars 1 to 5, a 0 is an error and no id
            self._ids |= {str(number): number for number in range(len(labels))}

    def values_of(self, cells: Iterable[str]) -> list[int | None]:
        return list(map(self._ids.get, cells))

    def fault(self, cell: str | bytes | None) -> str:
        return f"{_shown(cell)} is not a label ({', '.join(self.labels)}); correct the row or --label-column"


class LabelSetParser:
    """Labels, by name or id, with commas between: ids in order, tuple[int, ...]; of an empty cell none.

    A list in JSON, which is what a column of lists in Parquet becomes, is understood as well.
    """

    def __init__(self, labels: Sequence[str]) -> None:
        self._one = LabelParser(labels)

    def values_of(self, cells: Iterable[str]) -> list[tuple[int, ...] | None]:
        return list(map(self._of, cells))

    def _of(self, cell: str) -> tuple[int, ...] | None:
        if not isinstance(cell, str):
            return None
        ids = self._one.values_of(_names_in(cell.strip()))
        known = [number for number in ids if number is not None]
        return tuple(sorted(set(known))) if len(known) == len(ids) else None

    def fault(self, cell: str | bytes | None) -> str:
        names = ", ".join(self._one.labels)
        return f"{_shown(cell)} holds what is not a label ({names}), or no comma between; correct the row"


def _names_in(cell: str) -> list[str]:
    if cell.startswith("[") and cell.endswith("]"):
        try:
            return [str(name) for name in parse_json(cell)]
        except ValueError:
            return [cell]  # which is no label
    return [name.strip() for name in cell.split(SEPARATOR)] if cell else []


class NumberParser:
    """A decimal number that a float32 can be near (float): what a model answers with is one."""

    def values_of(self, cells: Iterable[str]) -> list[float | None]:
        return list(map(self._of, cells))

    @staticmethod
    def _of(cell: str) -> float | None:
        if not isinstance(cell, str) or not _FLOAT.fullmatch(cell.strip()):
            return None
        value = float(cell)
        return value if abs(value) <= FLOAT32_MAX else None

    def fault(self, cell: str | bytes | None) -> str:
        return f"{_shown(cell)} is not a number that a regression model predicts; correct the row or --label-column"


def _shown(cell: str | bytes | None) -> str:
    return "null" if cell is None else repr(cell[:40])
