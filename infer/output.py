"""Scores as table rows: the input's columns, then the label, its probability, and what else is asked for."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import numpy as np
from numpy.typing import NDArray

from bertline.errors import BertlineError
from bertline.files import whole_file

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


class ScoreWriter:
    """Writes scored rows to a binary stream."""

    def __init__(self, stream: BinaryIO, columns: Sequence[str], labels: Sequence[str], form: OutputFormat) -> None:
        self._stream, self._labels, self._form = stream, labels, form
        if form.header:
            self._write("\t".join([*columns, *form.columns(labels)]))

    def write(self, cells: Sequence[Sequence[str]], logits: NDArray[np.float32], predicted: NDArray[np.int64]) -> None:
        """Append rows; logits is (rows, labels) float32, predicted (rows,) label ids."""
        probabilities = softmax(logits)
        scores = probabilities[np.arange(len(predicted)), predicted]
        for row, values in enumerate(cells):
            fields = [*values, self._labels[predicted[row]], _number(scores[row])]
            if self._form.probabilities:
                fields += map(_number, probabilities[row])
            if self._form.logits:
                fields += map(_number, logits[row])
            self._write("\t".join(fields))

    def _write(self, line: str) -> None:
        self._stream.write(line.encode() + b"\n")


@contextmanager
def open_output(path: Path, *, force: bool) -> Iterator[BinaryIO]:
    """The file under that name once it is whole, or stdout for `-`."""
    if path == STDOUT:
        if sys.stdout is None:
            raise BertlineError("-: stdout is closed; name a file with -o")
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
    else:
        with whole_file(path, force=force) as stream:
            yield stream


def softmax(logits: NDArray[np.float32]) -> NDArray[np.float32]:
    """Probabilities (rows, labels) float32 from logits (rows, labels), computed in float64."""
    shifted = np.exp(logits.astype(np.float64) - logits.max(axis=1, keepdims=True))
    probabilities: NDArray[np.float32] = (shifted / shifted.sum(axis=1, keepdims=True)).astype(np.float32)
    return probabilities


def _number(value: float) -> str:
    return f"{value:.9g}"  # nine digits keep a float32 exactly
