"""Tables of tab-separated values: no quoting, UTF-8, one row a line, every row as wide as the first.

A `"` is a character. Lines end in LF or CRLF; a byte-order mark at the start and a missing last line end are
understood. Everything else that is odd is an error with its file, line and column.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, NamedTuple

from bertline.errors import BertlineError, UsageError

MAX_LINE_BYTES = 16 * 2**20  # no sentence is longer; a binary file without line ends must not fill the memory
_NUMBER = re.compile(r"[+-]?\d+(\.\d+)?")
COLA_COLUMNS = ("source", "label", "notes", "sentence")


@dataclass(frozen=True)
class TableSpec:
    """How to read a table, and which of its columns hold what (a name, or a 1-based position)."""

    header: bool = True
    columns: tuple[str, ...] | None = None  # names, for a file without a header line
    text_column: str | None = None
    pair_column: str | None = None
    label_column: str | None = None

    @classmethod
    def from_options(
        cls,
        *,
        format: str | None = None,
        header: bool | None = None,
        columns: str | None = None,
        text_column: str | None = None,
        pair_column: str | None = None,
        label_column: str | None = None,
    ) -> "TableSpec":
        """The spec that the common command-line options describe; UsageError where they contradict each other."""
        if format not in (None, "cola"):
            raise UsageError(f"--format {format}: the one format known by name is cola")
        if format == "cola":
            if header or columns:
                raise UsageError("--format cola has its own columns and no header; leave out --header and --columns")
            return cls(False, COLA_COLUMNS, text_column or "sentence", pair_column, label_column or "label")
        if columns and header:
            raise UsageError("--columns names the columns of a file without a header; leave out --header")
        names = tuple(name.strip() for name in columns.split(",")) if columns else None
        return cls(not names if header is None else header, names, text_column, pair_column, label_column)


class Row(NamedTuple):
    """One line of a table: its number on disk (from 1) and its cells."""

    line: int
    cells: list[str]


class Table:
    """A table being read from a binary stream. `columns` is known at once; iterating gives the rows, once.

    Raises BertlineError with file, line and column for anything that is not a well-formed table.
    """

    def __init__(self, stream: BinaryIO, name: str, spec: TableSpec) -> None:
        self.name = name
        self.bytes_read = 0
        self.sha256 = hashlib.sha256()  # of the bytes read so far
        self._stream = stream
        self._line = 0
        first = self._read_line()
        if first is None:
            raise BertlineError(f"{name}: the file is empty; give a table with at least one row")
        self._pending: Row | None = None
        if spec.header:
            self.columns = tuple(first.cells)
        else:
            self.columns = spec.columns or tuple(str(i + 1) for i in range(len(first.cells)))
            self._check_width(first)
            self._pending = first

    def __iter__(self) -> Iterator[Row]:
        if self._pending is not None:
            row, self._pending = self._pending, None
            yield row
        while (row_or_end := self._read_line()) is not None:
            self._check_width(row_or_end)
            yield row_or_end

    def index(self, column: str, option: str) -> int:
        """Where the column of that name, or 1-based position, stands; the error names `option` and the columns."""
        if self.columns.count(column) == 1:
            return self.columns.index(column)
        if column in self.columns:
            raise BertlineError(
                f"{self.name}: several columns are called {column!r}; give {option} a position (1, 2, …)"
            )
        positions = [str(number + 1) for number in range(len(self.columns))]
        if column in positions:
            return positions.index(column)
        raise BertlineError(
            f"{self.name}: no column {column!r}; its columns are {', '.join(map(repr, self.columns))}; "
            f"name one with {option}, or describe the file with --no-header, --columns or --format cola"
        )

    def column_name(self, column: str, option: str) -> str:
        """The name of that column, or its position where several have the name; raises as `index`."""
        name = self.columns[self.index(column, option)]
        return name if self.columns.count(name) == 1 else column

    def error(self, line: int, column: int, message: str) -> BertlineError:
        """An error about one cell; `column` is its index from 0."""
        return BertlineError(f"{self.name}, line {line}, column {self.columns[column]}: {message}")

    def _read_line(self) -> Row | None:
        raw = self._stream.readline(MAX_LINE_BYTES + 1)
        if not raw:
            return None
        self._line += 1
        self.bytes_read += len(raw)
        self.sha256.update(raw)
        if len(raw) > MAX_LINE_BYTES:
            raise self._line_error(f"longer than {MAX_LINE_BYTES >> 20} MiB; is this a text file?")
        if self._line == 1:
            raw = raw.removeprefix(b"\xef\xbb\xbf")
        raw = raw.removesuffix(b"\n").removesuffix(b"\r")
        try:
            text = raw.decode()
        except UnicodeDecodeError as error:
            column = raw[: error.start].count(b"\t") + 1
            raise self._line_error(
                f"column {column}, byte {error.start + 1} is not UTF-8; convert the file with iconv -t UTF-8"
            ) from None
        if "\0" in text:
            column = text[: text.index("\0")].count("\t") + 1
            raise self._line_error(f"column {column} holds a NUL character; remove it with tr -d '\\000'")
        return Row(self._line, text.split("\t"))

    def _check_width(self, row: Row) -> None:
        if len(row.cells) != len(self.columns):
            found, expected = len(row.cells), len(self.columns)
            problem = f"{expected + 1} is one too many" if found > expected else f"{self.columns[found]} is missing"
            raise BertlineError(
                f"{self.name}, line {row.line}, column {problem}: the row has {found} where {expected} are expected "
                f"({', '.join(self.columns)}); correct the row, or describe the file with --columns or --format"
            )

    def _line_error(self, message: str) -> BertlineError:
        return BertlineError(f"{self.name}, line {self._line}: {message}")


def open_input(path: Path) -> BinaryIO:
    """Open a file for reading, with a one-line error where there is none."""
    require_input(path)
    return path.open("rb")


def require_input(path: Path) -> None:
    """BertlineError where there is no such file. Nothing is opened: a pipe can be opened once only."""
    if path.is_dir():
        raise BertlineError(f"{path}: is a folder; name the file in it")
    if not path.exists():
        raise BertlineError(f"{path}: no such file; check the name, and the folder it is in")


class LabelParser:
    """Understands a label cell: a label's name, or its id where no name is a number itself."""

    def __init__(self, labels: Sequence[str]) -> None:
        self.labels = tuple(labels)
        self._ids = {label: number for number, label in enumerate(labels)}
        if not any(_NUMBER.fullmatch(label) for label in labels):  # with stars 1 to 5, a 0 is an error and no id
            self._ids |= {str(number): number for number in range(len(labels))}

    def parse(self, cell: str, table: Table, line: int, column: int) -> int:
        """The label's id; BertlineError naming the cell where it is none."""
        label = self._ids.get(cell)
        if label is None:
            raise table.error(
                line,
                column,
                f"{cell[:40]!r} is not a label ({', '.join(self.labels)}); correct the row or --label-column",
            )
        return label
