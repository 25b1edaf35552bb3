"""What a device can do at best, matrix products and reading memory, as a yardstick for everything that runs on it."""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, TypeAlias

import numpy as np
import onnxruntime
import torch
from numpy.typing import NDArray

from benchmarks.machine import Ceiling

Shapes: TypeAlias = Sequence[tuple[int, int, int]]  # rows, in and out of matrix products
_REPEATS = 10
_READ_BYTES = 2**30  # far more than caches hold


def bert_shapes(tokens: int) -> Shapes:
    """Rows, in, out of BERT-base's matrix products over a batch of so many tokens."""
    return (tokens, 768, 768), (tokens, 768, 3072), (tokens, 3072, 768)


_CPU_SHAPES = bert_shapes(2048)


def matrix_rate(dtype: torch.dtype, device: str = "cpu", shapes: Shapes = _CPU_SHAPES) -> float:
    """FLOP/s of `torch.nn.functional.linear` over shapes of rows, in and out, the best of ten runs of each."""
    with torch.inference_mode():
        return _best_rate(partial(linear, dtype, device), device, shapes)


def _best_rate(product_of: Callable[[int, int, int], Callable[[], object]], device: str, shapes: Shapes) -> float:
    """Operations a second over all shapes, the best of ten runs of each after one that is not counted."""
    operations = seconds = 0.0
    for rows, width, out in shapes:
        product = product_of(rows, width, out)
        product()
        operations += 2.0 * rows * width * out
        seconds += min(seconds_of(product, device) for _ in range(_REPEATS))
    return operations / seconds


def measure_ceiling(threads: int, shapes: Shapes = _CPU_SHAPES, read_bytes: int = _READ_BYTES) -> Ceiling:
    """The CPU's own best, with so many threads."""
    torch.set_num_threads(threads)
    dtypes = {"float32": torch.float32, "bfloat16": torch.bfloat16}
    rates = {name: matrix_rate(dtype, shapes=shapes) for name, dtype in dtypes.items()}
    return Ceiling(rates | {"int8": integer_rate(threads, shapes)}, read_rate(read_bytes))


def integer_rate(threads: int, shapes: Shapes) -> float:
    """Operations a second of ONNX's MatMulInteger, uint8 by int8, measured as `matrix_rate` does."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads

    def product_of(rows: int, width: int, out: int) -> Callable[[], object]:
        session = onnxruntime.InferenceSession(_integer_product(rows, width, out), options, ["CPUExecutionProvider"])
        feeds = {"x": np.random.default_rng(42).integers(0, 256, (rows, width), np.uint8)}
        return partial(session.run, None, feeds)

    return _best_rate(product_of, "cpu", shapes)


def _integer_product(rows: int, width: int, out: int) -> bytes:
    from onnx import TensorProto, helper, numpy_helper

    weight = np.random.default_rng(42).integers(-128, 128, (width, out), np.int8)
    graph = helper.make_graph(
        [helper.make_node("MatMulInteger", ["x", "weight"], ["y"])],
        "product",
        [helper.make_tensor_value_info("x", TensorProto.UINT8, [rows, width])],
        [helper.make_tensor_value_info("y", TensorProto.INT32, [rows, out])],
        [numpy_helper.from_array(weight, "weight")],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)
    serialized: bytes = model.SerializeToString()
    return serialized


def read_rate(size: int) -> float:
    """Bytes a second that all threads read together, of two arrays that come to `size` bytes; the best of ten runs."""
    one, other = (torch.ones(size // 2 // 4) for _ in range(2))
    return size / min(seconds_of(partial(torch.dot, one, other), "cpu") for _ in range(_REPEATS))


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
