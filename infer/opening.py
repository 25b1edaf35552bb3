"""What rows are read from: a file, stdin, or a part of a file; each opens as a source."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from bertline.tsv import TableSpec, require_input
from infer.inputs import STDIN, is_parquet
from infer.parquet import ParquetSource
from infer.sources import TextSource

Source = TextSource | ParquetSource


class Input(Protocol):
    """Something that holds rows of a table."""

    @property
    def name(self) -> str:
        """Of the file, as errors call it."""

    @property
    def is_parquet(self) -> bool:
        """Whether its rows can be had as Arrow."""

    @property
    def size(self) -> int | None:
        """Bytes on disk; None where only reading tells."""

    def check(self) -> None:
        """BertlineError where there is no such file. Nothing is opened: a pipe can be opened once only."""

    def open(self, spec: TableSpec, *, keep_bad: bool, hint: str) -> Source:
        """Begin to read; BertlineError for what is no table."""


@dataclass(frozen=True)
class FileInput:
    """A whole file, or stdin."""

    path: Path

    @property
    def name(self) -> str:
        return str(self.path)

    @property
    def is_parquet(self) -> bool:
        return is_parquet(self.path)

    @property
    def size(self) -> int | None:
        return self.path.stat().st_size if self.path != STDIN and self.path.is_file() else None

    def check(self) -> None:
        if self.path != STDIN:
            require_input(self.path)

    def open(self, spec: TableSpec, *, keep_bad: bool, hint: str) -> Source:
        if self.is_parquet:
            return ParquetSource(self.path, spec)
        return TextSource.open(self.path, spec, keep_bad=keep_bad, hint=hint)
