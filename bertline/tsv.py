"""Tables of tab-separated values: no quoting, UTF-8, one row a line, every row as wide as the first.

A `"` is a character. Lines end in LF or CRLF; a byte-order mark at the start and a missing last line end are
understood. Everything else that is odd is an error, or a bad row, with its file, line and column.
"""

import io
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from bertline.blocks import BadRow, LineBlock
from bertline.columns import Columns
from bertline.errors import BertlineError, UsageError
from bertline.lines import LongLine, line_blocks
from bertline.presets import PRESETS

MAX_LINE_BYTES = 16 * 2**20  # no sentence is longer; a binary file without line ends must not fill the memory


@dataclass(frozen=True)
class TableSpec:
    """How to read a table, and which of its columns hold what (a name, or a 1-based position)."""

    header: bool = True
    columns: tuple[str, ...] | None = None  # names, for a file without a header line
    text_column: str | None = None
    pair_column: str | None = None
    label_column: str | None = None
    label_required: bool = True  # False: a table without that column is one without labels

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
        if format is not None and format not in PRESETS:
            raise UsageError(f"--format {format}: the formats known by name are {', '.join(PRESETS)}")
        preset = PRESETS[format] if format else None
        if preset and not preset.header and (header or columns):
            raise UsageError(f"--format {format} has its own columns and no header; leave out --header and --columns")
        if columns and header:
            raise UsageError("--columns names the columns of a file without a header; leave out --header")
        names = tuple(name.strip() for name in columns.split(",")) if columns else None
        given = cls(not names if header is None else header, names, text_column, pair_column, label_column)
        if preset is None:
            return given
        return cls(
            given.header and preset.header,
            given.columns or preset.columns,
            text_column or preset.text_column,
            pair_column or preset.pair_column,
            label_column or preset.label_column,
            label_required=label_column is not None or not preset.header,
        )


class Row(NamedTuple):
    """One line of a table: its number on disk (from 1) and its cells."""

    line: int
    cells: list[str]


class Table(Columns):
    """A table being read from a binary stream. `columns` is known at once; iterating gives the rows, once.

    A bad row raises BertlineError with file, line and column, and `hint` behind it; with `keep_bad`, `blocks` yields
    it instead and reads on. An empty file, and a first line that does not tell the columns, raise in any case.
    A stream may be the middle of a file: its first line is then the file's `first_line`.
    """

    def __init__(
        self,
        stream: io.BufferedIOBase,
        name: str,
        spec: TableSpec,
        *,
        keep_bad: bool = False,
        hint: str = "",
        first_line: int = 1,
    ) -> None:
        self.name = name
        self._keep_bad, self._hint = keep_bad, hint
        self._line = first_line - 1  # the last line that was handed on
        self._blocks = line_blocks(stream, MAX_LINE_BYTES)
        block = next(self._blocks, None)
        if block is None:
            raise BertlineError(f"{name}: the file is empty; give a table with at least one row")
        if isinstance(block, bytes) and first_line == 1:
            block = block.removeprefix(b"\xef\xbb\xbf") or b"\n"  # a mark alone is one empty line
        self._pending: bytes | LongLine = block
        if spec.header or not spec.columns:
            raw, _, rest = (block, b"", b"") if isinstance(block, LongLine) else block.partition(b"\n")
            head = self._decoded(raw, first_line)
            if isinstance(head, BadRow):
                raise BertlineError(head.message)
            self.columns = tuple(head.split("\t"))
            if spec.header:
                self._line, self._pending = first_line, rest
            else:
                self.columns = tuple(str(number + 1) for number in range(len(self.columns)))
        else:
            self.columns = spec.columns
            if not keep_bad:  # what is described wrongly is refused at once
                raw = block if isinstance(block, LongLine) else block.partition(b"\n")[0]
                for bad in self._one_by_one([raw], first_line):
                    self._refuse(bad)

    def __iter__(self) -> Iterator[Row]:
        for block in self.blocks():
            if isinstance(block, LineBlock):
                for number, line in enumerate(block.lines, block.first):
                    yield Row(number, line.split("\t"))

    def blocks(self) -> Iterator[LineBlock | BadRow]:
        """All rows in order, as many at a time as were read together and have no bad row between them; once."""
        pending, self._pending = self._pending, b""
        if pending:
            yield from self._rows(pending)
        for block in self._blocks:
            yield from self._rows(block)

    def _rows(self, block: bytes | LongLine) -> Iterator[LineBlock | BadRow]:
        first, tabs = self._line + 1, len(self.columns) - 1
        rows: Iterable[LineBlock | BadRow]
        if isinstance(block, LongLine):
            count, rows = 1, self._one_by_one([block], first)
        elif (lines := _all_decoded(block)) is None:
            raw_lines = block.removesuffix(b"\n").split(b"\n")
            count, rows = len(raw_lines), self._one_by_one(raw_lines, first)
        elif [line.count("\t") for line in lines].count(tabs) == len(lines):
            count, rows = len(lines), [LineBlock(self.name, first, lines, tabs + 1)]
        else:
            count, rows = len(lines), self._one_by_one(lines, first)
        self._line += count
        for row in rows:
            self._refuse(row)
            yield row

    def _refuse(self, row: LineBlock | BadRow) -> None:
        if isinstance(row, BadRow) and not self._keep_bad:
            raise BertlineError(row.message + self._hint)

    def _one_by_one(self, lines: Iterable[str | bytes | LongLine], first: int) -> Iterator[LineBlock | BadRow]:
        """Lines that may be bad, decoded or not; good ones that are neighbours stay together."""
        good: list[str] = []
        number = first
        for number, line in enumerate(lines, first):
            row = self._of_right_width(line if isinstance(line, str) else self._decoded(line, number), number)
            if isinstance(row, str):
                good.append(row)
                continue
            if good:
                yield LineBlock(self.name, number - len(good), good, len(self.columns))
                good = []
            yield row
        if good:
            yield LineBlock(self.name, number + 1 - len(good), good, len(self.columns))

    def _decoded(self, raw: bytes | LongLine, number: int) -> str | BadRow:
        if isinstance(raw, LongLine):
            message = f"{self.at(number)}: longer than {MAX_LINE_BYTES >> 20} MiB; is this a text file?"
            return BadRow(number, "too_long", message, raw.head)
        raw = raw.removesuffix(b"\r")
        try:
            line = raw.decode()
        except UnicodeDecodeError as error:
            column = raw[: error.start].count(b"\t") + 1
            problem = f"column {column}, byte {error.start + 1} is not UTF-8; convert the file with iconv -t UTF-8"
            return BadRow(number, "encoding", f"{self.at(number)}: {problem}", raw)
        if "\0" in line:
            column = line[: line.index("\0")].count("\t") + 1
            problem = f"column {column} holds a NUL character; remove it with tr -d '\\000'"
            return BadRow(number, "nul", f"{self.at(number)}: {problem}", raw)
        return line

    def _of_right_width(self, line: str | BadRow, number: int) -> str | BadRow:
        if isinstance(line, BadRow) or line.count("\t") + 1 == len(self.columns):
            return line
        found, expected = line.count("\t") + 1, len(self.columns)
        problem = f"{expected + 1} is one too many" if found > expected else f"{self.columns[found]} is missing"
        message = (
            f"{self.at(number)}, column {problem}: the row has {found} where {expected} are expected "
            f"({', '.join(self.columns)}); correct the row, or describe the file with --columns or --format"
        )
        return BadRow(number, "columns", message, line.encode())


def _all_decoded(block: bytes) -> list[str] | None:
    """The lines of a block in one go; None where one of them needs a closer look."""
    try:
        text = block.decode()
    except UnicodeDecodeError:
        return None
    if "\0" in text:
        return None
    text = text.removesuffix("\n")
    if "\r" in text:
        text = text.replace("\r\n", "\n").removesuffix("\r")
    return text.split("\n")


def no_rows(name: str, why: str = "has a header and no rows") -> BertlineError:
    """The error about a table without rows."""
    return BertlineError(f"{name}: {why}; give a table with at least one row")


def no_file(name: str) -> BertlineError:
    """The error about a file that is not there."""
    return BertlineError(f"{name}: no such file; check the name, and the folder it is in")


def open_input(path: Path) -> io.BufferedReader:
    """Open a file for reading, with a one-line error where there is none."""
    require_input(path)
    return path.open("rb")


def require_input(path: Path) -> None:
    """BertlineError where there is no such file. Nothing is opened: a pipe can be opened once only."""
    if path.is_dir():
        raise BertlineError(f"{path}: is a folder; name the file in it")
    if not path.exists():
        raise no_file(str(path))
