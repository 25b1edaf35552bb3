"""Latency: PyTorch and ONNX Runtime on the same batches, over a grid of batch × sequence."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.latency.result import PYTORCH, Cell, Latency, Plan
from benchmarks.timing import time_in_turns
from bertline.errors import BertlineError
from bertline.model_folder import ModelFolder
from export.reference import Reference
from infer.encode import Encoded
from infer.runners import PaddedRunner
from infer.scorer import Scorer

ONNX = "bertline fp32"
_SEED = 42


def measure_latency(
    bundle: Path,
    model_dir: Path,
    plan: Plan,
    *,
    threads: int | None = None,
    progress: Callable[[str], None] = lambda cell: None,
) -> Latency:
    """Time both runtimes on the CPU with the same threads.

    PyTorch runs the model folder in fp32, eager; ONNX Runtime the bundle's fp32 variant. Sequences beyond the model's
    positions are left out. Raises BertlineError where that leaves none, and where bundle and model folder do not
    belong together.
    """
    scorer = Scorer.open(bundle, device="cpu", variant="fp32", threads=threads)
    reference = Reference(ModelFolder.open(model_dir))
    config = json.loads((bundle / "config.json").read_text(encoding="utf-8"))
    if config.get("vocab_size") != reference.model.config.vocab_size:  # ids of the one may be none of the other
        raise _stranger(bundle, model_dir)
    positions = scorer.bundle.manifest.positions
    if min(plan.sequences) > positions:
        raise BertlineError(
            f"--sequences {','.join(map(str, plan.sequences))}: the model takes {positions} tokens at most"
        )
    torch.set_num_threads(scorer.threads)
    generator, cells = np.random.default_rng(_SEED), []
    for batch in plan.batches:
        for sequence in plan.sequences:
            if sequence > positions:
                continue
            progress(f"{batch} × {sequence}")
            rows = generator.integers(5, reference.model.config.vocab_size, (batch, sequence)).tolist()
            types = [[0] * sequence] * batch
            own = scorer.session.run(_feeds(scorer, rows, types))
            _require_same(own, reference.run(rows, types), bundle, model_dir)
            timings = time_in_turns(
                _calls(scorer, reference, rows, types),
                warmups=plan.warmups,
                min_runs=plan.min_runs,
                seconds=plan.seconds,
            )
            cells += [Cell(runtime, batch, sequence, timing) for runtime, timing in timings.items()]
    return Latency(plan, {PYTORCH: "PyTorch, eager", ONNX: scorer.session.provider}, tuple(cells))


def _calls(
    scorer: Scorer, reference: Reference, rows: list[list[int]], types: list[list[int]]
) -> dict[str, Callable[[], object]]:
    feeds = _feeds(scorer, rows, types)
    tensors = {name: torch.from_numpy(array) for name, array in feeds.items()}

    def pytorch() -> object:
        with torch.inference_mode():
            return reference.model(**tensors).logits

    return {PYTORCH: pytorch, ONNX: lambda: scorer.session.run(feeds)}


def _feeds(scorer: Scorer, rows: list[list[int]], types: list[list[int]]) -> dict[str, NDArray[np.int64]]:
    assert isinstance(scorer.runner, PaddedRunner)  # fp32 is padded
    encoded = Encoded.from_rows(rows, types, np.zeros(len(rows), bool))
    return scorer.runner.feeds(encoded, np.arange(len(rows)))


def _require_same(own: Any, expected: Any, bundle: Path, model_dir: Path) -> None:
    if own.shape != expected.shape or not np.allclose(own, expected, atol=1e-3):
        raise _stranger(bundle, model_dir)


def _stranger(bundle: Path, model_dir: Path) -> BertlineError:
    return BertlineError(
        f"{bundle}: does not answer as {model_dir} does; give --model the folder that it was exported from"
    )
