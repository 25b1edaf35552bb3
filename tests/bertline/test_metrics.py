"""Metrics are scikit-learn's, on anything that can happen."""

from collections import Counter

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, matthews_corrcoef

from bertline.metrics import (
    accuracy,
    confusion_matrix,
    matthews,
    mcc_difference_interval,
    mcc_interval,
    softmax,
    wilson_interval,
)


@pytest.mark.filterwarnings("ignore:A single label was found")
@pytest.mark.parametrize("labels", [2, 3, 5])
def test_random_labels_give_scikit_learns_figures(labels: int) -> None:
    generator = np.random.default_rng(labels)
    for rows in (1, 2, 3, 10, 500):
        for skew in (0.0, 0.8, 1.0):  # 1.0: one side knows a single label, so a denominator is zero
            true = generator.integers(0, labels, rows)
            predicted = np.where(generator.random(rows) < skew, labels - 1, generator.integers(0, labels, rows))
            for left, right in ((true, predicted), (predicted, true), (true, true)):
                counts = confusion_matrix(left, right, labels)
                assert matthews(counts) == pytest.approx(matthews_corrcoef(left, right), abs=1e-12)
                assert accuracy(counts) == pytest.approx(accuracy_score(left, right), abs=1e-12)


def test_a_zero_denominator_and_no_rows_give_zero() -> None:
    for counts in ([[0, 0], [0, 0]], [[7, 0], [0, 0]], [[3, 0], [4, 0]], [[3, 4], [0, 0]]):
        assert matthews(np.array(counts)) == 0.0
    assert accuracy(np.zeros((2, 2), np.int64)) == 0.0


def test_counts_whose_products_overflow_64_bits_are_right() -> None:
    small = np.array([[30, 10], [20, 40]])
    assert matthews(small * 10**16) == pytest.approx(matthews(small), abs=1e-12)
    assert matthews(np.diag([2**60, 2**60])) == 1.0


def test_rows_of_the_matrix_are_true_labels() -> None:
    assert confusion_matrix(np.array([0, 0, 1]), np.array([1, 1, 0]), 2).tolist() == [[0, 2], [1, 0]]


@pytest.mark.parametrize(("labels", "rows"), [(2, 300), (2, 40), (4, 200)])
def test_the_interval_of_an_mcc_is_that_of_rows_drawn_one_by_one(labels: int, rows: int) -> None:
    generator = np.random.default_rng(rows)
    true, guess = generator.integers(0, labels, (2, rows))
    predicted = np.where(generator.random(rows) < 0.6, true, guess)
    confusion = confusion_matrix(true, predicted, labels)
    interval = mcc_interval(confusion)
    drawn = generator.integers(0, rows, (2000, rows))  # as the textbook has it
    values = [matthews(confusion_matrix(true[draw], predicted[draw], labels)) for draw in drawn]
    assert interval is not None and np.allclose(interval, np.percentile(values, [2.5, 97.5]), atol=0.03)
    assert interval == mcc_interval(confusion), "the seed is fixed"
    assert interval[0] < matthews(confusion) < interval[1]


@pytest.mark.parametrize("counts", [[[0, 0], [0, 0]], [[1, 0], [0, 0]], [[7, 3], [0, 0]], [[7, 0], [3, 0]]])
def test_an_mcc_that_is_0_by_definition_has_no_interval(counts: list[list[int]]) -> None:
    assert mcc_interval(np.array(counts)) is None


def test_the_interval_is_sensible_where_there_is_little_or_much() -> None:
    assert mcc_interval(np.array([[5, 0], [0, 5]])) == (1.0, 1.0)
    few, many = mcc_interval(np.array([[1, 1], [1, 2]])), mcc_interval(np.array([[4, 1], [1, 4]]) * 10**9)
    assert few is not None and few[0] < 0 < few[1]
    assert many is not None and many == pytest.approx((0.6, 0.6), abs=1e-4)
    assert mcc_interval(np.diag(np.full(200, 3))) is not None  # 40,000 cells: drawn in parts


def test_wilsons_interval_holds_the_share_and_is_no_point_at_its_ends() -> None:
    assert wilson_interval(8, 10) == pytest.approx((0.490, 0.943), abs=1e-3)
    assert wilson_interval(0, 0) == (0.0, 1.0)
    for right, rows in ((0, 1), (1, 1), (0, 50), (50, 50), (10**9, 10**9), (1, 3)):
        low, high = wilson_interval(right, rows)
        assert 0 <= low <= right / rows <= high <= 1 and low < high


def test_probabilities_sum_to_one_and_a_row_that_is_no_number_stays_one() -> None:
    logits = np.array([[1e30, -1e30], [3, 3], [-500, -501], [np.nan, 1], [np.inf, 1]], np.float32)
    probabilities = softmax(logits)
    assert probabilities.dtype == np.float64
    assert probabilities[:3] == pytest.approx(np.array([[1, 0], [0.5, 0.5], [1 / (1 + np.exp(-1)), 1 / (1 + np.e)]]))
    assert np.isnan(probabilities[3:]).all()


def test_the_interval_of_an_mcc_difference_is_the_bootstraps() -> None:
    generator = np.random.default_rng(1)
    true, reference = generator.integers(0, 2, (2, 300))
    own = np.where(generator.random(300) < 0.1, 1 - reference, reference)
    rows = Counter(zip(true.tolist(), own.tolist(), reference.tolist(), strict=True))
    low, high = mcc_difference_interval(rows, 2)
    drawn = generator.integers(0, 300, (1000, 300))  # row by row, as the textbook has it
    differences = [matthews_corrcoef(true[d], own[d]) - matthews_corrcoef(true[d], reference[d]) for d in drawn]
    assert np.allclose([low, high], np.percentile(differences, [2.5, 97.5]), atol=0.02)
    assert mcc_difference_interval(rows, 2) == (low, high)
    assert mcc_difference_interval(Counter({(0, 0, 0): 5, (1, 1, 1): 5}), 2) == (0.0, 0.0)
