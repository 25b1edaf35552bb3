"""A first look at the inputs, by chunks that can be read anywhere: hashes, line counts, columns, row groups."""

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np

from bertline.errors import BertlineError
from bertline.tsv import TableSpec, no_file
from infer.cluster.places import Place, State
from infer.cluster.slices import Archive, Groups, is_table_of_groups, is_whole
from infer.parquet import ParquetSource
from infer.rows import other_columns

CHUNK_BYTES = 64 * 2**20
MARK_LINES = 8192  # lines between two places of a file that are remembered: as many are read in vain at most, or so


@dataclass(frozen=True)
class Chunk:
    """Bytes `start` to before `stop` of a file."""

    table: int  # index of the input
    place: Place
    was: State
    start: int
    stop: int


@dataclass(frozen=True)
class ChunkSeen:
    """What was found there."""

    table: int
    start: int
    sha256: str
    ends: int = 0  # line ends, of plain text
    marks: tuple[int, ...] = ()  # bytes of the file at which the lines behind each 8,192 line ends begin
    open_end: bool = False  # whether its last byte ends no line
    columns: tuple[str, ...] = ()  # of the table, where the chunk is a file's first
    groups: tuple[int, ...] = ()  # rows of the row groups of a Parquet file, where the chunk is its first


@dataclass
class TableSeen:
    """An input as it is known from its chunks."""

    place: Place
    was: State
    columns: tuple[str, ...] = ()
    groups: tuple[int, ...] = ()
    ends: int = 0
    marks: list[tuple[int, int]] = field(default_factory=lambda: [(1, 0)])  # lines, from 1, and their offsets
    open_end: bool = False
    digests: list[str] = field(default_factory=list)

    @property
    def lines(self) -> int:
        """Of plain text: how many there are."""
        return self.ends + self.open_end

    @property
    def sha256(self) -> str:
        """Of the file; where it is larger than a chunk, of its chunks' digests in hexadecimal, one after the other."""
        return self.digests[0] if len(self.digests) == 1 else hashlib.sha256("".join(self.digests).encode()).hexdigest()

    def add(self, seen: ChunkSeen) -> None:
        """The next chunk."""
        if not self.digests:
            self.columns, self.groups = seen.columns, seen.groups
        for number, mark in enumerate(seen.marks, 1):
            self.marks.append((self.ends + number * MARK_LINES + 1, mark))
        self.ends += seen.ends
        self.open_end = seen.open_end
        self.digests.append(seen.sha256)


def chunks_of(places: Sequence[Place]) -> Iterator[Chunk]:
    """All chunks of the files, in order; BertlineError where a file is not there."""
    for table, place in enumerate(places):
        was = place.state()
        if was is None:
            raise no_file(place.name)
        for start in range(0, max(1, was.size), CHUNK_BYTES):
            yield Chunk(table, place, was, start, min(was.size, start + CHUNK_BYTES))


def look_at(chunk: Chunk, spec: TableSpec) -> ChunkSeen:
    """Read one chunk."""
    place = chunk.place
    plain = not is_whole(place) and not is_table_of_groups(place)
    columns: tuple[str, ...] = ()
    groups: tuple[int, ...] = ()
    if chunk.start == 0:
        columns, groups = _head(place, chunk.was, spec)
    digest, ends, marks, last = hashlib.sha256(), 0, list[int](), b"\n"
    with place.open() as stream:
        stream.seek(chunk.start)
        at = chunk.start
        while at < chunk.stop and (block := stream.read(min(2**20, chunk.stop - at))):
            digest.update(block)
            if plain:
                found = np.flatnonzero(np.frombuffer(block, np.uint8) == ord("\n"))
                marks += (found[MARK_LINES - 1 - ends % MARK_LINES :: MARK_LINES] + at + 1).tolist()
                ends += len(found)
                last = block[-1:]
            at += len(block)
    if at != chunk.stop:
        raise BertlineError(f"{place.name}: was changed while it was being read; start again")
    return ChunkSeen(chunk.table, chunk.start, digest.hexdigest(), ends, tuple(marks), last != b"\n", columns, groups)


def tables_of(chunks: Sequence[Chunk], seen: Iterable[ChunkSeen]) -> list[TableSeen]:
    """The inputs, from what was found in each of their chunks, in order.

    Raises BertlineError where one has other columns than the first, or no rows.
    """
    tables: list[TableSeen] = []
    for chunk, found in zip(chunks, seen, strict=True):
        if chunk.table == len(tables):
            tables.append(TableSeen(chunk.place, chunk.was))
        tables[-1].add(found)
    first = tables[0]
    for table in tables[1:]:
        if table.columns != first.columns:
            raise other_columns(table.place.name, table.columns, first.place.name, first.columns)
    return tables


def _head(place: Place, was: State, spec: TableSpec) -> tuple[tuple[str, ...], tuple[int, ...]]:
    """The table's columns, and the rows of its row groups where it is Parquet."""
    if is_table_of_groups(place):
        source = Groups(place, was, 0, 0, 1, 0).open(spec, keep_bad=True, hint="")
        assert isinstance(source, ParquetSource)
        groups = source.group_rows
    else:
        source, groups = Archive(place, was).open(spec, keep_bad=True, hint=""), ()
    try:
        return source.table.columns, groups
    finally:
        source.close()
