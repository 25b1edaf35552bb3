"""Scores as a file: the input's columns, then the label, its probability, and what else is asked for.

A format only turns windows into bytes. What its calls return is appended to a partial file one after the other, and
that file may be cut off behind any of them and go on from there in another process.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bertline import metrics
from bertline.compression import compression_of, compressor
from bertline.errors import BertlineError, UsageError
from infer.inputs import is_parquet
from infer.parquet import as_cell
from infer.windows import Window

STDOUT = Path("-")
JSON_ENDINGS = (".jsonl", ".ndjson")
Logits = NDArray[np.float32]
Predicted = NDArray[np.int64]


@dataclass(frozen=True)
class OutputFormat:
    """Which columns are written after the input's own."""

    header: bool = True
    probabilities: bool = False  # one prob_<label> each
    logits: bool = False  # one logit_<label> each

    def columns(self, labels: Sequence[str]) -> list[str]:
        """Names of the columns that scoring adds."""
        names = ["predicted_label", "score"]
        names += [f"prob_{label}" for label in labels] if self.probabilities else []
        return names + ([f"logit_{label}" for label in labels] if self.logits else [])

    def numbers(self, logits: Logits, predicted: Predicted) -> list[NDArray[np.float32]]:
        """Those columns behind `predicted_label`, each (rows,) float32; logits is (rows, labels), predicted (rows,)."""
        probabilities = softmax(logits)
        numbers = [probabilities[np.arange(len(predicted)), predicted]]
        numbers += list(probabilities.T) if self.probabilities else []
        return numbers + (list(logits.T) if self.logits else [])

    def refuse_twice(self, columns: Sequence[str], labels: Sequence[str], name: str) -> None:
        """BertlineError where the table `name` has a column that scoring would add a second time."""
        for number, column in enumerate(columns, 1):
            if self.header and column in self.columns(labels):
                raise BertlineError(
                    f"{name}, line 1, column {number}: {column!r} is what the scores are called; rename the column"
                )


class Format(Protocol):
    """One way to write scored rows."""

    def head(self) -> bytes:
        """What the file begins with."""

    def rows(self, window: Window, logits: Logits, predicted: Predicted) -> bytes:
        """The rows of a window; logits is (rows, labels) float32, predicted (rows,) label ids."""

    def finish(self, partial: Path, whole: Path) -> None:
        """Make the output `whole` of the partial file, once that holds all rows; until then it has no such name."""


def format_for(
    path: Path, columns: Sequence[str], labels: Sequence[str], form: OutputFormat, schema: Any = None
) -> Format:
    """The format that the output's name asks for by its ending; TSV where it names none, and for stdout.

    `schema` is the pyarrow.Schema of the input where all of it is Parquet (`Rows.schema`): Parquet output then keeps
    its types. Raises UsageError where an option makes no sense with the format, BertlineError where a column's name
    is there twice and may not be, or a package is missing.
    """
    ending = compression_of(path)
    inner = path.with_suffix("") if ending else path
    compress = compressor(str(path), ending) if ending else _as_it_is
    if is_parquet(inner):
        if ending:
            raise UsageError(f"{path}: Parquet is compressed inside; name it {inner.name}")
        from infer.parquet_output import ParquetFormat

        _refuse_without_names(path, columns, form, "Parquet")
        return ParquetFormat(path, columns, labels, form, schema)
    if inner.suffix.lower() in JSON_ENDINGS:
        from infer.json_lines import JsonLinesFormat

        _refuse_without_names(path, columns, form, "JSON lines")
        return JsonLinesFormat(columns, labels, form, compress)
    return TsvFormat(columns, labels, form, compress)


class TsvFormat:
    """The input's lines as they were, with columns added."""

    def __init__(
        self,
        columns: Sequence[str],
        labels: Sequence[str],
        form: OutputFormat,
        compress: Callable[[bytes], bytes],
    ) -> None:
        self._columns, self._labels, self._form, self._compress = columns, labels, form, compress
        added = len(form.columns(labels)) - 1
        self._line = "%s\t%s" + "\t%.9g" * added + "\n"  # nine digits keep a float32 exactly

    def head(self) -> bytes:
        """The header, or nothing."""
        names = [*map(as_cell, self._columns), *self._form.columns(self._labels)]
        return self._compress(("\t".join(names) + "\n").encode() if self._form.header else b"")

    def rows(self, window: Window, logits: Logits, predicted: Predicted) -> bytes:
        """One line a row."""
        if not len(window):
            return b""
        labels = [self._labels[label] for label in predicted.tolist()]
        numbers = [column.tolist() for column in self._form.numbers(logits, predicted)]
        rows = zip(window.lines, labels, *numbers, strict=True)
        return self._compress("".join(map(self._line.__mod__, rows)).encode())

    def finish(self, partial: Path, whole: Path) -> None:
        """It is TSV already."""
        partial.replace(whole)


def softmax(logits: Logits) -> NDArray[np.float32]:
    """Probabilities (rows, labels) float32 from logits (rows, labels), computed in float64."""
    return metrics.softmax(logits).astype(np.float32)


def _as_it_is(content: bytes) -> bytes:
    return content


def _refuse_without_names(path: Path, columns: Sequence[str], form: OutputFormat, kind: str) -> None:
    """Errors for formats that know columns by name."""
    if not form.header:
        raise UsageError(f"{path}: {kind} always has the columns' names; leave out --no-output-header")
    for number, column in enumerate(columns):
        if column in columns[:number]:
            raise BertlineError(
                f"{path}: several columns are called {column!r}, and {kind} knows them by name; "
                "rename one in the input, or write .tsv"
            )
