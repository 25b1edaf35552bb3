"""Sums of floating-point numbers without any rounding, so that neither order nor pieces change them."""

import numpy as np
from numpy.typing import NDArray

UNIT_BITS = 1126  # sums are integers in units of 2**-1126, of which every float64 is a multiple
UNIT = 2**UNIT_BITS  # units in 1
_HALF_BITS = 26
_SPLIT = 2.0**27 + 1


def exact_sums(values: NDArray[np.float64], groups: NDArray[np.integer], count: int) -> list[int]:
    """The sum of each of `count` groups, in units of 2**-1126: finite `values` (rows,), of which group (rows,).

    Mantissas of one exponent are summed as integers, in two halves that leave room for 2**36 rows (the idea of
    Kulisch's accumulator).
    """
    mantissa, exponent = np.frexp(values)
    digits = np.ldexp(mantissa, 53).astype(np.int64)  # the value is digits · 2**(exponent - 53)
    found, place = np.unique(groups.astype(np.int64) * 4096 + (exponent + 1073), return_inverse=True)
    high, low = np.zeros((2, len(found)), np.int64)
    np.add.at(high, place, digits >> _HALF_BITS)
    np.add.at(low, place, digits & (2**_HALF_BITS - 1))
    totals = [0] * count
    for key, upper, lower in zip(found.tolist(), high.tolist(), low.tolist(), strict=True):
        group, shift = divmod(key, 4096)
        totals[group] += ((upper << _HALF_BITS) + lower) << shift
    return totals


def exact_product(a: NDArray[np.float64], b: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Two numbers that sum to a · b exactly, where nothing over- or underflows (Dekker 1971)."""
    product = a * b
    (a_high, a_low), (b_high, b_low) = _halves(a), _halves(b)
    error = ((a_high * b_high - product) + a_high * b_low + a_low * b_high) + a_low * b_low
    return product, error


def _halves(values: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    scaled = _SPLIT * values
    high = scaled - (scaled - values)
    return high, values - high
