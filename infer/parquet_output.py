"""Scored rows as Parquet: appended as an Arrow stream, which can be cut off and gone on with, and rewritten at the end.

A Parquet file is read from its last bytes and cannot grow; an Arrow stream is a schema and then batches.
"""

import os
from collections.abc import Sequence
from itertools import compress
from pathlib import Path
from typing import Any

from bertline.errors import BertlineError
from bertline.problems import MultiLabel, Problem, Regression
from infer.output import Decided, Logits, OutputFormat
from infer.parquet import import_pyarrow
from infer.windows import Window

GROUP_ROWS = 2**17  # rows of a row group, and
GROUP_BYTES = 64 * 2**20  # bytes after which it is closed
_END = b"\xff\xff\xff\xff\0\0\0\0"  # of an Arrow stream; a stream that just stops is read as well


class ParquetFormat:
    """Input columns with the types they had in Parquet, or as strings; numbers as float32, several labels as a list."""

    def __init__(self, path: Path, columns: Sequence[str], problem: Problem, form: OutputFormat, schema: Any) -> None:
        self._arrow, self._parquet = import_pyarrow(str(path))
        pa = self._arrow
        self._problem, self._form, self._typed = problem, form, schema is not None
        # Without a schema: strings. With one: whether a column may hold null is the matter of a later file, too.
        inputs = [field.with_nullable(True) for field in schema] if schema else [(n, pa.string()) for n in columns]
        names = form.columns(problem)
        added = [(name, pa.float32()) for name in names]
        if not isinstance(problem, Regression):
            added[0] = (names[0], pa.list_(pa.string()) if isinstance(problem, MultiLabel) else pa.string())
        self._inputs = pa.schema(inputs)
        self._schema = pa.schema([*self._inputs, *pa.schema(added)], metadata=schema.metadata if schema else None)
        self._head = self._stream([])

    def head(self) -> bytes:
        """The schema."""
        return self._head

    def rows(self, window: Window, logits: Logits, decided: Decided) -> bytes:
        """The window's batches, each with the dictionaries it needs."""
        pa = self._arrow
        numbers = self._form.numbers(self._problem, logits, decided)
        scores = [*self._labels(decided), *(pa.array(column, pa.float32()) for column in numbers)]
        batches, start = [], 0
        for block in window.blocks:
            own = [column.slice(start, len(block)) for column in scores]
            batches.append(pa.record_batch([*self._columns(block), *own], schema=self._schema))
            start += len(block)
        return self._stream(batches)[len(self._head) :]

    def finish(self, partial: Path, whole: Path) -> None:
        """Write the stream as Parquet, a row group at a time; needs room for both on the disk."""
        beside = whole.with_name(whole.name + ".new")
        try:
            with partial.open("rb") as source, beside.open("wb") as target:
                with (
                    self._arrow.ipc.open_stream(source) as batches,
                    self._parquet.ParquetWriter(target, self._schema, compression="zstd") as writer,
                ):
                    for group in self._groups(batches):
                        writer.write_table(group, row_group_size=GROUP_ROWS)
                target.flush()
                os.fsync(target.fileno())
            beside.replace(whole)
            partial.unlink()
        finally:
            beside.unlink(missing_ok=True)

    def _labels(self, decided: Decided) -> list[Any]:
        """The column of labels as an Arrow array, where there is one."""
        pa, problem = self._arrow, self._problem
        if isinstance(problem, Regression):
            return []
        if isinstance(problem, MultiLabel):
            given = [list(compress(problem.labels, row)) for row in decided.tolist()]
            return [pa.array(given, pa.list_(pa.string()))]
        return [pa.array(problem.cells(decided), pa.string())]

    def _columns(self, block: Any) -> list[Any]:
        """A block's columns as Arrow arrays."""
        pa = self._arrow
        if not self._typed:
            return [pa.array(values, pa.string()) for values in block.texts()]
        for field, found in zip(self._inputs, block.rows.schema, strict=True):
            if field.type != found.type:
                raise BertlineError(
                    f"{block.file}: column {field.name} holds {found.type} where the first input holds {field.type}; "
                    "score files of different types one by one, or write .tsv"
                )
        return list(block.rows.columns)

    def _groups(self, batches: Any) -> Any:
        held: list[Any] = []
        for batch in batches:
            held.append(batch)
            if sum(b.num_rows for b in held) >= GROUP_ROWS or sum(b.nbytes for b in held) >= GROUP_BYTES:
                yield self._arrow.Table.from_batches(held)
                held = []
        if held:
            yield self._arrow.Table.from_batches(held)

    def _stream(self, batches: Sequence[Any]) -> bytes:
        """A stream of the batches, without its end."""
        sink = self._arrow.BufferOutputStream()
        with self._arrow.ipc.new_stream(sink, self._schema) as writer:
            for batch in batches:
                writer.write_batch(batch)
        content: bytes = sink.getvalue().to_pybytes()
        return content.removesuffix(_END)
