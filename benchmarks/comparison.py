"""How many times as fast one way is as another, and whether that can be told from noise."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from benchmarks.estimates import estimate

SAME_ANSWERS = 1e-3  # max |Δlogit| between two ways that are both exact


@dataclass(frozen=True)
class Comparison:
    """A ratio of speeds, and the range in which it may as well lie; that is endless where there was one pass."""

    ratio: float
    low: float
    high: float

    @property
    def decided(self) -> bool:
        """Whether one is faster. False where equal speed lies in the range: the spread exceeds the difference."""
        return not self.low <= 1 <= self.high

    def __str__(self) -> str:
        """The ratio; in brackets where the comparison is refused."""
        return f"{self.ratio:.2f}" if self.decided else f"({self.ratio:.2f})"


def compare_passes(own: Sequence[float], other: Sequence[float]) -> Comparison:
    """From seconds of passes that took turns: the median ratio, and Student's 95% interval of its logarithm.

    The two of each pass ran within the same minute, so that what slows down the whole machine falls out.
    """
    passes = min(len(own), len(other))  # the last one may have been interrupted
    ratios = np.array(other[:passes]) / np.array(own[:passes])
    logarithm = estimate(np.log(ratios))
    low, high = (math.exp(end) if end < math.inf else end for end in (logarithm.low, logarithm.high))
    return Comparison(float(np.median(ratios)), low, high)


def compare_quartiles(own: tuple[float, float, float], other: tuple[float, float, float]) -> Comparison:
    """From 25th, 50th and 75th percentiles of two times that were not taken in pairs: the widest that these allow."""
    return Comparison(other[1] / own[1], other[0] / own[2], other[2] / own[0])
