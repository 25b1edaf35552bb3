"""Right and wrong rows by the length of their text in tokens."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass, field

import numpy as np
from numpy.typing import NDArray

from bertline.metrics import Counts, wilson_interval

MAX_BINS = 8
MIN_ROWS = 30  # of a bin: fewer say little


@dataclass(frozen=True)
class LengthBin:
    """Rows of `low` to `high` tokens, both included."""

    low: int
    high: int
    rows: int
    right: int

    @property
    def accuracy(self) -> float:
        return self.right / self.rows

    @property
    def interval(self) -> tuple[float, float]:
        """95%, Wilson's."""
        return wilson_interval(self.right, self.rows)

    def to_json(self) -> dict[str, object]:
        """For a report."""
        return {**asdict(self), "accuracy": self.accuracy, "interval": list(self.interval)}


@dataclass
class Lengths:
    """Exact counts for each length; there are as many as the longest row has tokens."""

    counts: Counts = field(default_factory=lambda: np.zeros((1, 2), np.int64))  # (longest + 1, wrong and right)

    def add(self, tokens: NDArray[np.integer], right: NDArray[np.bool_]) -> None:
        """Count rows: tokens (rows,), special ones included and cut at the maximum, and whether the answer is right."""
        found = np.bincount(tokens.astype(np.int64) * 2 + right, minlength=self.counts.size)
        counts = np.zeros((-(-len(found) // 2), 2), np.int64)
        counts.reshape(-1)[: len(found)] = found
        counts[: len(self.counts)] += self.counts
        self.counts = counts

    def merge(self, later: "Lengths") -> None:
        """As if the later rows had been added."""
        longer, shorter = sorted((self.counts, later.counts), key=len, reverse=True)
        self.counts = longer.copy()
        self.counts[: len(shorter)] += shorter

    def bins(self) -> list[LengthBin]:
        """Ranges of lengths, as `length_ranges` cuts them."""
        return [self._bin(lengths) for lengths in length_ranges(self.counts.sum(axis=1).tolist())]

    def _bin(self, lengths: list[int]) -> LengthBin:
        wrong, right = self.counts[lengths].sum(axis=0).tolist()
        return LengthBin(lengths[0], lengths[-1], wrong + right, right)


def length_ranges(rows: Sequence[int]) -> list[list[int]]:
    """At most 8 ranges of neighbouring lengths, each of about an eighth of the rows and no fewer than 30.

    `rows` of each length, from 0 on; lengths without a row are in no range. Fewer rows than 30 are one range.
    """
    wanted = max(MIN_ROWS, -(-sum(rows) // MAX_BINS))
    ranges: list[list[int]] = [[]]
    left, held = sum(rows), 0
    for length, count in enumerate(rows):
        if not count:
            continue
        ranges[-1].append(length)
        held += count
        left -= count
        if held >= wanted and left >= max(MIN_ROWS, wanted // 2):  # else the last ones join this range
            ranges.append([])
            held = 0
    return [lengths for lengths in ranges if lengths]
