"""How near a model's numbers come to the true ones, in bounded memory."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bertline.evaluation.error_lengths import ErrorLengths
from bertline.evaluation.mistakes import DIGITS, Mistakes, Place, Text
from bertline.evaluation.moments import Moments, pearson_interval, spearman
from bertline.evaluation.packing import packed, unpacked
from bertline.metrics import in_words

MAX_ROWS_RANKED = 131_072  # ranks need the numbers themselves: a longer file must not grow the memory


@dataclass
class RegressionEvaluation:
    """Metrics of a stream of labelled rows: feed it with `add`, in order.

    As with `Evaluation`, how the rows are cut into pieces changes nothing: all sums are exact. Correlations are None
    where one side is constant, and all figures where there are no rows or a prediction is no number.
    """

    labels: tuple[str, ...]  # the number's one name
    rows: int = field(default=0, init=False)
    moments: Moments = field(default_factory=Moments, init=False)  # of the rows whose prediction is a number
    lengths: ErrorLengths = field(default_factory=ErrorLengths, init=False)
    mistakes: Mistakes = field(default_factory=lambda: Mistakes("error"), init=False)
    true: NDArray[np.float64] = field(default_factory=lambda: np.zeros(0), init=False)  # of the first 131,072 rows
    predicted: NDArray[np.float32] = field(default_factory=lambda: np.zeros(0, np.float32), init=False)  # of the same

    def add(
        self,
        true: NDArray[np.floating],
        logits: NDArray[np.floating],
        tokens: NDArray[np.integer],
        texts: Sequence[Text],
        place: Place = lambda row: (None, None),
    ) -> None:
        """Count rows: true numbers (rows,) within float32's range, logits (rows, 1), tokens (rows,) and texts.

        `place` gives file and line of the row at an index of these.
        """
        expected, predicted = true.astype(np.float64), logits[:, 0].astype(np.float32).astype(np.float64)
        first, known = self.rows + 1, np.isfinite(predicted)
        error = np.abs(predicted - expected)
        self.rows += len(expected)
        self.moments.add(expected[known], predicted[known])
        self.lengths.add(tokens[known], error[known])
        room = MAX_ROWS_RANKED - len(self.true)
        if room:
            self.true = np.concatenate([self.true, expected[:room]])
            self.predicted = np.concatenate([self.predicted, predicted[:room].astype(np.float32)])
        weights = np.where(known & (error > 0), significant(error, DIGITS), np.nan)
        self.mistakes.add(first, weights, lambda row: (float(expected[row]), float(predicted[row])), texts, place)

    def finish(self) -> None:
        """Nothing is left open here, as a batch is in `Evaluation`."""

    def merge(self, later: "RegressionEvaluation") -> None:
        """As if the rows of `later`, an evaluation of the same problem, had been added behind."""
        self.mistakes.merge(later.mistakes, self.rows)
        self.rows += later.rows
        self.moments.merge(later.moments)
        self.lengths.merge(later.lengths)
        self.true = np.concatenate([self.true, later.true])[:MAX_ROWS_RANKED]
        self.predicted = np.concatenate([self.predicted, later.predicted])[:MAX_ROWS_RANKED]

    def state(self) -> dict[str, Any]:
        """All that was counted, as JSON values, for `restore`."""
        return {
            "rows": self.rows,
            "moments": self.moments.state(),
            "lengths": self.lengths.state(),
            "mistakes": self.mistakes.state(),
            "true": packed(self.true, "<f8"),
            "predicted": packed(self.predicted, "<f4"),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state`; ValueError, KeyError or TypeError where it is none of this problem."""
        self.rows, self.moments = int(state["rows"]), Moments.restored(state["moments"])
        self.lengths = ErrorLengths.restored(state["lengths"])
        self.mistakes.restore(state["mistakes"])
        self.true, self.predicted = unpacked(state["true"], "<f8"), unpacked(state["predicted"], "<f4")

    @property
    def unscored(self) -> int:
        """Rows whose prediction is no number."""
        return self.rows - self.moments.rows

    @property
    def pearson(self) -> float | None:
        return None if self.unscored else self.moments.pearson

    @property
    def pearson_interval(self) -> tuple[float, float] | None:
        """95%, Fisher's."""
        return None if self.pearson is None else pearson_interval(self.pearson, self.rows)

    @property
    def spearman(self) -> float | None:
        """Of the first 131,072 rows."""
        return None if self.unscored else spearman(self.true, self.predicted)

    @property
    def mse(self) -> float | None:
        return None if self.unscored else self.moments.mse

    @property
    def mae(self) -> float | None:
        return None if self.unscored else self.moments.mae

    @property
    def main_metric(self) -> tuple[str, float | None]:
        """The figure to go by, with its name in `to_json`."""
        return "pearson", self.pearson

    def summary(self) -> str:
        """One line: rows, Pearson and Spearman correlation, mean absolute error."""
        return (
            f"{self.rows:,} rows, Pearson {in_words(self.pearson)}, Spearman {in_words(self.spearman)}, "
            f"mean absolute error {in_words(self.mae, '.4g')}"
        )

    def to_json(self) -> dict[str, object]:
        """The `metrics` of a report."""
        interval = self.pearson_interval
        return {
            "rows": self.rows,
            "unscored": self.unscored,
            "pearson": self.pearson,
            "pearson_interval": list(interval) if interval else None,
            "spearman": self.spearman,
            "spearman_rows": len(self.true),
            "mse": self.mse,
            "mae": self.mae,
            "labels": list(self.labels),
            "error_by_length": [asdict(part) for part in self.lengths.bins()],
            "largest_errors": self.mistakes.state(),
        }


def significant(values: NDArray[np.float64], digits: int) -> NDArray[np.float64]:
    """The values, 0 or more, rounded to so many significant decimal digits."""
    with np.errstate(divide="ignore", invalid="ignore"):
        exponent = np.floor(np.log10(values))
        scale = 10.0 ** (digits - 1 - np.where(np.isfinite(exponent), exponent, 0.0))
        rounded: NDArray[np.float64] = np.round(values * scale) / scale
    return rounded
