"""Exact counts of rows by score, from which the figures at every threshold follow."""

from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from bertline.metrics import Counts, accuracy, f1, matthews

BINS = 1000
HISTOGRAM_BINS = 20  # that a report shows
SHOWN = BINS // 100  # curves are shown, and stand in reports, at every tenth of their thresholds
_HALF = BINS // 2
_EDGES = np.arange(BINS + 1) / BINS  # compared as thresholds are: what is above one here is above it everywhere


class AtThreshold(NamedTuple):
    """A label that is given or not: what a threshold other than 0.5 would give."""

    threshold: float  # the label, of two the second, is given where its probability is above
    mcc: float
    accuracy: float
    f1: float  # of that label


class Covered(NamedTuple):
    """Any labels: what is left when only rows of a higher probability are answered."""

    threshold: float
    coverage: float  # share of the rows whose predicted label has a probability above
    accuracy: float | None  # among them; None where there are none


@dataclass
class Scores:
    """Rows in two groups by score, counted in 1,000 bins; bin k holds what is above k/1000, up to (k + 1)/1000.

    Of two labels, the score is the probability of the second one, and the groups are the true labels; what is
    predicted is then a matter of the bin alone. So it is of one label among those that a row may have. Of more labels,
    the score is the probability of the predicted one, and the groups are wrong and right. Rows whose score is NaN are
    in no bin.
    """

    counts: Counts = field(default_factory=lambda: np.zeros((2, BINS), np.int64))

    def add(
        self,
        score: NDArray[np.float64],
        group: NDArray[np.integer] | NDArray[np.bool_],
        above_half: NDArray[np.bool_] | None = None,
    ) -> None:
        """Count rows: scores (rows,) and groups (rows,), 0 or 1.

        `above_half` (rows,) says on which side of 0.5 the logits put them, also where rounding would not.
        """
        known = ~np.isnan(score)
        if not known.all():
            score, group = score[known], group[known]
            above_half = None if above_half is None else above_half[known]
        bins = np.maximum(np.searchsorted(_EDGES, score) - 1, 0)
        if above_half is not None:
            bins = np.where(above_half, np.maximum(bins, _HALF), np.minimum(bins, _HALF - 1))
        self.counts += np.bincount(group.astype(np.int64) * BINS + bins, minlength=2 * BINS).reshape(2, BINS)

    def merge(self, later: "Scores") -> None:
        """As if the later rows had been added."""
        self.counts = self.counts + later.counts

    @classmethod
    def restored(cls, counts: list[list[int]]) -> "Scores":
        """Scores that go on from such counts; ValueError or TypeError where they are none."""
        return cls(np.array(counts, np.int64).reshape(2, BINS))

    def histogram(self, bins: int) -> Counts:
        """Rows (2, bins) of each group in bins of equal width on [0, 1]; `bins` divides 1,000."""
        rows: Counts = self.counts.reshape(2, bins, -1).sum(axis=2)
        return rows

    @staticmethod
    def edges(bins: int) -> list[float]:
        """Where the bins of `histogram` begin and end."""
        return [number / bins for number in range(bins + 1)]

    def threshold_curve(self) -> list[AtThreshold]:
        """For two labels, the figures at the thresholds 0.001…0.999: exact, from the counts on either side."""
        below = np.cumsum(self.counts, axis=1)[:, :-1]  # (2, 999) rows that are predicted as the first label
        above = self.counts.sum(axis=1, keepdims=True) - below
        confusions = np.stack([below, above]).transpose(2, 1, 0)  # (999, true, predicted)
        return [
            AtThreshold(number / BINS, matthews(confusion), accuracy(confusion), f1(confusion))
            for number, confusion in enumerate(confusions, 1)
        ]

    def at(self, threshold: float) -> Counts:
        """Counts (2, 2) at one of those thresholds: true groups by what is given, not or so."""
        place = round(threshold * BINS)
        return np.stack([self.counts[:, :place].sum(axis=1), self.counts[:, place:].sum(axis=1)], axis=1)

    def f1_curve(self) -> NDArray[np.float64]:
        """F1 (999,) of the label at the thresholds 0.001…0.999: exact, as those of `threshold_curve`."""
        above = self.counts.sum(axis=1, keepdims=True) - np.cumsum(self.counts, axis=1)[:, :-1]
        both = above.sum(axis=0) + self.counts[1].sum()
        curve: NDArray[np.float64] = np.divide(2 * above[1], both, out=np.zeros(BINS - 1), where=both > 0)
        return curve

    def best_f1(self) -> tuple[float, float]:
        """The threshold of the highest F1, by the rule of `best_of`, and that F1; 0.5 where rows have one side only."""
        curve = self.f1_curve()
        # Where every row has the label, the lowest threshold would be best, and decide nothing.
        place = _best_place(curve) if self.counts.sum(axis=1).all() else _HALF - 1
        return (place + 1) / BINS, float(curve[place])

    def coverage_curve(self) -> list[Covered]:
        """For any but two labels, coverage and accuracy at the thresholds 0…0.999: exact as well."""
        above = np.cumsum(self.counts[:, ::-1], axis=1)[:, ::-1]  # (2, 1000) wrong and right rows from each bin on
        rows = max(1, int(self.counts.sum()))
        return [
            Covered(number / BINS, (wrong + right) / rows, right / (wrong + right) if wrong + right else None)
            for number, (wrong, right) in enumerate(above.T.tolist())
        ]


def best_of(curve: list[AtThreshold], metric: str = "mcc") -> AtThreshold:
    """Of a whole curve the point of the highest MCC, accuracy or F1; of several the nearest to 0.5, then the lower."""
    return curve[_best_place(np.array([getattr(point, metric) for point in curve]))]


def _best_place(figures: NDArray[np.float64]) -> int:
    """Of figures (999,) at the thresholds in order, the index of the highest, by the rule of `best_of`."""
    places = np.flatnonzero(figures == figures.max())
    return int(places[np.abs(places - (_HALF - 1)).argmin()])
