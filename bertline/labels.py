"""Label cells of a table: the name of a label, names with commas between, or a number."""

import re
from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from bertline.columns import Columns
from bertline.schema import parse_json

SEPARATOR = ","  # between the labels of one cell
UNWRITABLE = re.compile("[\t\n\r\0\ud800-\udfff]")  # what a cell of a table cannot hold
FLOAT32_MAX = 3.4028234663852886e38
FLOAT32_TINY = 2.0**-149  # the smallest above 0
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
_FLOAT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)


class CellParser(Protocol):
    """Understands the label column of one kind of problem."""

    def values_of(self, cells: Iterable[str]) -> list[Any]:
        """What each cell says, or None where it says nothing that belongs there."""

    def fault(self, cell: str | bytes | None) -> str:
        """What to say of a cell that is none."""


def parse_cell(parser: CellParser, cell: str, table: Columns, line: int, column: int, hint: str = "") -> Any:
    """What one cell says; BertlineError naming the cell, with `hint` behind it, where it is none."""
    (value,) = parser.values_of([cell])
    if value is None:
        raise table.error(line, column, parser.fault(cell) + hint)
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
        names = names_in(cell)
        ids = [None] if names is None else self._one.values_of(names)
        known = [number for number in ids if number is not None]
        return tuple(sorted(set(known))) if len(known) == len(ids) else None

    def fault(self, cell: str | bytes | None) -> str:
        if cell is None:
            return "null is no list of labels: a row without any has an empty one; correct the row"
        names = ", ".join(self._one.labels)
        return f"{_shown(cell)} holds what is not a label ({names}), or no comma between; correct the row"


def names_in(cell: str) -> list[str] | None:
    """Names or ids of a cell of several labels; of an empty one none. None: a list that is none of names in JSON."""
    cell = cell.strip()
    if not cell.startswith("["):
        return [name.strip() for name in cell.split(SEPARATOR)] if cell else []
    try:
        names = parse_json(cell)
    except ValueError:
        return None
    return [str(name).strip() for name in names] if all(type(name) in (str, int) for name in names) else None


def can_stand_among_others(name: str) -> bool:
    """Whether a cell of several labels that holds this one is read back as it was."""
    return bool(name) and name == name.strip() and SEPARATOR not in name and name[0] != "["


class NumberParser:
    """A decimal number that a float32 can be near (float): what a model answers with is one.

    Below float32's smallest it is 0, as a model's answer would be: squares of such numbers are beyond float64.
    """

    def values_of(self, cells: Iterable[str]) -> list[float | None]:
        return list(map(self._of, cells))

    @staticmethod
    def _of(cell: str) -> float | None:
        if not isinstance(cell, str) or not _FLOAT.fullmatch(cell.strip()):
            return None
        value = float(cell)
        if abs(value) < FLOAT32_TINY:
            return 0.0
        return value if abs(value) <= FLOAT32_MAX else None

    def fault(self, cell: str | bytes | None) -> str:
        return f"{_shown(cell)} is not a number that a regression model predicts; correct the row or --label-column"


def _shown(cell: str | bytes | None) -> str:
    return "null" if cell is None else repr(cell[:40])
