"""Exact counts of rows by score, from which the figures at every threshold follow."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bertline.metrics import Counts, accuracy, matthews

BINS = 1000
SHOWN = BINS // 100  # curves are shown, and stand in reports, at every tenth of their thresholds
_HALF = BINS // 2


class AtThreshold(NamedTuple):
    """Two labels: what a threshold other than 0.5 would give."""

    threshold: float  # the second label is predicted where its probability is above
    mcc: float
    accuracy: float


class Covered(NamedTuple):
    """Any labels: what is left when only rows of a higher probability are answered."""

    threshold: float
    coverage: float  # share of the rows whose predicted label has a probability above
    accuracy: float | None  # among them; None where there are none


@dataclass
class Scores:
    """Rows in two groups by score, counted in 1,000 bins; bin k holds what is above k/1000, up to (k + 1)/1000.

    Of two labels, the score is the probability of the second one, and the groups are the true labels; what is
    predicted is then a matter of the bin alone. Of more, the score is the probability of the predicted label, and the
    groups are wrong and right. Rows whose score is NaN are in no bin.
    """

    labels: int
    counts: Counts = field(default_factory=lambda: np.zeros((2, BINS), np.int64))

    def add(
        self, true: NDArray[np.integer], predicted: NDArray[np.integer], probabilities: NDArray[np.float64]
    ) -> None:
        """Count rows: label ids (rows,) twice, and probabilities (rows, labels)."""
        if self.labels == 2:
            score, group = probabilities[:, 1], true
        else:
            score, group = probabilities[np.arange(len(true)), predicted], true == predicted
        known = ~np.isnan(score)
        if not known.all():
            score, group, predicted = score[known], group[known], predicted[known]
        bins = np.clip(np.ceil(score * BINS).astype(np.int64) - 1, 0, BINS - 1)
        if self.labels == 2:  # 0.5 parts the rows as their logits do, also where rounding would not
            bins = np.where(predicted == 1, np.maximum(bins, _HALF), np.minimum(bins, _HALF - 1))
        self.counts += np.bincount(group * BINS + bins, minlength=2 * BINS).reshape(2, BINS)

    def histogram(self, bins: int) -> Counts:
        """Rows (2, bins) of each group in bins of equal width on [0, 1]; `bins` divides 1,000."""
        rows: Counts = self.counts.reshape(2, bins, -1).sum(axis=2)
        return rows

    @staticmethod
    def edges(bins: int) -> list[float]:
        """Where the bins of `histogram` begin and end."""
        return [number / bins for number in range(bins + 1)]

    def threshold_curve(self) -> list[AtThreshold]:
        """For two labels, MCC and accuracy at the thresholds 0.001…0.999: exact, from the counts on either side."""
        below = np.cumsum(self.counts, axis=1)[:, :-1]  # (2, 999) rows that are predicted as the first label
        above = self.counts.sum(axis=1, keepdims=True) - below
        confusions = np.stack([below, above]).transpose(2, 1, 0)  # (999, true, predicted)
        return [
            AtThreshold(number / BINS, matthews(confusion), accuracy(confusion))
            for number, confusion in enumerate(confusions, 1)
        ]

    def coverage_curve(self) -> list[Covered]:
        """For any but two labels, coverage and accuracy at the thresholds 0…0.999: exact as well."""
        above = np.cumsum(self.counts[:, ::-1], axis=1)[:, ::-1]  # (2, 1000) wrong and right rows from each bin on
        rows = max(1, int(self.counts.sum()))
        return [
            Covered(number / BINS, (wrong + right) / rows, right / (wrong + right) if wrong + right else None)
            for number, (wrong, right) in enumerate(above.T.tolist())
        ]


def best_of(curve: list[AtThreshold]) -> AtThreshold:
    """The threshold of the highest MCC; of several the one nearest to 0.5, and of two such the lower."""
    return min(curve, key=lambda point: (-point.mcc, abs(round(point.threshold * BINS) - _HALF), point.threshold))
