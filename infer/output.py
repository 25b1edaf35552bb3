"""Scores as a file: the input's columns, then what the model says of the row, and what else is asked for.

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
from bertline.problems import MultiLabel, Problem, Regression
from infer.inputs import is_parquet
from infer.parquet import as_cell
from infer.windows import Window

STDOUT = Path("-")
JSON_ENDINGS = (".jsonl", ".ndjson")
Logits = NDArray[np.float32]
Decided = NDArray[
    Any
]  # a problem's answers: label ids (rows,), whether a label is given (rows, labels), or numbers (rows,)


@dataclass(frozen=True)
class OutputFormat:
    """Which columns are written after the input's own."""

    header: bool = True
    probabilities: bool = False  # one prob_<label> each, which several labels at once always have
    logits: bool = False  # one logit_<label> each

    def columns(self, problem: Problem) -> list[str]:
        """Names of the columns that scoring adds; the first of them holds labels unless the problem is a regression."""
        if isinstance(problem, Regression):
            names = ["prediction"]
        else:
            names = ["predicted_label"] if isinstance(problem, MultiLabel) else ["predicted_label", "score"]
            several = self.probabilities or isinstance(problem, MultiLabel)
            names += [f"prob_{label}" for label in problem.labels] if several else []
        return names + ([f"logit_{label}" for label in problem.labels] if self.logits else [])

    def numbers(self, problem: Problem, logits: Logits, decided: Decided) -> list[NDArray[np.float32]]:
        """The columns that hold numbers, each (rows,) float32, of logits (rows, labels) and the answers to them."""
        if isinstance(problem, Regression):
            numbers = [decided.astype(np.float32, copy=False)]
        elif isinstance(problem, MultiLabel):
            numbers = list(problem.probabilities(logits).astype(np.float32).T)
        else:
            probabilities = softmax(logits)
            numbers = [probabilities[np.arange(len(decided)), decided]]
            numbers += list(probabilities.T) if self.probabilities else []
        return numbers + (list(logits.T) if self.logits else [])

    def refuse(self, columns: Sequence[str], problem: Problem, name: str) -> None:
        """UsageError where the problem has no such columns; BertlineError where the table `name` has one already."""
        if self.probabilities and isinstance(problem, Regression):
            raise UsageError("--probabilities: this bundle predicts a number, which has none; leave it out")
        for number, column in enumerate(columns, 1):
            if self.header and column in self.columns(problem):
                raise BertlineError(
                    f"{name}, line 1, column {number}: {column!r} is what the scores are called; rename the column"
                )


class Format(Protocol):
    """One way to write scored rows."""

    def head(self) -> bytes:
        """What the file begins with."""

    def rows(self, window: Window, logits: Logits, decided: Decided) -> bytes:
        """The rows of a window, with logits (rows, labels) float32 and the problem's answers to them."""

    def finish(self, partial: Path, whole: Path) -> None:
        """Make the output `whole` of the partial file, once that holds all rows; until then it has no such name."""


def format_for(path: Path, columns: Sequence[str], problem: Problem, form: OutputFormat, schema: Any = None) -> Format:
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
        return ParquetFormat(path, columns, problem, form, schema)
    if inner.suffix.lower() in JSON_ENDINGS:
        from infer.json_lines import JsonLinesFormat

        _refuse_without_names(path, columns, form, "JSON lines")
        return JsonLinesFormat(columns, problem, form, compress)
    return TsvFormat(columns, problem, form, compress)


class TsvFormat:
    """The input's lines as they were, with columns added; several labels of a row have commas between."""

    def __init__(
        self,
        columns: Sequence[str],
        problem: Problem,
        form: OutputFormat,
        compress: Callable[[bytes], bytes],
    ) -> None:
        self._columns, self._problem, self._form, self._compress = columns, problem, form, compress
        kinds = ["%.9g" for _ in form.columns(problem)]  # nine digits keep a float32 exactly
        if not isinstance(problem, Regression):
            kinds[0] = "%s"
        self._line = "\t".join(["%s", *kinds]) + "\n"

    def head(self) -> bytes:
        """The header, or nothing."""
        names = [*map(as_cell, self._columns), *self._form.columns(self._problem)]
        return self._compress(("\t".join(names) + "\n").encode() if self._form.header else b"")

    def rows(self, window: Window, logits: Logits, decided: Decided) -> bytes:
        """One line a row."""
        if not len(window):
            return b""
        numbers = [column.tolist() for column in self._form.numbers(self._problem, logits, decided)]
        rows = zip(window.lines, *self._labels(decided), *numbers, strict=True)
        return self._compress("".join(map(self._line.__mod__, rows)).encode())

    def _labels(self, decided: Decided) -> list[list[str]]:
        """The column of labels, where there is one."""
        return [] if isinstance(self._problem, Regression) else [self._problem.cells(decided)]

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
