"""MCC by batch: bounded in number, with its spread, and with what has no MCC counted."""

import numpy as np
import pytest

from bertline.evaluation.batches import MAX_BATCHES_KEPT, Batches, spread_of


def test_a_long_stream_keeps_a_bounded_number_of_batches() -> None:
    batches, zeros = Batches(), np.zeros(32 * MAX_BATCHES_KEPT + 77, np.int64)
    batches.add(zeros, zeros)
    assert len(batches.state()["rows"]) < 1000  # of rows that no batch will hold, nothing
    batches.finish()
    assert len(batches.mcc) == batches.undefined == MAX_BATCHES_KEPT


def test_batches_of_one_true_or_one_predicted_label_are_counted() -> None:
    batches, mixed, zeros = Batches(), np.arange(32) % 2, np.zeros(32, np.int64)
    for true, predicted in ((mixed, mixed), (mixed, zeros), (zeros, mixed), (mixed, 1 - mixed), (zeros, zeros)):
        batches.add(true, predicted)
    assert batches.mcc == [1.0, 0.0, 0.0, -1.0, 0.0] and batches.undefined == 3


@pytest.mark.parametrize("sizes", [(40, 0, 7), (31, 1, 64), (20_000, 5), (5, 20_000), (16_384, 3), (0, 0)])
def test_merged_batches_are_those_of_the_rows_in_one(sizes: tuple[int, ...]) -> None:
    generator = np.random.default_rng(1)
    parts = [generator.integers(0, 3, (2, size)) for size in sizes]
    merged, whole = Batches(), Batches()
    for part in parts:
        other = Batches()
        other.add(*part)
        other.finish()
        merged.merge(other)
        whole.add(*part)
    whole.finish()
    assert merged.state() == whole.state() and merged.mcc == whole.mcc


def test_the_spread_is_that_of_the_batches() -> None:
    assert Batches().spread() is None
    spread = spread_of([0.1, 0.5, 0.2, 0.4, 0.9], 0)
    assert spread is not None
    assert (spread.lower_quartile, spread.median, spread.upper_quartile) == pytest.approx((0.2, 0.4, 0.5))
    assert (spread.batches, spread.mean) == (5, pytest.approx(0.42))
