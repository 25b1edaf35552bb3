"""The attention mask as it is exported: one row over the keys, the same for every query."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from transformers import masking_utils


@contextmanager
def key_mask() -> Iterator[None]:
    """While the block lasts, "eager" attention gets an additive mask (batch, 1, 1, keys).

    transformers builds (batch, 1, queries, keys) by indexing each pair, some twenty operators in a graph. Where every
    query may see the same keys, as in an encoder, all rows of that are equal, and one row broadcasts to the same sums.
    """
    masks = masking_utils.ALL_MASK_ATTENTION_FUNCTIONS
    masks["eager"] = _mask  # a local entry, which hides the library's own until it is deleted
    try:
        yield
    finally:
        del masks["eager"]


def _mask(*, attention_mask: torch.Tensor | None = None, dtype: torch.dtype = torch.float32, **how: Any) -> Any:
    """0 where a key is seen and the smallest number where it is padding, of `dtype`."""
    if attention_mask is None or how.get("mask_function") is not masking_utils.bidirectional_mask_function:
        return masking_utils.eager_mask(attention_mask=attention_mask, dtype=dtype, **how)
    seen = attention_mask[:, None, None, :].to(torch.bool)
    return torch.where(seen, torch.zeros((), dtype=dtype), torch.finfo(dtype).min)
