"""Inputs cut into parts, all in order: a part may hold rows of several files, and a file's rows may be in several."""

from collections.abc import Sequence

from bertline.tsv import TableSpec, no_rows
from infer.cluster.slices import Archive, Groups, Lines, Part, Slice, is_table_of_groups, is_whole
from infer.cluster.survey import TableSeen
from infer.parquet import ParquetSource
from infer.sources import TextSource


def cut(tables: Sequence[TableSeen], spec: TableSpec, part_rows: int) -> list[Part]:
    """Parts of `part_rows` lines or rows; of Parquet as many row groups as it takes, and archives whole.

    Bad rows count as well: where a part ends depends on the files alone. Raises BertlineError where a table is empty.
    """
    cutter = _Cutter(part_rows)
    for table in tables:
        if is_whole(table.place):
            cutter.close()
            cutter.add(Archive(table.place, table.was), part_rows)
        elif is_table_of_groups(table.place):
            _groups(cutter, table)
        else:
            _lines(cutter, table, spec)
    cutter.close()
    return cutter.parts


class _Cutter:
    def __init__(self, part_rows: int) -> None:
        self.parts: list[Part] = []
        self._part_rows = self.room = part_rows
        self._slices: list[Slice] = []

    def add(self, piece: Slice, rows: int) -> None:
        self._slices.append(piece)
        self.room -= rows
        if self.room <= 0:
            self.close()

    def close(self) -> None:
        if self._slices:
            self.parts.append(Part(len(self.parts), tuple(self._slices)))
        self._slices, self.room = [], self._part_rows


def _lines(cutter: _Cutter, table: TableSeen, spec: TableSpec) -> None:
    line, end, mark = 2 if spec.header else 1, table.lines + 1, 0
    if line >= end:
        raise no_rows(table.place.name, TextSource.nothing)
    while line < end:
        count = min(cutter.room, end - line)
        while mark + 1 < len(table.marks) and table.marks[mark + 1][0] <= line:
            mark += 1
        known, offset = table.marks[mark]
        cutter.add(Lines(table.place, table.was, table.columns, line, count, known, offset), count)
        line += count


def _groups(cutter: _Cutter, table: TableSeen) -> None:
    if not sum(table.groups):
        raise no_rows(table.place.name, ParquetSource.nothing)
    start = rows = 0
    first = 1
    for number, count in enumerate(table.groups):
        rows += count
        if rows >= cutter.room or number + 1 == len(table.groups):
            if rows:
                cutter.add(Groups(table.place, table.was, start, number + 1, first, rows), rows)
            start, first, rows = number + 1, first + rows, 0
