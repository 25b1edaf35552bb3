"""What the processor's matrix units can do at best, as a yardstick for everything that runs on them."""

import time

import torch

_SHAPES = ((2048, 768, 768), (2048, 768, 3072), (2048, 3072, 768))  # rows, in, out: BERT-base at 2,048 tokens
_REPEATS = 10


def matrix_rate(dtype: torch.dtype) -> float:
    """FLOP/s of `torch.nn.functional.linear` over BERT-base's three shapes, the best of ten runs of each."""
    flops = seconds = 0.0
    with torch.inference_mode():
        for rows, width, out in _SHAPES:
            x, weight = torch.randn(rows, width).to(dtype), torch.randn(out, width).to(dtype)
            torch.nn.functional.linear(x, weight)
            times = []
            for _ in range(_REPEATS):
                start = time.perf_counter()
                torch.nn.functional.linear(x, weight)
                times.append(time.perf_counter() - start)
            flops += 2.0 * rows * width * out
            seconds += min(times)
    return flops / seconds


def encoder_flops(hidden: int, intermediate: int, layers: int, length: int) -> float:
    """FLOP of the encoder's matrix products for one row of `length` tokens: projections, feed-forward, attention."""
    per_token = 2 * (4 * hidden * hidden + 2 * hidden * intermediate)
    return float(layers * (length * per_token + 4 * length * length * hidden))
