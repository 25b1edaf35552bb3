"""Fits on figures whose law is known: exact without noise, and within their intervals with it."""

import math

import numpy as np
import pytest

from benchmarks.estimates import estimate, t_quantile
from benchmarks.scale.fit import coefficients, exponent, fixed_and_each, local_slopes

SIZES = [1e3, 1e4, 1e5, 1e6]
ROWS = np.array(SIZES)


def passes(figures: np.ndarray, count: int = 3) -> np.ndarray:
    """The same figures in each pass, one of them of a slower machine: (sizes, passes)."""
    return figures[:, None] * np.linspace(1, 2, count)


@pytest.mark.parametrize("power", [0.0, 1.0, 1.5, 2.0])
def test_a_power_law_comes_back_exactly_however_fast_the_machine_was_in_a_pass(power: float) -> None:
    found = exponent(SIZES, passes(3e-6 * ROWS**power))
    assert (found.value, found.low, found.high) == pytest.approx((power, power, power), abs=1e-9)
    slopes = local_slopes(SIZES, passes(3e-6 * ROWS**power))
    assert [slope.value for slope in slopes] == pytest.approx([power] * 3)


def test_a_kink_is_in_the_step_that_has_it() -> None:
    seconds = np.array([1.0, 10.0, 100.0, 100.0 * 10**1.4])
    slopes = local_slopes(SIZES, passes(seconds))
    assert [slope.value for slope in slopes] == pytest.approx([1.0, 1.0, 1.4])
    assert slopes[1].high < 1.001 and slopes[2].low > 1.399


def test_what_a_run_costs_is_told_apart_from_what_a_row_costs() -> None:
    fixed, each = fixed_and_each(SIZES, 0.25 + 1e-4 * ROWS[:, None] * np.ones(3))
    assert (fixed.value, each.value) == pytest.approx((0.25, 1e-4))
    lengths = np.array([8.0, 64.0, 512.0])
    found = coefficients([lengths, lengths**2], (3 * lengths + 0.5 * lengths**2)[:, None] * np.ones(2))
    assert found == pytest.approx(np.array([[3.0, 3.0], [0.5, 0.5]]))


@pytest.mark.parametrize(
    ("probability", "freedom", "quantile"),
    [(0.975, 1, 12.706), (0.975, 2, 4.303), (0.975, 4, 2.776), (0.975, 1000, 1.962), (0.995, 2, 9.925), (0.5, 3, 0)],
)
def test_quantiles_are_those_of_the_tables(probability: float, freedom: int, quantile: float) -> None:
    assert t_quantile(probability, freedom) == pytest.approx(quantile, abs=2e-3)


def test_intervals_hold_the_truth_as_often_as_they_say() -> None:
    random = np.random.default_rng(42)
    noisy = [exponent(SIZES, ROWS[:, None] * np.exp(random.normal(0, 0.1, (4, 3)))) for _ in range(1000)]
    assert 0.93 < np.mean([found.low <= 1 <= found.high for found in noisy]) < 0.97
    steps = [local_slopes(SIZES, ROWS[:, None] * np.exp(random.normal(0, 0.1, (4, 3)))) for _ in range(1000)]
    assert np.mean([all(step.low <= 1 <= step.high for step in several) for several in steps]) > 0.94


def test_one_pass_has_an_endless_interval() -> None:
    found = estimate([1.0])
    assert (found.low, found.high, str(found)) == (-math.inf, math.inf, "1.000, of one pass")
    assert str(estimate([1.0, 1.0])) == "1.000 [1.000, 1.000]"
