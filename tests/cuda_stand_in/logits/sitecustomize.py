"""Real logits on the stand-in, which computes nothing: what a run is bound to, the bundle's fp32 graph computes.

Python loads a module of this name when it starts, so the folder's place on PYTHONPATH is all that is needed, in the
processes of `--devices`, too. The inputs are read from the device's memory when the device gets to them, and the logits
are written there: what is read, overwritten or freed too early becomes a wrong answer.
"""

import atexit
import ctypes
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

CUDA_PROVIDER = "CUDAExecutionProvider"
_Place = tuple[int, tuple[int, ...], Any]  # address on the device, shape, dtype
_COMPUTE = ctypes.CFUNCTYPE(None)
_kept: list[Any] = []  # a recorded graph may call these at any time
_run, _bind_input, _bind_output, _run_bound = (
    ort.InferenceSession.run,
    ort.IOBinding.bind_input,
    ort.IOBinding.bind_output,
    ort.InferenceSession.run_with_iobinding,
)


def run(session: Any, names: Any, feeds: dict[str, np.ndarray], options: Any = None) -> list[np.ndarray]:
    """A run from arrays to arrays: only its answer is replaced."""
    answer = _run(session, names, feeds, options)
    return [_reference(session)(feeds)] if CUDA_PROVIDER in session.get_providers() else answer


def bind_input(binding: Any, name: str, kind: str, index: int, dtype: Any, shape: Any, address: int) -> None:
    _bind_input(binding, name, kind, index, dtype, shape, address)
    binding.__dict__.setdefault("places", {})[name] = (address, tuple(shape), dtype)


def bind_output(binding: Any, name: str, kind: str, index: int, dtype: Any, shape: Any, address: int) -> None:
    _bind_output(binding, name, kind, index, dtype, shape, address)
    binding.__dict__.setdefault("places", {})[name] = (address, tuple(shape), dtype)


def run_with_iobinding(session: Any, binding: Any, options: Any = None) -> None:
    if CUDA_PROVIDER not in session.get_providers():
        return _run_bound(session, binding, options)
    places, reference = dict(binding.places), _reference(session)

    def compute() -> None:
        logits = _array(places["logits"])
        logits[...] = np.nan  # what remains where the inputs are no packed batch
        feeds = {name: _array(place) for name, place in places.items() if name != "logits"}
        logits[...] = packed(reference, feeds)

    runtime = ctypes.CDLL("libcudart.so.13")
    if not _kept:
        atexit.register(runtime.cudaDeviceSynchronize)  # nothing is left to be computed when Python is gone
    _kept.append(_COMPUTE(compute))
    runtime.stand_in_run_begins(_kept[-1])
    try:
        _run_bound(session, binding, options)
    finally:
        runtime.stand_in_run_ends()


def packed(reference: Callable[[dict[str, np.ndarray]], np.ndarray], feeds: dict[str, np.ndarray]) -> np.ndarray:
    """Logits (rows, labels) float32, rounded to float16, by way of a padded batch; rows of no tokens get zeros.

    Raises AssertionError where the feeds are not a packed batch.
    """
    bounds, offsets = feeds["cu_seqlens"], feeds["token_offset"]
    rows, longest = offsets.shape
    lengths = np.diff(bounds)
    real = np.arange(longest) < lengths[:, None]
    assert bounds[0] == 0 and len(lengths) == rows and (lengths >= 0).all() and lengths.max() <= longest
    assert bounds[-1] <= feeds["input_ids"].size <= rows * longest
    assert (offsets.reshape(-1)[: bounds[-1]] == np.flatnonzero(real)).all()
    padded = {"attention_mask": real.astype(np.int64)}
    for name in ("input_ids", "token_type_ids"):
        padded[name] = np.zeros(real.shape, np.int64)
        padded[name][real] = feeds[name].reshape(-1)[: bounds[-1]]
    full = lengths > 0
    found = reference({name: array[full] for name, array in padded.items()})
    logits = np.zeros((rows, found.shape[1]), np.float32)
    logits[full] = found.astype(np.float16)
    return logits


def _reference(session: Any) -> Callable[[dict[str, np.ndarray]], np.ndarray]:
    """The fp32 graph beside the session's, on the CPU."""
    if not hasattr(session, "reference"):
        options = ort.SessionOptions()
        options.intra_op_num_threads = 1
        model = Path(session._model_path).with_name("model.onnx")
        session.reference = ort.InferenceSession(str(model), options, providers=["CPUExecutionProvider"])
    return lambda feeds: _run(session.reference, ["logits"], feeds)[0]


def _array(place: _Place) -> np.ndarray:
    address, shape, dtype = place
    memory = (ctypes.c_char * (int(np.prod(shape)) * np.dtype(dtype).itemsize)).from_address(address)
    return np.frombuffer(memory, dtype).reshape(shape)


ort.InferenceSession.run = run
ort.InferenceSession.run_with_iobinding = run_with_iobinding
ort.IOBinding.bind_input, ort.IOBinding.bind_output = bind_input, bind_output
