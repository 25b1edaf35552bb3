"""Parquet as input: read by batches of rows, columns by name. pyarrow is imported when a file is opened."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from bertline.columns import Columns
from bertline.errors import BertlineError
from bertline.files import sha256_of
from bertline.tsv import TableSpec, open_input
from infer.arrow_text import is_text, json_values, texts

BATCH_BYTES = 4 * 2**20  # of decoded rows, by the file's own account of its row groups
BATCH_ROWS = 8192
_BREAK = re.compile("\r\n|[\t\n\r\0]")  # what a cell of a line cannot hold


@dataclass(frozen=True)
class Batch:
    """Consecutive rows of a Parquet file."""

    file: str
    first: int  # number of the first row, from 1
    rows: Any  # pyarrow.RecordBatch
    row_bytes: int  # of one row, on average over the batch that was read

    def __len__(self) -> int:
        return int(self.rows.num_rows)

    def slice(self, start: int, stop: int) -> "Batch":
        """The rows from index `start` to before `stop`."""
        return Batch(self.file, self.first + start, self.rows.slice(start, stop - start), self.row_bytes)

    def column(self, index: int) -> list[str | bytes | None]:
        """One cell of each row as text; None for null, bytes where they are no UTF-8."""
        return texts(self.rows.column(index))

    def values(self) -> list[list[Any]]:
        """All cells as JSON has them, column by column."""
        return [json_values(column) for column in self.rows.columns]

    def texts(self) -> list[list[str]]:
        """All cells as text, null as an empty one, column by column."""
        return [[_text(cell) for cell in self.column(index)] for index in range(self.rows.num_columns)]

    def as_lines(self) -> tuple[list[str], int]:
        """Rows as lines of TSV, null as an empty cell, and how many cells had a tab or line break replaced."""
        return self._as_lines

    @cached_property
    def _as_lines(self) -> tuple[list[str], int]:
        columns = [_blanked(cells) for cells in self.texts()]
        lines = list(map("\t".join, zip(*(cells for cells, _ in columns), strict=True)))
        return lines, sum(count for _, count in columns)

    def raw(self, row: int) -> bytes:
        """The row at that index as a line, with the very bytes of what is no UTF-8."""
        one = self.slice(row, row + 1)
        cells = [one.column(index)[0] for index in range(self.rows.num_columns)]
        return b"\t".join(cell if isinstance(cell, bytes) else as_cell(cell or "").encode() for cell in cells)

    def size(self, start: int, stop: int) -> int:
        """Bytes of the rows from index `start` to before `stop`."""
        return (stop - start) * self.row_bytes

    def fitting(self, start: int, room: int) -> int:
        """How many rows from index `start` on fit into `room` bytes, with the one that goes over it."""
        return min(len(self) - start, max(0, room) // self.row_bytes + 1)


class ParquetSource(Columns):
    """A Parquet file being read. Raises BertlineError where it is none, is damaged, or pyarrow is not installed."""

    unit = "row"
    nothing = "has no rows"

    def __init__(
        self, path: Path, spec: TableSpec, *, stream: Any = None, name: str = "", groups: range | None = None
    ) -> None:
        """A file; or, of one that is open as a `stream` and called `name`, the row groups of those numbers."""
        self.name = name or str(path)
        self.table = self
        self._path = path
        pyarrow, parquet = import_pyarrow(self.name)
        if stream is None:
            open_input(path).close()  # what is not there, or may not be read, is no damaged file
        self._faults = (pyarrow.ArrowException, OSError)
        try:
            # Neither prefetched nor mapped: memory holds the pages of one batch.
            self._file = parquet.ParquetFile(stream or self.name, pre_buffer=False, buffer_size=2**20)
            self.schema = self._file.schema_arrow
            self._size: int = path.stat().st_size if stream is None else stream.size()
        except self._faults as error:
            raise self._damaged(error) from None
        meta = self._file.metadata
        self._is_whole, self._groups = groups is None, groups or range(meta.num_row_groups)
        self._before: int = sum(meta.row_group(number).num_rows for number in range(self._groups.start))
        self._row = self._before  # number of the last row that was read
        self.columns = tuple(self.schema.names)
        if not spec.header and spec.columns != self.columns:
            raise BertlineError(
                f"{path}: a Parquet file has column names of its own ({', '.join(self.columns)}); "
                "leave out --no-header, --columns and --format"
            )

    def check_text(self, index: int, option: str) -> None:
        """BertlineError where the column at that index holds no strings."""
        if not is_text(self.schema.types[index]):
            raise BertlineError(
                f"{self.name}, column {self.columns[index]}: holds {self.schema.types[index]} and no text; "
                f"name a column of strings with {option}"
            )

    def blocks(self) -> Iterator[Batch]:
        """All rows in order, by batches whose size the file alone decides."""
        meta = self._file.metadata
        total = sum(meta.row_group(number).total_byte_size for number in range(meta.num_row_groups))
        rows = min(BATCH_ROWS, max(1, BATCH_BYTES * meta.num_rows // max(1, total)))
        try:
            for batch in self._file.iter_batches(batch_size=rows, row_groups=list(self._groups)):
                if batch.num_rows:
                    first, self._row = self._row + 1, self._row + batch.num_rows
                    yield Batch(self.name, first, batch, batch.nbytes // batch.num_rows + 1)
        except self._faults as error:
            raise self._damaged(error) from None

    @property
    def group_rows(self) -> tuple[int, ...]:
        """How many rows each row group of the file has."""
        meta = self._file.metadata
        return tuple(meta.row_group(number).num_rows for number in range(meta.num_row_groups))

    @property
    def bytes_read(self) -> int:
        """The file's bytes on disk, by the share of its rows that were read."""
        rows: int = self._file.metadata.num_rows
        return self._size * (self._row - self._before) // max(1, rows)

    def sha256(self) -> str:
        """Of the file on disk, in hexadecimal digits; reads it once more. Of a part of one, nothing."""
        return sha256_of(self._path) if self._is_whole else ""

    def close(self) -> None:
        """Close the file."""
        self._file.close()

    def _damaged(self, error: Exception) -> BertlineError:
        said = " ".join(str(error).split())[:200]
        return BertlineError(f"{self.name}: is damaged, or no Parquet file ({said}); fetch or make it again")


def as_cell(text: str) -> str:
    """The text with a space for every tab, line break and NUL."""
    return _BREAK.sub(" ", text)


def _blanked(cells: list[str]) -> tuple[list[str], int]:
    """Cells as `as_cell` makes them, and how many of them it changed."""
    if not _BREAK.search("".join(cells)):  # one search is much faster than one for each
        return cells, 0
    found = sum(_BREAK.search(cell) is not None for cell in cells)
    return list(map(as_cell, cells)), found


def _text(cell: str | bytes | None) -> str:
    if isinstance(cell, str):
        return cell
    return "" if cell is None else cell.decode(errors="replace")


def import_pyarrow(name: str) -> tuple[Any, Any]:
    """pyarrow and pyarrow.parquet, for the file `name`; BertlineError where they are not installed."""
    try:
        import pyarrow
        import pyarrow.parquet
    except ModuleNotFoundError:
        raise BertlineError(f"{name}: pyarrow is not installed; pip install 'bertline[parquet]'") from None
    return pyarrow, pyarrow.parquet
