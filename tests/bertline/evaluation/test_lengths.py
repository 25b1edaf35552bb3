"""Rows by length: exact counts, in ranges that hold enough of them."""

from itertools import pairwise

import numpy as np
import pytest

from bertline.evaluation.lengths import MAX_BINS, MIN_ROWS, Lengths


@pytest.mark.parametrize("rows", [0, 1, 29, 61, 500, 20_000])
@pytest.mark.parametrize("longest", [3, 12, 512])
def test_the_ranges_hold_every_row_once_and_none_holds_too_few(rows: int, longest: int) -> None:
    generator = np.random.default_rng(rows)
    tokens, right = np.minimum(generator.geometric(0.08, rows) + 2, longest), generator.random(rows) < 0.7
    lengths = Lengths()
    for start in range(0, rows, 37):  # the longest so far grows
        lengths.add(tokens[start : start + 37], right[start : start + 37])
    bins = lengths.bins()
    assert len(bins) <= MAX_BINS and sum(part.rows for part in bins) == rows
    assert len(bins) <= 1 or min(part.rows for part in bins) >= MIN_ROWS
    for part in bins:
        inside = (tokens >= part.low) & (tokens <= part.high)
        assert (part.rows, part.right) == (inside.sum(), right[inside].sum())
        assert part.interval[0] <= part.accuracy <= part.interval[1]
    assert all(one.high < other.low for one, other in pairwise(bins))


def test_a_long_tail_of_few_rows_joins_the_range_before_it() -> None:
    lengths = Lengths()
    lengths.add(np.array([5] * 400 + [9] * 400 + [60] * 40), np.ones(840, bool))
    assert [(part.low, part.high) for part in lengths.bins()] == [(5, 5), (9, 60)]
