"""What a few noisy figures allow to say: a mean and its interval."""

import math
from collections.abc import Sequence
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
