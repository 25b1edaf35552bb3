"""Input files as windows of rows: which column is the text, which the label, one order for all files."""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bertline.bundle import Manifest
from bertline.errors import BertlineError, UsageError
from bertline.tsv import LabelParser, Table, TableSpec, open_input, require_input
from infer.encode import Text

STDIN = Path("-")


@dataclass(frozen=True)
class InputRead:
    """An input as it was read: a pipe can be read once only, and a file may change."""

    name: str
    bytes: int
    sha256: str


@dataclass
class Window:
    """Rows held in memory at once, in file order."""

    cells: list[list[str]] = field(default_factory=list)
    texts: list[Text] = field(default_factory=list)
    labels: list[int] = field(default_factory=list)  # ids, where the input has labels
    lines: list[int] = field(default_factory=list)  # numbers in their file, from 1
    rejects: list = field(default_factory=list)
    blanked: int = 0


class Rows:
    """The rows of all inputs, one after the other; all inputs have the same columns.

    `columns`, `labelled` and `name` (the first input's) are known once made: the first table's head is read then,
    and all inputs are there. `read` lists the inputs that were read to their end.
    """

    def __init__(
        self, inputs: Sequence[Path], spec: TableSpec, manifest: Manifest, *, use_labels: bool, on_error: str = "fail"
    ) -> None:
        self.bytes_read = 0
        self.count = 0
        self.read: list[InputRead] = []
        self._inputs = list(inputs)
        self._spec = spec
        if self._inputs.count(STDIN) > 1:
            raise UsageError("-, which is stdin, can be given only once")
        for path in self._inputs:
            if path != STDIN:
                require_input(path)
        self._first = self._open(self._inputs[0])
        self.name, self.columns = self._first.name, self._first.columns
        self._text = [self._first.index(column, option) for column, option in self._text_columns(manifest)]
        self._label = self._label_index(manifest) if use_labels else None
        self.labelled = self._label is not None
        self._parser = LabelParser(manifest.labels)

    @property
    def bytes_total(self) -> int | None:
        """Size of all inputs, or None where one is a stream."""
        whole = all(path != STDIN and path.is_file() for path in self._inputs)
        return sum(path.stat().st_size for path in self._inputs) if whole else None

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
            name = table.name.encode("utf-8", "backslashreplace").decode()  # what is no UTF-8 is not JSON either
            self.read.append(InputRead(name, table.bytes_read, table.sha256.hexdigest()))
        if window.cells:
            yield window

    def _tables(self) -> Iterator[Table]:
        yield self._first
        for path in self._inputs[1:]:
            table = self._open(path)
            if table.columns != self.columns:
                raise BertlineError(
                    f"{path}, line 1: its columns are {', '.join(table.columns)}, while {self._inputs[0]} has "
                    f"{', '.join(self.columns)}; score files of different columns one by one"
                )
            yield table

    def _open(self, path: Path) -> Table:
        if path != STDIN:
            return Table(open_input(path), str(path), self._spec)
        if sys.stdin is None:
            raise BertlineError("-: stdin is closed; give a file, or a pipe to read from")
        return Table(sys.stdin.buffer, str(path), self._spec)

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
            return self._first.index(manifest.label_column, "--label-column")
        return None
