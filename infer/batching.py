"""Which rows run together: a pure function over token lengths, and the padding of one batch."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

Lengths = NDArray[np.int64]


def plan_batches(lengths: Lengths, budget_tokens: int, shape_tokens: float = 0) -> list[NDArray[np.int64]]:
    """Rows of equal or near length together, longest first, rows × longest at most `budget_tokens` a batch.

    `lengths` is (rows,) tokens. `shape_tokens` is what a batch of a new shape costs beside its tokens, in tokens' time:
    with 0, lengths are never mixed, since on a CPU a small batch costs less than padding would; else lengths are
    rounded up where that costs less than a shape more. Returns arrays of row indices that cover every row exactly
    once. A row longer than the budget makes a batch of its own. Longest first, so that the memory needed shows at the
    start.
    """
    order = np.argsort(-lengths, kind="stable")
    falling = lengths[order]
    batches = []
    for group in np.split(order, _bounds(falling, budget_tokens, shape_tokens)) if len(order) else []:
        rows = _rows_of(int(lengths[group[0]]), budget_tokens)
        batches += [group[start : start + rows] for start in range(0, len(group), rows)]
    return batches


def pad(rows: Sequence[Sequence[int]], pad_id: int) -> NDArray[np.int64]:
    """Rows of token ids as one (rows, longest) int64 array, filled up on the right."""
    padded = np.full((len(rows), max(map(len, rows))), pad_id, np.int64)
    for target, row in zip(padded, rows, strict=True):
        target[: len(row)] = row
    return padded


def _bounds(falling: Lengths, budget_tokens: int, shape_tokens: float) -> NDArray[np.int64]:
    """Where the groups of one padded length begin, the first apart.

    The cheapest cut into groups, by dynamic programming over the distinct lengths: a group costs its rows times its
    longest, and `shape_tokens` for a full batch and another for what is left over.
    """
    ends = np.append(np.flatnonzero(np.diff(falling)) + 1, len(falling))  # of each distinct length
    if not shape_tokens:
        return ends[:-1]
    starts, longest = np.append(0, ends[:-1]), falling[ends - 1]
    full = np.maximum(1, budget_tokens // np.maximum(1, longest))  # rows of a batch that begins with that length
    best, first = np.zeros(len(ends) + 1), np.zeros(len(ends) + 1, np.int64)
    for end in range(1, len(ends) + 1):
        rows = ends[end - 1] - starts[:end]  # of groups that begin with each longer length and end here
        shapes = (rows >= full[:end]).astype(np.int64) + (rows % full[:end] > 0)
        costs = best[:end] + rows * longest[:end] + shape_tokens * shapes
        first[end] = costs.argmin()
        best[end] = costs[first[end]]
    cuts, end = [], len(ends)
    while end:
        end = int(first[end])
        cuts.append(int(starts[end]))
    return np.array(cuts[-2::-1], np.int64)  # the last one found is 0, where the first group begins


def _rows_of(length: int, budget_tokens: int) -> int:
    return max(1, budget_tokens // max(1, length))
