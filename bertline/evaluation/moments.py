"""Sums over pairs of numbers, without rounding, and the correlation that follows from them."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bertline.evaluation.exact import UNIT, exact_product, exact_sums
from bertline.metrics import NORMAL_95

_NAMES = ("x", "y", "xx", "yy", "xy", "absolute", "square")


@dataclass
class Moments:
    """Pairs of true and predicted numbers: neither order nor pieces change what follows from them."""

    rows: int = 0
    sums: dict[str, int] = field(default_factory=lambda: dict.fromkeys(_NAMES, 0))  # in units of `exact_sums`

    def add(self, true: NDArray[np.float64], predicted: NDArray[np.float64]) -> None:
        """Count finite pairs (rows,), both within the range of float32."""
        self.rows += len(true)
        error = np.abs(predicted - true)
        values = {
            "x": (true,),
            "y": (predicted,),
            "xx": exact_product(true, true),
            "yy": exact_product(predicted, predicted),
            "xy": exact_product(true, predicted),
            "absolute": (error,),
            "square": (error * error,),
        }
        parts = [(place, part) for place, name in enumerate(_NAMES) for part in values[name]]
        groups = np.repeat([place for place, _ in parts], len(true))
        found = exact_sums(np.concatenate([part for _, part in parts]), groups, len(_NAMES))
        for name, total in zip(_NAMES, found, strict=True):
            self.sums[name] += total

    def merge(self, later: "Moments") -> None:
        """As if the later rows had been added."""
        self.rows += later.rows
        for name in _NAMES:
            self.sums[name] += later.sums[name]

    @property
    def pearson(self) -> float | None:
        """Pearson's correlation; None where one side is constant, or there are fewer than two rows."""
        covariance, spread_true, spread_predicted = self._spreads()
        if not spread_true or not spread_predicted:
            return None
        # Products of integers of thousands of bits, and one rounding at the end.
        size = min(1.0, math.sqrt(covariance * covariance / (spread_true * spread_predicted)))
        return size if covariance >= 0 else -size

    @property
    def concordance(self) -> float | None:
        """Lin's (1989), -1…1: 1 where all pairs are equal; an offset or a scale lowers it, as noise does.

        None for fewer than two rows: there is no spread to hold a difference against.
        """
        if self.rows < 2:
            return None
        covariance, spread_true, spread_predicted = self._spreads()
        apart = spread_true + spread_predicted + (self.sums["x"] - self.sums["y"]) ** 2
        return 2 * covariance / apart if apart else 1.0  # else all numbers are one

    def _spreads(self) -> tuple[int, int, int]:
        """Covariance, and the variances of the true and the predicted, all of them times rows² and UNIT²."""
        sums = self.sums
        return (
            self.rows * sums["xy"] * UNIT - sums["x"] * sums["y"],
            self.rows * sums["xx"] * UNIT - sums["x"] ** 2,
            self.rows * sums["yy"] * UNIT - sums["y"] ** 2,
        )

    @property
    def mae(self) -> float | None:
        """Mean absolute error; None for no rows."""
        return self.sums["absolute"] / (self.rows * UNIT) if self.rows else None

    @property
    def mse(self) -> float | None:
        """Mean squared error; None for no rows."""
        return self.sums["square"] / (self.rows * UNIT) if self.rows else None

    def state(self) -> dict[str, Any]:
        """JSON values, for `restored`."""
        return {"rows": self.rows} | {name: f"{total:x}" for name, total in self.sums.items()}

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> "Moments":
        """Moments that go on from a `state`."""
        return cls(int(state["rows"]), {name: int(state[name], 16) for name in _NAMES})


def pearson_interval(pearson: float, rows: int) -> tuple[float, float] | None:
    """95%, by Fisher's transformation (1921); None for fewer than four rows."""
    if rows < 4:
        return None
    if abs(pearson) == 1:
        return pearson, pearson
    reach = NORMAL_95 / math.sqrt(rows - 3)
    return math.tanh(math.atanh(pearson) - reach), math.tanh(math.atanh(pearson) + reach)


def concordance(true: NDArray[np.floating], predicted: NDArray[np.floating]) -> float | None:
    """Lin's, of pairs (rows,); None for fewer than two, or where one is no finite number."""
    if not (np.isfinite(true).all() and np.isfinite(predicted).all()):
        return None
    moments = Moments()
    moments.add(true.astype(np.float64), predicted.astype(np.float64))
    return moments.concordance


def spearman(true: NDArray[np.floating], predicted: NDArray[np.floating]) -> float | None:
    """Spearman's correlation, equal numbers sharing the mean of their ranks; None where one side is constant."""
    if len(true) < 2 or (true == true[0]).all() or (predicted == predicted[0]).all():
        return None
    ranks = np.stack([_ranks(true), _ranks(predicted)])
    ranks -= ranks.mean(axis=1, keepdims=True)
    covariance, spread_true, spread_predicted = (float(a @ b) for a, b in (ranks, ranks[[0, 0]], ranks[[1, 1]]))
    return max(-1.0, min(1.0, covariance / math.sqrt(spread_true * spread_predicted)))


def _ranks(values: NDArray[np.floating]) -> NDArray[np.float64]:
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    mean_rank: NDArray[np.float64] = np.cumsum(counts) - (counts - 1) / 2
    return mean_rank[place]
