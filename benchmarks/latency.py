"""Latency: PyTorch and ONNX Runtime on the same batches, over a grid of batch × sequence."""

import json
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.timing import Timing, time_in_turns
from bertline.charts import line_chart
from bertline.errors import BertlineError
from bertline.model_folder import ModelFolder
from bertline.report import Chart, Facts, Report, Section, Table, render_html
from export.reference import Reference
from infer.cpus import cpu_name
from infer.encode import Encoded
from infer.runners import PaddedRunner
from infer.scorer import Scorer
from infer.versions import runtime_versions

PYTORCH, ONNX = "PyTorch", "ONNX Runtime"
_SEED = 42


@dataclass(frozen=True)
class Plan:
    """What to time. `seconds` is per cell, for both runtimes together."""

    batches: Sequence[int] = (1, 8, 32)  # rows
    sequences: Sequence[int] = (8, 16, 64, 128)  # tokens
    seconds: float = 2.0
    warmups: int = 3
    min_runs: int = 5


@dataclass(frozen=True)
class Cell:
    """One batch shape on one runtime."""

    runtime: str
    batch: int
    sequence: int
    timing: Timing

    @property
    def rows_per_second(self) -> float:
        return self.batch / self.timing.p50_ms * 1e3


def measure_latency(
    bundle: Path,
    model_dir: Path,
    plan: Plan,
    *,
    threads: int | None = None,
    progress: Callable[[str], None] = lambda cell: None,
) -> tuple[list[Cell], dict[str, Any]]:
    """Time both runtimes on the CPU with the same threads; returns the cells and the environment.

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
    environment = {
        "device": scorer.session.device,
        "provider": scorer.session.provider,
        "threads": scorer.threads,
        "cpu": cpu_name(),
        "regime": "warm; runtimes take turns; tokenizing apart",
        "versions": runtime_versions() | {"torch": torch.__version__},
    }
    return cells, environment


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


def to_json(cells: Sequence[Cell], environment: dict[str, Any], plan: Plan) -> dict[str, Any]:
    """The document of a latency run."""
    rows = [asdict(cell) | {"rows_per_second": cell.rows_per_second} for cell in cells]
    return {"schema": 1, "kind": "latency", "plan": asdict(plan), "environment": environment, "cells": rows}


def table_rows(cells: Sequence[Cell]) -> list[list[str]]:
    """One row a shape and runtime: batch, sequence, runtime, p50, p90, p99, rows/s, ratio of p50 to PyTorch's."""
    pytorch = {(cell.batch, cell.sequence): cell.timing.p50_ms for cell in cells if cell.runtime == PYTORCH}
    return [
        [
            str(cell.batch),
            str(cell.sequence),
            cell.runtime,
            f"{cell.timing.p50_ms:.2f}",
            f"{cell.timing.p90_ms:.2f}",
            f"{cell.timing.p99_ms:.2f}",
            f"{cell.rows_per_second:,.0f}",
            f"{pytorch[cell.batch, cell.sequence] / cell.timing.p50_ms:.2f}",
        ]
        for cell in cells
    ]


TABLE_COLUMNS = ("batch", "sequence", "runtime", "p50 ms", "p90 ms", "p99 ms", "rows/s", "× PyTorch")


def latency_chart(cells: Sequence[Cell], batch: int) -> str:
    """p50 against sequence length for one batch size, a line a runtime, both axes logarithmic."""
    series = {
        runtime: [
            (cell.sequence, cell.timing.p50_ms) for cell in cells if cell.runtime == runtime and cell.batch == batch
        ]
        for runtime in (PYTORCH, ONNX)
    }
    rows = "row" if batch == 1 else "rows"
    return line_chart(
        series,
        title=f"p50 latency, batches of {batch} {rows}",
        x_label="sequence length, tokens",
        y_label="milliseconds",
        log_x=True,
        log_y=True,
    )


def latency_section(cells: Sequence[Cell]) -> Section:
    """Curves and the table, for a report."""
    charts = [Chart(latency_chart(cells, batch)) for batch in sorted({cell.batch for cell in cells})]
    return Section("Latency", [*charts, Table(TABLE_COLUMNS, table_rows(cells))])


def environment_section(environment: dict[str, Any]) -> Section:
    """What the figures hold for, as a table."""
    versions = ", ".join(f"{name} {version}" for name, version in environment["versions"].items())
    return Section("Environment", [Facts(environment | {"versions": versions})])


def latency_page(cells: Sequence[Cell], environment: dict[str, Any]) -> str:
    """A self-contained HTML page of one latency run."""
    ratios = [float(row[-1]) for row in table_rows(cells) if row[2] == ONNX]
    headline = [(f"{np.median(ratios):.2f}×", "PyTorch's speed, median over all shapes")]
    sections = [latency_section(cells), environment_section(environment)]
    return render_html(Report("Latency of PyTorch and ONNX Runtime", environment["cpu"], headline, sections))
