"""Comparisons: a difference that the spread exceeds is refused."""

import numpy as np

from benchmarks.comparison import compare_passes, compare_quartiles


def test_passes_are_compared_pair_by_pair() -> None:
    comparison = compare_passes([1.0, 2.0, 1.0], [2.0, 4.0, 2.2])  # the second pass was slow for both
    assert comparison.ratio == 2.0 and comparison.decided and str(comparison) == "2.00"


def test_equal_speed_within_the_interval_is_refused() -> None:
    comparison = compare_passes([1.0, 1.0, 1.0, 1.0], [0.9, 1.2, 0.95, 1.1])
    assert not comparison.decided and str(comparison) == "(1.02)"


def test_one_pass_decides_nothing() -> None:
    assert str(compare_passes([1.0], [1.5])) == "(1.50)"
    assert str(compare_passes([1.0, 1.0, 1.0], [4.0])) == "(4.00)"


def test_two_that_are_equally_fast_are_told_apart_in_one_of_twenty_trials() -> None:
    random = np.random.default_rng(0)
    trials = [compare_passes(*random.lognormal(0, 0.05, (2, 5)).tolist()).decided for _ in range(2000)]
    assert 0.03 < np.mean(trials) < 0.07


def test_quartiles_that_overlap_are_refused_and_others_are_not() -> None:
    assert not compare_quartiles((0.9, 1.0, 1.2), (1.1, 1.3, 1.5)).decided
    assert compare_quartiles((0.9, 1.0, 1.05), (1.1, 1.3, 1.5)).decided
