"""How something grows: exponents, the cost that is there at any size, and how far noise lets one tell.

A pass over all sizes is one repetition of the whole experiment. Each gives an exponent of its own, and an estimate is
their mean with Student's t interval: what slows the machine down for one pass widens it, while a curve that is no
power law does not, and shows in the slopes of its steps instead.
"""

from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from benchmarks.estimates import Estimate, estimate


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
