"""A tiny model, and a run of all sections over it on the CPU, packed ways included."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from benchmarks.gpu import sections
from benchmarks.gpu.bench import Bench
from benchmarks.gpu.ort_ways import OrtSpec, OrtWay
from benchmarks.gpu.plan import Clock, Plan
from bertline.tsv import TableSpec
from infer.variants import CUDA_FP16
from tests import tiny
from tests.conftest import Once
from tests.packed_on_cpu import packed_scorer

SPEC = TableSpec(label_column="label")
TINY = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
PLAN = Plan(
    budgets=(32, 128),
    lengths=(16, 512),
    tokens=64,
    reference_tokens=64,
    sweep_runs=1,
    runs=2,
    rows=60,
    latency_runs=4,
    matrix_size=64,
    matrix_tokens=32,
    matrix_seconds=0.01,
    epochs=2,
    training=TINY,
    compiler="eager",
)


@pytest.fixture(scope="session")
def rows_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """40 labelled rows."""
    return tiny.write_table(tmp_path_factory.mktemp("rows") / "rows.tsv", rows=40)


class PackedBench(Bench):
    """A run on the CPU whose packed ways run there as well, as `tests.packed_on_cpu` makes them."""

    written: Path

    def ort_way(self, spec: OrtSpec) -> OrtWay:
        if spec.variant != CUDA_FP16:
            return super().ort_way(spec)
        return OrtWay(spec, packed_scorer(self.bundle, self.written, graphs=spec.graphs))


@pytest.fixture(scope="session")
def make_bench(
    packed_bundle: Path, model_dir: Path, rows_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., Bench]:
    """`make_bench(minutes=8)`: a run that has not begun."""

    def make(minutes: float = 8, plan: Plan = PLAN, say: Callable[[str], None] = lambda line: None) -> Bench:
        made = PackedBench(packed_bundle, model_dir, rows_file, SPEC, "cpu", plan, Clock(minutes), say)
        made.written = tmp_path_factory.mktemp("packed_on_cpu")
        return made

    return make


@pytest.fixture(scope="session")
def bench(make_bench: Callable[..., Bench]) -> Bench:
    """One that tests may use for what it has opened."""
    return make_bench()


@pytest.fixture(scope="session")
def document(once: Once, make_bench: Callable[..., Bench]) -> dict[str, Any]:
    """What all sections give on the CPU, as it stands in the file."""

    def write(path: Path) -> None:
        saved: list[str] = []
        sections.measure(make_bench(), lambda document: saved.append(json.dumps(document, allow_nan=False)))
        assert len(saved) == 9  # after every section
        path.write_text(saved[-1])

    return json.loads(once("gpu.json", write).read_text())
