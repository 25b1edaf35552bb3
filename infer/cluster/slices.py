"""Parts of the inputs, and how each is read: lines of a text file, all of an archive, row groups of a Parquet file."""

import io
import socket
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from bertline.compression import compression_of
from bertline.lines import BLOCK_BYTES
from bertline.tsv import TableSpec
from infer.cluster.places import Place, State
from infer.inputs import is_parquet
from infer.opening import Source
from infer.parquet import ParquetSource
from infer.report import InputChangedError
from infer.rows import printable
from infer.sources import Counted, TextSource


@dataclass(frozen=True)
class Slice:
    """Rows of one file that stand together; an `infer.opening.Input`."""

    place: Place
    was: State  # of the file when it was looked at

    @property
    def name(self) -> str:
        return self.place.name

    @property
    def is_parquet(self) -> bool:
        return False

    @property
    def size(self) -> int | None:
        return None  # of a part nobody asks

    def check(self) -> None:
        """InputChangedError where the file is no longer what it was, or is another on this machine."""
        now, node = self.place.state(), socket.gethostname()
        if now is None:
            raise InputChangedError(
                f"{self.name}: is not there on node {node}; put inputs where all machines see them under one path, or "
                "on an object store"
            )
        if now != self.was:
            raise InputChangedError(
                f"{self.name}: was changed while it was being scored, or is a copy of its own on node {node}; start "
                "over with --force, with inputs that all machines share"
            )

    def open(self, spec: TableSpec, *, keep_bad: bool, hint: str) -> Source:
        raise NotImplementedError

    def described(self) -> dict[str, Any]:
        """For the manifest: the file, and its first and last line or row, from 1; None: its last."""
        raise NotImplementedError


@dataclass(frozen=True)
class Lines(Slice):
    """Lines `first` to before `first + count` of a plain text file, that at byte `offset` being line `known`."""

    columns: tuple[str, ...]
    first: int  # from 1
    count: int
    known: int  # at most `first`
    offset: int

    def open(self, spec: TableSpec, *, keep_bad: bool, hint: str) -> Source:
        stream = self.place.open()
        stream.seek(self.offset)
        lines = io.BufferedReader(LineRange(stream, self.first - self.known, self.count), BLOCK_BYTES)
        spec = replace(spec, header=False, columns=self.columns)
        return TextSource(Counted(lines), self.name, spec, keep_bad=keep_bad, hint=hint, first_line=self.first)

    def described(self) -> dict[str, Any]:
        return {"file": printable(self.name), "first": self.first, "last": self.first + self.count - 1}


@dataclass(frozen=True)
class Archive(Slice):
    """All of a compressed file, header included: it can only be read from its beginning."""

    def open(self, spec: TableSpec, *, keep_bad: bool, hint: str) -> Source:
        return TextSource(Counted(self.place.open()), self.name, spec, keep_bad=keep_bad, hint=hint)

    def described(self) -> dict[str, Any]:
        return {"file": printable(self.name), "first": 1, "last": None}


@dataclass(frozen=True)
class Groups(Slice):
    """Row groups `start` to before `stop` of a Parquet file, which are its rows `first` to before `first + count`."""

    start: int
    stop: int
    first: int  # from 1
    count: int

    @property
    def is_parquet(self) -> bool:
        return True

    def open(self, spec: TableSpec, *, keep_bad: bool, hint: str) -> Source:
        stream = self.place.random_access()
        return ParquetSource(Path(), spec, stream=stream, name=self.name, groups=range(self.start, self.stop))

    def described(self) -> dict[str, Any]:
        return {"file": printable(self.name), "first": self.first, "last": self.first + self.count - 1}


@dataclass(frozen=True)
class Part:
    """What a worker scores in one go, into one file of the output."""

    number: int  # from 0, in the inputs' order
    slices: Sequence[Slice]


class LineRange(io.RawIOBase):
    """Of a binary stream that begins with a whole line: `count` lines behind the first `skip`, or fewer at its end."""

    def __init__(self, stream: io.BufferedIOBase, skip: int, count: int) -> None:
        self._stream, self._skip, self._count = stream, skip, count

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while self._count and (chunk := self._stream.read(len(buffer))):
            if self._skip:
                chunk, self._skip = _behind(chunk, self._skip)
            if (count := chunk.count(b"\n")) >= self._count:
                chunk, self._count = chunk[: _end_of(chunk, self._count)], 0
            else:
                self._count -= count
            if chunk:
                buffer[: len(chunk)] = chunk
                return len(chunk)
        return 0

    def close(self) -> None:
        self._stream.close()
        super().close()


def is_whole(place: Place) -> bool:
    """Whether a file of that name cannot be read from its middle."""
    return bool(compression_of(Path(place.name)))


def is_table_of_groups(place: Place) -> bool:
    """Whether a file of that name is Parquet."""
    return is_parquet(Path(place.name))


def _behind(chunk: bytes, lines: int) -> tuple[bytes, int]:
    """What stands behind the first lines, and how many lines are still to be skipped."""
    count = chunk.count(b"\n")
    return (b"", lines - count) if count < lines else (chunk[_end_of(chunk, lines) :], 0)


def _end_of(chunk: bytes, lines: int) -> int:
    """Where the first so many lines end."""
    return int(np.flatnonzero(np.frombuffer(chunk, np.uint8) == ord("\n"))[lines - 1]) + 1
