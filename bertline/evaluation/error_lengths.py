"""How far numbers are off, by the length of their text in tokens."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bertline.evaluation.exact import UNIT, exact_sums
from bertline.evaluation.lengths import length_ranges
from bertline.metrics import NORMAL_95


@dataclass(frozen=True)
class ErrorBin:
    """Rows of `low` to `high` tokens, both included."""

    low: int
    high: int
    rows: int
    mae: float
    reach: float | None  # the 95% interval of the mean absolute error is that far up and down; None for one row


@dataclass
class ErrorLengths:
    """For each length the number of rows, and exact sums of their absolute errors and those squared."""

    sums: dict[int, tuple[int, int, int]] = field(default_factory=dict)  # by tokens; in units of `exact_sums`

    def add(self, tokens: NDArray[np.integer], error: NDArray[np.float64]) -> None:
        """Count rows: tokens (rows,), special ones included and cut at the maximum, and absolute errors (rows,)."""
        lengths, place, counts = np.unique(tokens, return_inverse=True, return_counts=True)
        absolute, squared = (exact_sums(values, place, len(lengths)) for values in (error, error * error))
        for length, *sums in zip(lengths.tolist(), counts.tolist(), absolute, squared, strict=True):
            self._count(length, sums[0], sums[1], sums[2])

    def merge(self, later: "ErrorLengths") -> None:
        """As if the later rows had been added."""
        for length, sums in later.sums.items():
            self._count(length, *sums)

    def _count(self, length: int, rows: int, absolute: int, squared: int) -> None:
        before = self.sums.get(length, (0, 0, 0))
        self.sums[length] = before[0] + rows, before[1] + absolute, before[2] + squared

    def bins(self) -> list[ErrorBin]:
        """Ranges of lengths, as `length_ranges` cuts them."""
        rows = [self.sums.get(length, (0,))[0] for length in range(max(self.sums, default=-1) + 1)]
        return [self._bin(lengths) for lengths in length_ranges(rows)]

    def _bin(self, lengths: list[int]) -> ErrorBin:
        rows, absolute, squared = (sum(parts) for parts in zip(*(self.sums[n] for n in lengths), strict=True))
        reach = None
        if rows > 1:
            variance = (rows * squared * UNIT - absolute * absolute) / (rows * (rows - 1) * UNIT * UNIT)
            reach = NORMAL_95 * math.sqrt(max(0.0, variance) / rows)
        return ErrorBin(lengths[0], lengths[-1], rows, absolute / (rows * UNIT), reach)

    def state(self) -> dict[str, Any]:
        """JSON values, for `restored`; lengths in order, whichever came first."""
        return {str(length): [f"{part:x}" for part in sums] for length, sums in sorted(self.sums.items())}

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> "ErrorLengths":
        """Errors that go on from a `state`."""
        sums = {int(length): [int(part, 16) for part in parts] for length, parts in state.items()}
        return cls({length: (rows, absolute, squared) for length, (rows, absolute, squared) in sums.items()})
