"""How something grows: exponents, the cost that is there at any size, and how far noise lets one tell.

A pass over all sizes is one repetition of the whole experiment. Each gives an exponent of its own, and an estimate is
their mean with Student's t interval: what slows the machine down for one pass widens it, while a curve that is no
power law does not, and shows in the slopes of its steps instead.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

CONFIDENCE = 0.95
_ANGLES = 20_001


@dataclass(frozen=True)
class Estimate:
    """A mean over passes and its interval of 95%, which is endless where there was one pass."""

    value: float
    low: float
    high: float

    def __str__(self) -> str:
        if math.isinf(self.high):
            return f"{self.value:.3f}, of one pass"
        return f"{self.value:.3f} [{self.low:.3f}, {self.high:.3f}]"


def estimate(values: Sequence[float] | NDArray[np.float64], intervals: int = 1) -> Estimate:
    """Of one value a pass; where `intervals` are looked at together, all of them hold with 95% (Bonferroni)."""
    passes, mean = len(values), float(np.mean(values))
    if passes < 2:
        return Estimate(mean, -math.inf, math.inf)
    half = float(np.std(values, ddof=1)) / math.sqrt(passes)
    half *= t_quantile(1 - (1 - CONFIDENCE) / 2 / intervals, passes - 1)
    return Estimate(mean, mean - half, mean + half)


@cache
def t_quantile(probability: float, freedom: int) -> float:
    """Of Student's distribution. With t = √f·tan θ its density is cos θ to the power of f-1, on -π/2…π/2."""
    angle = np.linspace(-math.pi / 2, math.pi / 2, _ANGLES)
    density = np.cos(angle).clip(0) ** (freedom - 1)
    below = np.concatenate([[0], np.cumsum(density[1:] + density[:-1])])
    return math.sqrt(freedom) * math.tan(float(np.interp(probability, below / below[-1], angle)))


def exponent(sizes: Sequence[float], figures: NDArray[np.float64]) -> Estimate:
    """Of the power law through `figures` (sizes, passes) float64, by least squares of the logarithms."""
    slopes = np.polyfit(np.log(sizes), np.log(figures), 1)[0]  # (passes,)
    return estimate(slopes)


def local_slopes(sizes: Sequence[float], figures: NDArray[np.float64]) -> list[Estimate]:
    """The exponent of each step from a size to the next, for `figures` (sizes, passes) float64."""
    slopes = np.diff(np.log(figures), axis=0) / np.diff(np.log(sizes))[:, None]
    return [estimate(step, len(slopes)) for step in slopes]


def fixed_and_each(sizes: Sequence[float], seconds: NDArray[np.float64]) -> tuple[Estimate, Estimate]:
    """a and b of seconds = a + b·size, for `seconds` (sizes, passes) float64, by least squares of relative errors."""
    parts = coefficients([np.ones(len(sizes)), np.array(sizes, np.float64)], seconds)
    return estimate(parts[0]), estimate(parts[1])


def coefficients(terms: Iterable[NDArray[np.float64]], figures: NDArray[np.float64]) -> NDArray[np.float64]:
    """(terms, passes): what each term (sizes,) counts for in `figures` (sizes, passes), relative errors the least."""
    columns = np.stack(list(terms), axis=1)
    solved = [np.linalg.lstsq(columns / one[:, None], np.ones(len(one)))[0] for one in figures.T]
    return np.stack(solved, axis=1)
