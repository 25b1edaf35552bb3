"""An input being read: its table, and what is known of the file as it is on disk."""

import hashlib
import io
import sys
from pathlib import Path
from typing import Any, Protocol, Self, cast

from bertline.compression import compression_of, decompressed
from bertline.errors import BertlineError
from bertline.lines import BLOCK_BYTES
from bertline.tsv import Table, TableSpec, open_input
from infer.inputs import STDIN


class Block(Protocol):
    """Consecutive good rows of a file, with their cells."""

    @property
    def file(self) -> str:
        """The file's name, for errors."""

    @property
    def first(self) -> int:
        """Number of the first row in its file, from 1: of its line on disk, or of its row in Parquet."""

    def __len__(self) -> int: ...

    def slice(self, start: int, stop: int) -> Self:
        """The rows from index `start` to before `stop`."""

    def column(self, index: int) -> Any:
        """One cell of each row, a list: str; None where there is none; bytes where they are no UTF-8."""

    def texts(self) -> list[list[str]]:
        """All cells as text, column by column; empty where there is none."""

    def values(self) -> list[list[Any]]:
        """All cells, column by column: str, or what JSON has for a cell of Parquet."""

    def as_lines(self) -> tuple[list[str], int]:
        """Rows as lines of TSV without line ends, and how many cells had a tab or line break replaced for it."""

    def raw(self, row: int) -> bytes:
        """The row at that index as a line."""

    def size(self, start: int, stop: int) -> int:
        """What the rows from `start` to before `stop` take: characters, or bytes."""

    def fitting(self, start: int, room: int) -> int:
        """How many rows from `start` on take up to `room`, with the one that goes over it."""


class Counted(io.RawIOBase):
    """Passes a stream on, counting and hashing it by the block."""

    def __init__(self, stream: io.BufferedIOBase, *, close: bool = True) -> None:
        self._stream, self._closes = stream, close
        self._sha256 = hashlib.sha256()
        self.bytes_read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        count = self._stream.readinto1(buffer)
        self.bytes_read += count
        self._sha256.update(memoryview(buffer)[:count])
        return count

    def sha256(self) -> str:
        """Of the whole stream, in hexadecimal digits; what nobody has read yet is read for it."""
        while self.read(BLOCK_BYTES):
            pass
        return self._sha256.hexdigest()

    def close(self) -> None:
        if self._closes:
            self._stream.close()
        super().close()


class TextSource:
    """A TSV file, perhaps compressed by what its name says, or a stream of lines from the middle of one."""

    schema = None
    nothing = "has a header and no rows"

    def __init__(
        self, counted: Counted, name: str, spec: TableSpec, *, keep_bad: bool, hint: str, first_line: int = 1
    ) -> None:
        self._counted = counted
        self._stream: io.BufferedIOBase = io.BufferedReader(self._counted, BLOCK_BYTES)
        if ending := compression_of(Path(name)):
            self._stream = decompressed(self._stream, name, ending)
        self.table = Table(self._stream, name, spec, keep_bad=keep_bad, hint=hint, first_line=first_line)
        self.blocks = self.table.blocks

    @classmethod
    def open(cls, path: Path, spec: TableSpec, *, keep_bad: bool, hint: str) -> "TextSource":
        """A whole file, or stdin."""
        counted = _stdin() if path == STDIN else Counted(open_input(path))
        return cls(counted, str(path), spec, keep_bad=keep_bad, hint=hint)

    def check_text(self, index: int, option: str) -> None:
        """Every column is text."""

    @property
    def bytes_read(self) -> int:
        """Bytes of the file on disk that were read so far."""
        return self._counted.bytes_read

    def sha256(self) -> str:
        """Of the file on disk, in hexadecimal digits."""
        return self._counted.sha256()

    def close(self) -> None:
        """Close the file; stdin stays open."""
        self._stream.close()
        self._counted.close()


def _stdin() -> Counted:
    if sys.stdin is None:
        raise BertlineError("-: stdin is closed; give a file, or a pipe to read from")
    return Counted(cast(io.BufferedIOBase, sys.stdin.buffer), close=False)
