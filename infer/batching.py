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
    if not len(lengths):
        return []
    order = np.argsort(-lengths, kind="stable")
    falling = lengths[order]
    plain = _cut(order, lengths, _ends(falling)[:-1], budget_tokens)
    if not shape_tokens:
        return plain
    rounded = _cut(order, lengths, _bounds(falling, budget_tokens, shape_tokens), budget_tokens)
    # A group's last batches may be shorter than it was reckoned with, and thus of shapes that were not counted.
    return min(rounded, plain, key=lambda batches: _cost(batches, lengths, shape_tokens))


def _cut(
    order: NDArray[np.int64], lengths: Lengths, bounds: NDArray[np.int64], budget_tokens: int
) -> list[NDArray[np.int64]]:
    """Batches of the groups that begin at `bounds`, the first apart."""
    batches = []
    for group in np.split(order, bounds):
        rows = _rows_of(int(lengths[group[0]]), budget_tokens)
        batches += [group[start : start + rows] for start in range(0, len(group), rows)]
    return batches


def _cost(batches: Sequence[NDArray[np.int64]], lengths: Lengths, shape_tokens: float) -> float:
    """Tokens with padding, and `shape_tokens` for each shape. A batch begins with its longest row."""
    shapes = [(len(batch), int(lengths[batch[0]])) for batch in batches]
    return sum(rows * longest for rows, longest in shapes) + shape_tokens * len(set(shapes))


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
    ends = _ends(falling)
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


def _ends(falling: Lengths) -> NDArray[np.int64]:
    """Where the rows of each distinct length end."""
    return np.append(np.flatnonzero(np.diff(falling)) + 1, len(falling))


def _rows_of(length: int, budget_tokens: int) -> int:
    return max(1, budget_tokens // max(1, length))
