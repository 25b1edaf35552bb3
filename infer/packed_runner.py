"""Runs packed graphs: what a window needs goes to the device in one copy, and nothing waits until all of it is done."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from infer.binding import Call, DeviceRun, aligned
from infer.encode import Encoded
from infer.packing import Shape, pack, plan_packed
from infer.runners import Logits, Plan, Progress
from infer.session import OnnxSession


@dataclass(frozen=True)
class PackedPlan(Plan):
    """Batches, and all their inputs as one array."""

    inputs: NDArray[np.int32] = field(repr=False)
    calls: list[Call]


class PackedRunner:
    """For graphs of layout packed: rows end to end, as `infer.packing.pack` lays them.

    `first_position` is the manifest's. Batches are rounded up to shapes that repeat, since ONNX Runtime and the CUDA
    libraries choose kernels and reuse memory by shape.
    """

    def __init__(self, session: OnnxSession, first_position: int, labels: int) -> None:
        self._session, self._first_position, self._labels = session, first_position, labels
        self._device_run = DeviceRun(session)

    def plan(self, encoded: Encoded, batch_tokens: int) -> PackedPlan:
        batches = plan_packed(encoded.lengths, batch_tokens)
        shapes = [Shape.of(encoded.lengths[batch]).rounded(batch_tokens) for batch in batches]
        return self._laid_out(encoded, batch_tokens, batches, shapes)

    def run(self, plan: Plan, progress: Progress = lambda share: None) -> Logits:
        assert isinstance(plan, PackedPlan)  # of this runner's own `plan`
        outputs = self._device_run(plan.inputs, plan.calls)
        logits = np.empty((len(plan.encoded.lengths), self._labels), np.float32)
        for batch, output in zip(plan.batches, outputs, strict=True):
            logits[batch] = output[: len(batch)]
        progress(1.0)
        return logits

    def run_batch(self, encoded: Encoded, rows: NDArray[np.int64], room: int = 0) -> Logits:
        exact = Shape.of(encoded.lengths[rows])
        further = Shape(exact.tokens + room, exact.rows + room, exact.longest + room)
        plan = self._laid_out(encoded, 0, [rows], [further if room else exact.rounded(0)])
        return self._device_run(plan.inputs, plan.calls)[0][: len(rows)]

    def _laid_out(
        self, encoded: Encoded, batch_tokens: int, batches: list[NDArray[np.int64]], shapes: Sequence[Shape]
    ) -> PackedPlan:
        calls, arrays, size = [], [], 0
        for batch, shape in zip(batches, shapes, strict=True):
            feeds, first, places = pack(encoded, batch, self._first_position, shape), size, {}
            for name in self._session.inputs:
                places[name] = (feeds[name].shape, size - first)
                arrays.append((size, feeds[name].reshape(-1)))
                size += aligned(feeds[name].size)
            calls.append(Call(slice(first, size), places, (shape.rows, self._labels)))
        inputs = np.zeros(size, np.int32)
        for start, array in arrays:
            inputs[start : start + len(array)] = array
        computed = sum(shape.tokens for shape in shapes)
        return PackedPlan(encoded, batch_tokens, batches, computed, inputs, calls)
