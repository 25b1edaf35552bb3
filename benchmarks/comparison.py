"""How many times as fast one way is as another, and whether that can be told from noise."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Comparison:
    """A ratio of speeds: the median, and where the middle half of what was measured lies."""

    ratio: float
    low: float
    high: float

    @property
    def decided(self) -> bool:
        """Whether one is faster: False where equal speed lies within the middle half, for then the spread exceeds the
        difference."""
        return not self.low <= 1 <= self.high

    def __str__(self) -> str:
        """The ratio; in brackets where the comparison is refused."""
        return f"{self.ratio:.2f}" if self.decided else f"({self.ratio:.2f})"


def compare_passes(own: Sequence[float], other: Sequence[float]) -> Comparison:
    """From seconds of passes that took turns: the two of each pass ran within the same minute, so that what slows down
    the whole machine falls out.
    """
    passes = min(len(own), len(other))  # the last one may have been interrupted
    ratios = np.array(other[:passes]) / np.array(own[:passes])
    low, ratio, high = map(float, np.percentile(ratios, [25, 50, 75]))
    return Comparison(ratio, low, high)


def compare_quartiles(own: tuple[float, float, float], other: tuple[float, float, float]) -> Comparison:
    """From 25th, 50th and 75th percentiles of two times that were not taken in pairs: the widest that these allow."""
    return Comparison(other[1] / own[1], other[0] / own[2], other[2] / own[0])
