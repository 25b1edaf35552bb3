"""Many runs of one session in a row, bound to memory of its device: one copy in, one copy out, no waiting between."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from bertline.devices import parse_device
from infer.session import NO_GRAPH, OnnxSession

_ALIGNED = 64  # numbers of 4 bytes: memory that CUDA hands out begins at 256 bytes, and kernels count on as much
_MOST_GRAPHS = 512  # recorded at most; each takes memory of the driver


def aligned(size: int) -> int:
    """The size, in numbers of 4 bytes, up to where the next array may begin."""
    return -(-size // _ALIGNED) * _ALIGNED


@dataclass(frozen=True)
class Call:
    """One run: where its int32 inputs stand, and the shape of its logits."""

    inputs: slice  # of the array with the inputs of all calls
    places: dict[str, tuple[tuple[int, ...], int]]  # by name: shape, and where it begins within that slice
    logits: tuple[int, int]  # rows, labels

    @property
    def output_size(self) -> int:
        """Float32 numbers, up to where the next call's may begin."""
        return aligned(self.logits[0] * self.logits[1])


@dataclass(frozen=True)
class _Recorded:
    """A run recorded as a CUDA graph: it reads and writes these addresses ever after."""

    inputs: ort.OrtValue
    outputs: ort.OrtValue
    graph: int


class DeviceRun:
    """Calls of one session; everything stays on the session's device until the last call is done."""

    def __init__(self, session: OnnxSession) -> None:
        self._session = session
        self._kind, self._index = parse_device(session.device)
        self._recorded: dict[tuple[object, ...], _Recorded] = {}

    def __call__(self, inputs: NDArray[np.int32], calls: Sequence[Call]) -> list[NDArray[np.float32]]:
        """The logits (rows, labels) float32 of each call. Raises as `OnnxSession.run`."""
        binding = self._session.session.io_binding()
        try:
            return self._replayed(binding, inputs, calls) if self._session.graphs else self._run(binding, inputs, calls)
        except BaseException as error:  # Ctrl-C, too: the calls' memory lives as long as the traceback does
            self._settle(binding)
            if not isinstance(error, Exception):
                raise
            sizes = [call.places["input_ids"][0][1] for call in calls]
            raise self._session.failure(error, f"a batch of up to {max(sizes):,} tokens") from None

    def _run(
        self, binding: ort.IOBinding, inputs: NDArray[np.int32], calls: Sequence[Call]
    ) -> list[NDArray[np.float32]]:
        if not calls:
            return []
        source = ort.OrtValue.ortvalue_from_numpy(inputs, self._kind, self._index)
        *starts, size = np.cumsum([0, *(call.output_size for call in calls)]).tolist()
        target = self._room(size)
        for call, start in zip(calls, starts, strict=True):
            at = source.data_ptr() + 4 * call.inputs.start
            self._call(binding, call, at, target.data_ptr() + 4 * start, _options(wait=call is calls[-1]))
        flat = target.numpy()
        return [_logits(flat[start:], call) for call, start in zip(calls, starts, strict=True)]

    def _replayed(
        self, binding: ort.IOBinding, inputs: NDArray[np.int32], calls: Sequence[Call]
    ) -> list[NDArray[np.float32]]:
        """As `_run`, each call at the addresses that belong to its place in the row and its shapes."""
        areas = [self._area(number, call, inputs) for number, call in enumerate(calls)]
        for call, area in zip(calls, areas, strict=True):
            options = _options(wait=call is calls[-1], graph=area.graph)
            self._call(binding, call, area.inputs.data_ptr(), area.outputs.data_ptr(), options)
        return [_logits(area.outputs.numpy(), call) for call, area in zip(calls, areas, strict=True)]

    def _area(self, number: int, call: Call, inputs: NDArray[np.int32]) -> _Recorded:
        key = (number, *(shape for shape, _ in call.places.values()))
        area = self._recorded.get(key)
        if area is not None:
            area.inputs.update_inplace(inputs[call.inputs])
            return area
        full = len(self._recorded) >= _MOST_GRAPHS
        area = _Recorded(
            ort.OrtValue.ortvalue_from_numpy(inputs[call.inputs].copy(), self._kind, self._index),
            self._room(call.output_size),
            NO_GRAPH if full else len(self._recorded),
        )
        if not full:
            self._recorded[key] = area
        return area

    def _call(self, binding: ort.IOBinding, call: Call, inputs: int, outputs: int, options: ort.RunOptions) -> None:
        for name, (shape, start) in call.places.items():
            binding.bind_input(name, self._kind, self._index, np.int32, shape, inputs + 4 * start)
        binding.bind_output("logits", self._kind, self._index, np.float32, call.logits, outputs)
        self._session.session.run_with_iobinding(binding, options)

    def _room(self, size: int) -> ort.OrtValue:
        return ort.OrtValue.ortvalue_from_shape_and_type((size,), np.float32, self._kind, self._index)

    def _settle(self, binding: ort.IOBinding) -> None:
        """Wait for the calls that were begun before one failed: they still read and write memory that is let go."""
        try:
            binding.synchronize_outputs()
        except Exception:  # as above; the first failure is the one to tell
            return


def _options(*, wait: bool, graph: int | None = None) -> ort.RunOptions:
    """For one run. The last of a row waits for all of them, and lets other threads run meanwhile; to wait by
    `synchronize_outputs` would hold up all of Python.
    """
    options = ort.RunOptions()
    if not wait:
        options.add_run_config_entry("disable_synchronize_execution_providers", "1")
    if graph is not None:
        options.add_run_config_entry("gpu_graph_id", str(graph))
    return options


def _logits(flat: NDArray[np.float32], call: Call) -> NDArray[np.float32]:
    return flat[: call.logits[0] * call.logits[1]].reshape(call.logits)
