"""Which rows run together: a pure function over token lengths, and the padding of one batch."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def plan_batches(lengths: NDArray[np.int64], budget_tokens: int) -> list[NDArray[np.int64]]:
    """Rows of equal length together, longest first, rows × length at most `budget_tokens` a batch.

    `lengths` is (rows,) tokens. Returns arrays of row indices that cover every row exactly once. A row longer than
    the budget makes a batch of its own. On a CPU a small batch costs less than padding would. Longest first, so
    that the memory needed shows at the start.
    """
    order = np.argsort(-lengths, kind="stable")
    falling = lengths[order]
    batches = []
    for group in np.split(order, np.flatnonzero(np.diff(falling)) + 1) if len(order) else []:
        rows = max(1, budget_tokens // max(1, int(lengths[group[0]])))
        batches += [group[start : start + rows] for start in range(0, len(group), rows)]
    return batches


def pad(rows: Sequence[Sequence[int]], pad_id: int) -> NDArray[np.int64]:
    """Rows of token ids as one (rows, longest) int64 array, filled up on the right."""
    padded = np.full((len(rows), max(map(len, rows))), pad_id, np.int64)
    for target, row in zip(padded, rows, strict=True):
        target[: len(row)] = row
    return padded
