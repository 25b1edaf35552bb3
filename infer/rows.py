"""Input files as windows of rows: which column is the text, which the label, one order for all files."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bertline.bundle import Manifest
from bertline.errors import BertlineError
from bertline.tsv import LabelParser, Table, TableSpec, open_input
from infer.encode import Text

STDIN = Path("-")


@dataclass
class Window:
    """Rows held in memory at once, in file order."""

    cells: list[list[str]] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)  # ids, where the input has labels
    lines: list[int] = field(default_factory=list)  # numbers in their file, from 1


class Rows:
    """The rows of all inputs, one after the other; all inputs have the same columns.

    `columns` and `labelled` are known once made: the first table's head is read then, and all inputs are there.
    """

    def __init__(self, inputs: Sequence[Path], spec: TableSpec, manifest: Manifest, *, use_labels: bool) -> None:
        self.bytes_read = 0
        self.count = 0
        self._inputs = list(inputs)
        self._spec = spec
        for path in self._inputs:
            if path != STDIN:
                open_input(path).close()
        self._first = self._open(self._inputs[0])
        self.columns = self._first.columns
        self._text = [self._first.index(column, option) for column, option in self._text_columns(manifest)]
        self._label = self._label_index(manifest) if use_labels else None
        self.labelled = self._label is not None
        self._parser = LabelParser(manifest.labels)

    @property
    def bytes_total(self) -> int | None:
        """Size of all inputs, or None where one is a stream."""
        return None if STDIN in self._inputs else sum(path.stat().st_size for path in self._inputs)

    def windows(self, size: int) -> Iterator[Window]:
        """Windows of `size` rows, the last one shorter; windows go across files."""
        window = Window()
        for table in self._tables():
            before, seen = self.bytes_read, False
            for row in table:
                seen = True
                window.cells.append(row.cells)
                window.lines.append(row.line)
                texts = [row.cells[index] for index in self._text]
                window.texts.append(texts[0] if len(texts) == 1 else (texts[0], texts[1]))
                if self._label is not None:
                    window.labels.append(self._parser.parse(row.cells[self._label], table, row.line, self._label))
                self.count += 1
                if len(window.cells) == size:
                    self.bytes_read = before + table.bytes_read
                    yield window
                    window = Window()
            if not seen:
                raise BertlineError(f"{table.name}: has a header and no rows; give a table with at least one row")
            self.bytes_read = before + table.bytes_read
        if window.cells:
            yield window

    def _tables(self) -> Iterator[Table]:
        yield self._first
        for path in self._inputs[1:]:
            table = self._open(path)
            if table.columns != self.columns:
                raise BertlineError(
                    f"{path}: its columns are {', '.join(table.columns)}, while {self._inputs[0]} has "
                    f"{', '.join(self.columns)}; score files of different columns one by one"
                )
            yield table

    def _open(self, path: Path) -> Table:
        return Table(sys.stdin.buffer if path == STDIN else open_input(path), str(path), self._spec)

    def _text_columns(self, manifest: Manifest) -> list[tuple[str, str]]:
        """Each text column with the option that names it."""
        named = [self._spec.text_column, self._spec.pair_column][: max(1, len(manifest.text_columns))]
        if self._spec.pair_column and len(manifest.text_columns) == 1:
            raise BertlineError("--pair-column: this bundle scores single texts")
        options = ("--text-column", "--pair-column")
        return [
            (name or default, option)
            for name, default, option in zip(named, manifest.text_columns, options, strict=False)
        ]

    def _label_index(self, manifest: Manifest) -> int | None:
        if self._spec.label_column:
            return self._first.index(self._spec.label_column, "--label-column")
        if manifest.label_column in self.columns:
            return self.columns.index(manifest.label_column)
        return None
