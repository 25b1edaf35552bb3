"""What the sections of a run share: bundle and model, rows, PyTorch fp32 as the reference, the ways that compete."""

import json
from collections.abc import Callable
from functools import cached_property, partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.ceiling import flop_per_row
from benchmarks.gpu.attempts import Failed, attempt
from benchmarks.gpu.ort_ways import FP32_PORTABLE, PACKED, OrtSpec, OrtWay, open_scorer
from benchmarks.gpu.plan import Clock, Plan
from benchmarks.gpu.torch_ways import FP32, WAYS, TorchSpec, TorchWay
from benchmarks.gpu.workloads import Workload, random_rows, real_rows
from bertline.bundle import Bundle
from bertline.devices import parse_device
from bertline.errors import BertlineError
from bertline.model_folder import ModelFolder
from bertline.problems import Problem
from bertline.tsv import TableSpec
from export.reference import Reference
from infer.cuda import require_cuda
from infer.encode import Encoded
from infer.variants import CUDA_FP16

Way = TorchWay | OrtWay


class Bench:
    """One run on one device, `cpu` or `cuda:N`. `matrix_rate`, in FLOP/s, is known once its section has measured it."""

    def __init__(
        self,
        bundle: Path,
        model_dir: Path,
        table: Path,
        spec: TableSpec,
        device: str,
        plan: Plan,
        clock: Clock,
        say: Callable[[str], None] = lambda line: None,
    ) -> None:
        """Open all that is needed; BertlineError where something is not there, or the two are of different models."""
        self.bundle = Bundle.open(bundle)
        self.folder = ModelFolder.open(model_dir)
        self.table, self.spec, self.device = table, spec, device
        self.plan, self.clock, self.say = plan, clock, say
        self.matrix_rate: float | None = None
        if self.on_cuda:
            _, index = parse_device(device)
            require_cuda(index)
            torch.cuda.set_device(index)
        self.real = real_rows(self.bundle, table, spec, plan.real_rows)
        config = json.loads((bundle / "config.json").read_text(encoding="utf-8"))
        alike = ("model_type", "vocab_size", "id2label")
        if any(config.get(name) != self.folder.config.get(name) for name in alike):
            raise BertlineError(f"{bundle}: is not of {model_dir}; give --model the folder that it was exported from")
        self.vocabulary = int(config["vocab_size"])
        self._expected: dict[str, NDArray[np.float32]] = {}

    @property
    def on_cuda(self) -> bool:
        return self.device != "cpu"

    @property
    def variant(self) -> str:
        """The variant that is for this device."""
        return CUDA_FP16 if self.on_cuda else "fp32"

    @cached_property
    def reference(self) -> Reference:
        return Reference(self.folder)

    def random(self, length: int) -> Workload:
        """Rows of random tokens, as many as the plan says."""
        return random_rows(self.bundle, self.vocabulary, length, self.plan.tokens)

    def flop_per_row(self, workload: Workload) -> float | None:
        """Mean FLOP of the encoder's matrix products."""
        return flop_per_row(self.folder.config, workload.encoded.lengths)

    def torch_way(self, spec: TorchSpec) -> TorchWay:
        """That way, ready on the device."""
        return TorchWay(spec, self.reference, self.device, self.plan.compiler)

    def ort_way(self, spec: OrtSpec) -> OrtWay:
        """That way, ready on the device."""
        return OrtWay(spec, open_scorer(self.bundle, self.device, spec, self.plan.reference_tokens))

    @cached_property
    def ways(self) -> dict[str, Way | Failed]:
        """All that compete for throughput, by name, or why one cannot."""
        found: dict[str, Way | Failed] = {}
        for spec in WAYS:
            found[spec.name] = attempt(partial(self.torch_way, spec))
        for own in (FP32_PORTABLE, *PACKED):
            found[own.name] = attempt(partial(self.ort_way, own))
        return found

    def expected(self, workload: Workload) -> NDArray[np.float32]:
        """Logits (rows, labels) float32 of PyTorch fp32 on this device."""
        if workload.name not in self._expected:
            self._expected[workload.name] = self.ready(FP32.name, workload.encoded, self.plan.reference_tokens)()
        return self._expected[workload.name]

    def ready(self, name: str, encoded: Encoded, batch_tokens: int) -> Callable[[], NDArray[np.float32]]:
        """A call of one of the ways, its batches laid out, that gives the logits (rows, labels) float32."""
        return self._way(name).ready(encoded, batch_tokens)

    def one(self, name: str, encoded: Encoded) -> NDArray[np.float32]:
        """Logits (rows, labels) float32 by one of the ways, of all rows as one batch."""
        return self._way(name).one(encoded)

    def _way(self, name: str) -> Way:
        way = self.ways[name]
        if isinstance(way, Failed):
            raise BertlineError(way.message)
        return way

    def release(self) -> None:
        """Give the device's memory that PyTorch only keeps for later back to the others."""
        if self.on_cuda:
            torch.cuda.empty_cache()


def distance(problem: Problem, own: NDArray[np.float32], expected: NDArray[np.float32]) -> dict[str, Any]:
    """max |Δlogit|, None where a logit is no number, and how many rows get another answer."""
    flips = int(problem.flipped(own, expected).sum())
    return {"max_abs_logit": finite(float(np.abs(own - expected).max())), "flips": flips}


def finite(value: float) -> float | None:
    """The value as JSON takes it: None for what is no number."""
    return value if np.isfinite(value) else None
