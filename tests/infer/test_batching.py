"""The plan holds for any lengths and any budget."""

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from infer.batching import pad, plan_batches

LENGTHS = st.lists(st.integers(0, 40) | st.integers(0, 512), max_size=300).map(lambda rows: np.array(rows, np.int64))
BUDGETS = st.sampled_from([1, 16, 64, 2048, 100_000])
SHAPES = st.sampled_from([0, 1, 30, 300, 1e9])


@settings(deadline=None, max_examples=300)
@given(lengths=LENGTHS, budget=BUDGETS, shape_tokens=SHAPES)
def test_every_row_once_within_the_budget_longest_first_and_always_the_same(
    lengths: np.ndarray, budget: int, shape_tokens: float
) -> None:
    batches = plan_batches(lengths, budget, shape_tokens)
    assert sorted(np.concatenate([np.empty(0, int), *batches]).tolist()) == list(range(len(lengths)))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * lengths[batch].max() <= budget
    longest = [int(lengths[batch].max()) for batch in batches]
    assert longest == sorted(longest, reverse=True)
    again = plan_batches(lengths.copy(), budget, shape_tokens)
    assert [batch.tolist() for batch in batches] == [batch.tolist() for batch in again]


@settings(deadline=None, max_examples=200)
@given(lengths=LENGTHS, budget=BUDGETS, shape_tokens=SHAPES)
def test_scores_put_back_by_the_plan_stand_in_the_order_of_the_rows(
    lengths: np.ndarray, budget: int, shape_tokens: float
) -> None:
    scores = np.full(len(lengths), -1)
    for batch in plan_batches(lengths, budget, shape_tokens):
        scores[batch] = batch  # what a session would answer for these rows
    assert scores.tolist() == list(range(len(lengths)))


@settings(deadline=None, max_examples=200)
@given(lengths=LENGTHS, budget=BUDGETS, shape_tokens=SHAPES)
@example(lengths=np.array([1, 1, 1, 1, 1, 17]), budget=64, shape_tokens=300)  # the second batch of 3 is shorter
def test_lengths_are_rounded_up_only_where_that_is_cheaper(
    lengths: np.ndarray, budget: int, shape_tokens: float
) -> None:
    def cost(batches: list[np.ndarray]) -> float:
        shapes = {(len(batch), int(lengths[batch].max())) for batch in batches}
        return sum(len(batch) * int(lengths[batch].max()) for batch in batches) + shape_tokens * len(shapes)

    assert cost(plan_batches(lengths, budget, shape_tokens)) <= cost(plan_batches(lengths, budget)) + 1e-6


def colas_lengths(rows: int) -> np.ndarray:
    return np.random.default_rng(0).poisson(8, rows) + 3  # mean 11, few above 20


def test_no_token_is_padding_and_full_batches_reach_the_budget() -> None:
    lengths = colas_lengths(5000)
    batches = plan_batches(lengths, 2048)
    assert all(len(set(lengths[batch].tolist())) == 1 for batch in batches)
    fullest = {
        int(lengths[batch[0]]): max(len(other) for other in batches if lengths[other[0]] == lengths[batch[0]])
        for batch in batches
    }
    assert all(rows == min(2048 // length, int((lengths == length).sum())) for length, rows in fullest.items())


def test_where_a_shape_costs_there_are_fewer_and_long_files_are_hardly_padded() -> None:
    for rows, most_padding in ((1000, 0.1), (10_000, 0.01)):
        lengths = colas_lengths(rows)
        exact, few = plan_batches(lengths, 2048), plan_batches(lengths, 2048, 150)
        shapes = [{(len(batch), lengths[batch].max()) for batch in batches} for batches in (exact, few)]
        assert len(shapes[1]) < len(shapes[0])
        assert 1 - lengths.sum() / sum(len(batch) * lengths[batch].max() for batch in few) < most_padding


def test_rows_without_tokens_and_no_rows() -> None:
    assert plan_batches(np.empty(0, np.int64), 8) == []
    assert [batch.tolist() for batch in plan_batches(np.zeros(3, np.int64), 8)] == [[0, 1, 2]]


def test_padding_is_on_the_right() -> None:
    assert pad([[1, 2, 3], [4]], 9).tolist() == [[1, 2, 3], [4, 9, 9]]
    assert pad([[1]], 0).dtype == np.int64
