"""Input files as windows of rows: which column is the text, which the label, one order for all files."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from bertline.blocks import BadRow
from bertline.bundle import Manifest
from bertline.errors import BertlineError, UsageError
from bertline.tsv import TableSpec, no_rows
from infer.encode import Text
from infer.inputs import STDIN
from infer.opening import FileInput, Input, Source
from infer.rejects import Reject
from infer.sources import Block
from infer.windows import Window

OnError = Literal["fail", "quarantine"]
QUARANTINE_HINT = "; or set such rows aside with --on-error quarantine"


def check_on_error(option: str) -> None:
    """UsageError where `--on-error` says neither."""
    if option not in get_args(OnError):
        raise UsageError(f"--on-error {option}: give {' or '.join(get_args(OnError))}")


def other_columns(name: str, columns: Sequence[str], first: str, wanted: Sequence[str]) -> BertlineError:
    """The error about an input whose columns are not the first one's."""
    return BertlineError(
        f"{name}, line 1: its columns are {', '.join(columns)}, while {first} has {', '.join(wanted)}; "
        "score files of different columns one by one"
    )


@dataclass(frozen=True)
class InputRead:
    """An input as it was read: a pipe can be read once only, and a file may change."""

    name: str
    bytes: int  # on disk
    sha256: str  # of the file on disk


class Rows:
    """The rows of all inputs, one after the other; all inputs have the same columns.

    `columns`, `labelled`, `name` (the first input's) and `schema` are known once made: the first table's head is
    read then, and all inputs are there. `read` lists the inputs that were read to their end. A bad row raises
    BertlineError, ending in `hint`, or with `on_error` quarantine becomes a reject of the window it is met in.
    """

    def __init__(
        self,
        inputs: Sequence[Path | Input],
        spec: TableSpec,
        manifest: Manifest,
        *,
        use_labels: bool,
        on_error: OnError = "fail",
        hint: str = "",
    ) -> None:
        self.bytes_read = 0  # on disk
        self.count = 0  # rows, without rejects
        self.read: list[InputRead] = []
        self._inputs = [FileInput(item) if isinstance(item, Path) else item for item in inputs]
        self._spec = spec
        self._keep_bad, self._hint = on_error == "quarantine", hint
        if self._inputs.count(FileInput(STDIN)) > 1:
            raise UsageError("-, which is stdin, can be given only once")
        for item in self._inputs:
            item.check()
        self._first = self._open(self._inputs[0])
        table = self._first.table
        self.name, self.columns = table.name, table.columns
        # pyarrow.Schema where every row can be had as Arrow, else None
        self.schema: Any = self._first.schema if all(item.is_parquet for item in self._inputs) else None
        self._text = [(table.index(column, option), option) for column, option in self._text_columns(manifest)]
        self._check_texts(self._first)
        self._label = self._label_index(manifest) if use_labels else None
        self.labelled = self._label is not None
        self._parser = manifest.problem.parser()

    @property
    def bytes_total(self) -> int | None:
        """Size of all inputs on disk, or None where one is a stream."""
        sizes = [item.size for item in self._inputs]
        return None if None in sizes else sum(size or 0 for size in sizes)

    def windows(self, size: int) -> Iterator[Window]:
        """Windows of `size` rows, shorter where rows are long or many are rejected; windows go across files.

        Where a window ends depends on the input alone: reading the same files again gives the same windows.
        """
        window = Window(size)
        for part in self._parts():
            if isinstance(part, Reject):
                window.reject(part)
                if window.is_full:
                    yield window
                    window = Window(size)
                continue
            start = 0
            while start < len(part.texts):
                stop = start + window.fitting(part.block, start)
                window.add(part.block.slice(start, stop), part.texts[start:stop], part.labels[start:stop])
                self.count += stop - start
                start = stop
                if window.is_full:
                    yield window
                    window = Window(size)
        if len(window) or window.rejects:
            yield window

    def _parts(self) -> Iterator["_Scorable | Reject"]:
        """All rows of all inputs, and what is rejected, in order."""
        for source in self._sources():
            before, seen = self.bytes_read, False
            for part in source.blocks():
                seen = True
                self.bytes_read = before + source.bytes_read
                if isinstance(part, BadRow):
                    yield self._rejected(source, part)
                else:
                    yield from self._scorable(source, part)
            if not seen:
                raise no_rows(source.table.name, source.nothing)
            sha256 = source.sha256()  # reads what is left
            self.bytes_read = before + source.bytes_read
            self.read.append(InputRead(printable(source.table.name), source.bytes_read, sha256))

    def _scorable(self, source: Source, block: Block) -> Iterator["_Scorable | Reject"]:
        """The rows of a block that have texts and a label, and rejects for the others."""
        texts = [block.column(index) for index, _ in self._text]
        labels = [] if self._label is None else self._parser.values_of(block.column(self._label))
        faults: dict[int, BadRow] = {}
        for (index, _), cells in zip(self._text, texts, strict=True):
            if set(map(type, cells)) != {str}:
                faults |= {
                    row: self._text_fault(source, block, row, index, cells[row])
                    for row in range(len(cells))
                    if row not in faults and not isinstance(cells[row], str)
                }
        if None in labels:
            faults |= {
                row: self._label_fault(source, block, row)
                for row, label in enumerate(labels)
                if label is None and row not in faults
            }
        whole = _Scorable(block, texts[0] if len(texts) == 1 else list(zip(*texts, strict=True)), labels)
        start = 0
        for row in sorted(faults):
            if start < row:
                yield whole.slice(start, row)
            yield self._rejected(source, faults[row])
            start = row + 1
        if start < len(block):
            yield whole.slice(start, len(block)) if start else whole

    def _text_fault(self, source: Source, block: Block, row: int, index: int, cell: bytes | None) -> BadRow:
        reason, message = "null", "null is no text; fill it in, or leave the row out"
        if cell is not None:
            reason, message = "encoding", "the text is not UTF-8; write the file again from its source"
        line = block.first + row
        return BadRow(line, reason, str(source.table.error(line, index, message)), block.raw(row))

    def _label_fault(self, source: Source, block: Block, row: int) -> BadRow:
        index, line = self._label or 0, block.first + row
        message = self._parser.fault(block.slice(row, row + 1).column(index)[0])
        return BadRow(line, "label", str(source.table.error(line, index, message)), block.raw(row))

    def _rejected(self, source: Source, bad: BadRow) -> Reject:
        if not self._keep_bad:
            raise BertlineError(bad.message + self._hint)
        name = source.table.name
        message = bad.message.removeprefix(source.table.at(bad.line)).lstrip(",: ")  # which have columns of their own
        return Reject(name, bad.line, bad.reason, message, bad.raw)

    def _sources(self) -> Iterator[Source]:
        for number, item in enumerate(self._inputs):
            source = self._open(item) if number else self._first
            try:
                if source.table.columns != self.columns:
                    raise other_columns(item.name, source.table.columns, self.name, self.columns)
                self._check_texts(source)
                yield source
            finally:
                source.close()

    def _open(self, item: Input) -> Source:
        return item.open(self._spec, keep_bad=self._keep_bad, hint=self._hint)

    def _check_texts(self, source: Source) -> None:
        for index, option in self._text:
            source.check_text(index, option)

    def _text_columns(self, manifest: Manifest) -> list[tuple[str, str]]:
        """Each text column with the option that names it."""
        named = [self._spec.text_column, self._spec.pair_column][: max(1, len(manifest.text_columns))]
        if self._spec.pair_column and len(manifest.text_columns) == 1:
            raise UsageError(
                f"this bundle scores single texts, and {self._spec.pair_column} would be a second; leave out "
                "--pair-column, or a --format of pairs"
            )
        options = ("--text-column", "--pair-column")
        return [
            (name or default, option)
            for name, default, option in zip(named, manifest.text_columns, options, strict=False)
        ]

    def _label_index(self, manifest: Manifest) -> int | None:
        table = self._first.table
        if self._spec.label_column and self._spec.label_required:
            return table.index(self._spec.label_column, "--label-column")
        for column in (self._spec.label_column, manifest.label_column):
            if column in self.columns:
                return table.index(column, "--label-column")
        return None


@dataclass(frozen=True)
class _Scorable:
    """Rows with what is needed of them: texts, and what their label cells say where the input has labels."""

    block: Block
    texts: Sequence[Text]
    labels: list[Any]  # values of the problem's parser: a row whose cell says nothing is none of these

    def slice(self, start: int, stop: int) -> "_Scorable":
        return _Scorable(self.block.slice(start, stop), self.texts[start:stop], self.labels[start:stop])


def printable(name: str) -> str:
    """A file's name as JSON can hold it."""
    return name.encode("utf-8", "backslashreplace").decode()  # what is no UTF-8 is not JSON either
