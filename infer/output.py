"""Scores as table rows: the input's columns, then the label, its probability, and what else is asked for."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from bertline.errors import BertlineError
from infer.rows import Window

STDOUT = Path("-")


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

    def refuse_twice(self, columns: Sequence[str], labels: Sequence[str], name: str) -> None:
        """BertlineError where the table `name` has a column that scoring would add a second time."""
        for number, column in enumerate(columns, 1):
            if self.header and column in self.columns(labels):
                raise BertlineError(
                    f"{name}, line 1, column {number}: {column!r} is what the scores are called; rename the column"
                )


class Format(Protocol):
    """One way to write scored rows; the bytes of all calls follow each other in a file."""

    def head(self) -> bytes: ...

    def rows(self, window: Window, logits: NDArray[np.float32], predicted: NDArray[np.int64]) -> bytes: ...

    def finish(self, partial: Path, whole: Path) -> None: ...


class Tsv:
    def __init__(self, columns: Sequence[str], labels: Sequence[str], form: OutputFormat) -> None:
        self._columns, self._labels, self._form = columns, labels, form

    def head(self) -> bytes:
        return (
            ("\t".join([*self._columns, *self._form.columns(self._labels)]) + "\n").encode()
            if self._form.header
            else b""
        )

    def rows(self, window: Window, logits: NDArray[np.float32], predicted: NDArray[np.int64]) -> bytes:
        probabilities = softmax(logits)
        scores = probabilities[np.arange(len(predicted)), predicted]
        lines = []
        for row, values in enumerate(window.cells):
            fields = [*values, self._labels[predicted[row]], _number(scores[row])]
            if self._form.probabilities:
                fields += map(_number, probabilities[row])
            if self._form.logits:
                fields += map(_number, logits[row])
            lines.append("\t".join(fields) + "\n")
        return "".join(lines).encode()

    def finish(self, partial: Path, whole: Path) -> None:
        partial.replace(whole)


def format_for(output, form, rows, labels):
    form.refuse_twice(rows.columns, labels, rows.name)
    return Tsv(rows.columns, labels, form)


def rejects_rows(rejects, *, head):
    return b""


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities (rows, labels) float32 from logits (rows, labels), computed in float64."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    probabilities: NDArray[np.float32] = (shifted / shifted.sum(axis=1, keepdims=True)).astype(np.float32)
    return probabilities


def _number(value: float) -> str:
    return f"{value:.9g}"  # nine digits keep a float32 exactly
