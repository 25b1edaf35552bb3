"""Which rows run together: a pure function over token lengths, and the padding of one batch."""

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray


def plan_batches(lengths: NDArray[np.int64], budget_tokens: int) -> list[NDArray[np.int64]]:
    """Rows of (nearly) equal length together, longest first, rows × longest at most `budget_tokens` a batch.

    `lengths` is (rows,) tokens. Returns arrays of row indices that cover every row exactly once. A row longer than
    the budget makes a batch of its own. A batch at least half full ends where the length changes: few rows are
    padded and no batch is tiny. Longest first, so that the memory needed shows at the start.
    """
    order = np.argsort(-lengths, kind="stable")
    batches, start = [], 0
    while start < len(order):
        longest = max(1, int(lengths[order[start]]))
        end = min(start + max(1, budget_tokens // longest), len(order))
        if end < len(order):
            changes = np.flatnonzero(np.diff(lengths[order[start:end]])) + 1  # where a new length begins
            late = changes[changes * 2 >= end - start]
            if late.size and lengths[order[end]] == lengths[order[end - 1]]:
                end = start + int(late[-1])
        batches.append(order[start:end])
        start = end
    return batches


def pad(rows: Sequence[Sequence[int]], pad_id: int) -> NDArray[np.int64]:
    """Rows of token ids as one (rows, longest) int64 array, filled up on the right."""
    padded = np.full((len(rows), max(map(len, rows))), pad_id, np.int64)
    for target, row in zip(padded, rows, strict=True):
        target[: len(row)] = row
    return padded
