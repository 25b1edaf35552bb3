"""The plan holds for any lengths and any budget."""

import numpy as np
import pytest

from infer.batching import pad, plan_batches


def random_lengths(seed: int) -> tuple[np.ndarray, int]:
    generator = np.random.default_rng(seed)
    rows, longest = int(generator.integers(0, 400)), int(generator.choice([1, 2, 12, 512]))
    return generator.integers(1, longest + 1, rows), int(generator.choice([1, 16, 64, 2048, 100_000]))


@pytest.mark.parametrize("seed", range(60))
def test_every_row_once_within_the_budget_longest_first_and_always_the_same(seed: int) -> None:
    lengths, budget = random_lengths(seed)
    batches = plan_batches(lengths, budget)
    assert sorted(np.concatenate([np.empty(0, int), *batches]).tolist()) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * lengths[batch].max() <= budget
    longest = [int(lengths[batch].max()) for batch in batches]
    assert longest == sorted(longest, reverse=True)
    again = plan_batches(lengths.copy(), budget)
    assert [batch.tolist() for batch in batches] == [batch.tolist() for batch in again]


def test_no_token_is_padding_and_full_batches_reach_the_budget() -> None:
    lengths = np.random.default_rng(0).poisson(8, 5000) + 3  # as CoLA's: mean 11, few above 20
    batches = plan_batches(lengths, 2048)
    assert all(len(set(lengths[batch].tolist())) == 1 for batch in batches)
    fullest = {
        int(lengths[batch[0]]): max(len(other) for other in batches if lengths[other[0]] == lengths[batch[0]])
        for batch in batches
    }
    assert all(rows == min(2048 // length, int((lengths == length).sum())) for length, rows in fullest.items())


def test_rows_without_tokens_and_no_rows() -> None:
    assert plan_batches(np.empty(0, np.int64), 8) == []
    assert [batch.tolist() for batch in plan_batches(np.zeros(3, np.int64), 8)] == [[0, 1, 2]]


def test_padding_is_on_the_right() -> None:
    assert pad([[1, 2, 3], [4]], 9).tolist() == [[1, 2, 3], [4, 9, 9]]
    assert pad([[1]], 0).dtype == np.int64
