"""How well two ways to run a model do on the same labelled rows, by the one figure that its problem goes by."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bertline.evaluation.moments import Moments
from bertline.metrics import Counts, matthews, mcc_difference_interval
from bertline.problems import MultiLabel, Problem, Regression, SingleLabel

Logits = NDArray[np.float32]


class Quality(Protocol):
    """A running count over rows; `own` and `reference` are the two sides' figures, None before any row has a label."""

    metric: str  # its name in reports

    def add(self, labels: Sequence[Any], own: Logits, reference: Logits) -> None:
        """Count rows: values of the problem's parser, and both logits (rows, labels)."""

    @property
    def own(self) -> float | None: ...
    @property
    def reference(self) -> float | None: ...


def quality_of(problem: Problem) -> "SingleQuality | SeveralQuality | NumberQuality":
    """What counts for the problem."""
    if isinstance(problem, MultiLabel):
        return SeveralQuality(problem)
    if isinstance(problem, Regression):
        return NumberQuality(problem)
    assert isinstance(problem, SingleLabel)  # there are three
    return SingleQuality(problem)


@dataclass
class SingleQuality:
    """Matthews correlation of one label of several."""

    problem: SingleLabel
    metric: str = "mcc"
    _cells: Counter[tuple[int, int, int]] = field(default_factory=Counter)  # true, own, reference label ids

    def add(self, labels: Sequence[int], own: Logits, reference: Logits) -> None:
        decided = (self.problem.decide(logits).tolist() for logits in (own, reference))
        self._cells.update(zip(labels, *decided, strict=True))

    @property
    def own(self) -> float | None:
        return self._mcc(1)

    @property
    def reference(self) -> float | None:
        return self._mcc(2)

    @property
    def difference_interval(self) -> tuple[float, float] | None:
        """95%, by bootstrap; of own − reference."""
        return mcc_difference_interval(self._cells, len(self.problem.labels)) if self._cells else None

    def _mcc(self, side: int) -> float | None:
        if not self._cells:
            return None
        labels = len(self.problem.labels)
        confusion: Counts = np.zeros((labels, labels), np.int64)
        for cell, count in self._cells.items():
            confusion[cell[0], cell[side]] += count
        return matthews(confusion)


@dataclass
class SeveralQuality:
    """Micro F1 of any number of labels."""

    problem: MultiLabel
    metric: str = "micro_f1"
    _rows: int = 0
    _twice: Counts = field(default_factory=lambda: np.zeros(2, np.int64))  # twice the labels rightly given, by side
    _both: Counts = field(default_factory=lambda: np.zeros(2, np.int64))  # labels given, and those true

    def add(self, labels: Sequence[tuple[int, ...]], own: Logits, reference: Logits) -> None:
        true = self.problem.true(labels)
        self._rows += len(true)
        for side, logits in enumerate((own, reference)):
            given = self.problem.decide(logits)
            self._twice[side] += 2 * (true & given).sum()
            self._both[side] += true.sum() + given.sum()

    @property
    def own(self) -> float | None:
        return self._f1(0)

    @property
    def reference(self) -> float | None:
        return self._f1(1)

    def _f1(self, side: int) -> float | None:
        if not self._rows:
            return None
        return int(self._twice[side]) / int(self._both[side]) if self._both[side] else 0.0


@dataclass
class NumberQuality:
    """Pearson's correlation of numbers; None also where it is undefined, or a logit is no number."""

    problem: Regression
    metric: str = "pearson"
    _rows: int = 0
    _own: Moments = field(default_factory=Moments)
    _reference: Moments = field(default_factory=Moments)

    def add(self, labels: Sequence[float], own: Logits, reference: Logits) -> None:
        true = self.problem.true(labels)
        self._rows += len(true)
        for moments, logits in ((self._own, own), (self._reference, reference)):
            numbers = self.problem.decide(logits).astype(np.float64)
            known = np.isfinite(numbers)
            moments.add(true[known], numbers[known])

    @property
    def own(self) -> float | None:
        return self._own.pearson if self._own.rows == self._rows else None

    @property
    def reference(self) -> float | None:
        return self._reference.pearson if self._reference.rows == self._rows else None
