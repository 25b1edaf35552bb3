"""Metrics are scikit-learn's, on anything that can happen."""

from collections import Counter

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, matthews_corrcoef

from bertline.metrics import (
    MAX_BATCHES_KEPT,
    Evaluation,
    accuracy,
    confusion_matrix,
    matthews,
    mcc_difference_interval,
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


def test_a_stream_gives_the_same_in_any_pieces() -> None:
    generator = np.random.default_rng(3)
    true, predicted = generator.integers(0, 2, (2, 1000))
    whole = Evaluation(("0", "1"))
    whole.add(true, predicted)
    pieces, start = Evaluation(("0", "1")), 0
    while start < 1000:
        end = start + int(generator.integers(1, 90))
        pieces.add(true[start:end], predicted[start:end])
        start = end
    whole.finish()
    pieces.finish()
    assert whole.to_json() == pieces.to_json()
    assert whole.rows == 1000
    batches = [matthews_corrcoef(true[i : i + 32], predicted[i : i + 32]) for i in range(0, 1000, 32)]
    assert whole.batch_mcc == pytest.approx(batches, abs=1e-12)


def test_a_long_stream_keeps_a_bounded_number_of_batches() -> None:
    evaluation = Evaluation(("0", "1"))
    zeros = np.zeros(32 * MAX_BATCHES_KEPT + 77, np.int64)
    evaluation.add(zeros, zeros)
    assert evaluation.state()["open"] == [[], []]  # of rows that no batch will hold
    evaluation.finish()
    assert len(evaluation.batch_mcc) == MAX_BATCHES_KEPT
    assert evaluation.rows == len(zeros)


def test_the_summary_names_the_share_of_the_positives() -> None:
    evaluation = Evaluation(("no", "yes"))
    evaluation.add(np.array([0, 0, 0, 1]), np.array([0, 0, 1, 1]))
    assert evaluation.summary() == "4 rows, 1 labelled yes (25.0%), accuracy 0.7500, MCC 0.5774"
    assert Evaluation(("a", "b", "c")).summary().startswith("0 rows, 0 labelled b (0.0%), 0 labelled c (0.0%)")


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
