"""What a device's matrix units can do at best, as a yardstick for everything that runs on them."""

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

_REPEATS = 10


def bert_shapes(tokens: int) -> tuple[tuple[int, int, int], ...]:
    """Rows, in, out of BERT-base's matrix products over a batch of so many tokens."""
    return (tokens, 768, 768), (tokens, 768, 3072), (tokens, 3072, 768)


_CPU_SHAPES = bert_shapes(2048)


def matrix_rate(dtype: torch.dtype, device: str = "cpu", shapes: Sequence[tuple[int, int, int]] = _CPU_SHAPES) -> float:
    """FLOP/s of `torch.nn.functional.linear` over shapes of rows, in and out, the best of ten runs of each."""
    flops = seconds = 0.0
    with torch.inference_mode():
        for rows, width, out in shapes:
            product = linear(dtype, device, rows, width, out)
            product()
            flops += 2.0 * rows * width * out
            seconds += min(seconds_of(product, device) for _ in range(_REPEATS))
    return flops / seconds


def linear(dtype: torch.dtype, device: str, rows: int, width: int, out: int) -> Callable[[], torch.Tensor]:
    """One product of random matrices, (rows, width) by (width, out), that can be run again and again."""
    x = torch.randn(rows, width, device=device).to(dtype)
    weight = torch.randn(out, width, device=device).to(dtype)
    return lambda: torch.nn.functional.linear(x, weight)


def seconds_of(call: Callable[[], object], device: str) -> float:
    """Seconds that a call takes on the device; on CUDA by the device's own clock, so that launching it is no part."""
    if torch.device(device).type != "cuda":
        start = time.perf_counter()
        call()
        return time.perf_counter() - start
    begin, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
    begin.record()
    call()
    end.record()
    end.synchronize()
    return float(begin.elapsed_time(end)) / 1e3


def encoder_flops(hidden: int, intermediate: int, layers: int, length: int) -> float:
    """FLOP of the encoder's matrix products for one row of `length` tokens: projections, feed-forward, attention."""
    per_token = 2 * (4 * hidden * hidden + 2 * hidden * intermediate)
    return float(layers * (length * per_token + 4 * length * length * hidden))


def flop_per_row(config: Mapping[str, Any], lengths: NDArray[np.int64]) -> float | None:
    """Mean FLOP of rows of so many tokens, for a model's config.json; None where that has not BERT's words."""
    words = ("hidden_size", "intermediate_size", "num_hidden_layers")
    if not set(words) <= config.keys():
        return None
    hidden, intermediate, layers = (int(config[word]) for word in words)
    return float(np.mean([encoder_flops(hidden, intermediate, layers, int(length)) for length in lengths]))
