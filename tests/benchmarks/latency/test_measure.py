"""Latency over a grid of shapes, and only of a bundle with its own model."""

from itertools import product
from pathlib import Path

import pytest

from benchmarks.latency.measure import ONNX, measure_latency
from benchmarks.latency.result import PYTORCH, Plan
from benchmarks.timing import BURST
from bertline.errors import BertlineError
from tests import tiny

PLAN = Plan(batches=(1, 3), sequences=(2, 64, 65), seconds=0, warmups=1, min_runs=BURST)


def test_every_shape_within_the_positions_is_timed_on_both_runtimes(bundle: Path, model_dir: Path) -> None:
    told: list[str] = []
    result = measure_latency(bundle, model_dir, PLAN, threads=1, progress=told.append)
    found = [(cell.batch, cell.sequence, cell.way) for cell in result.cells]
    assert found == list(product((1, 3), (2, 64), (PYTORCH, ONNX)))
    assert all(cell.timing.runs == BURST and 0 < cell.timing.p50_ms <= cell.timing.p99_ms for cell in result.cells)
    assert told == ["1 × 2", "1 × 64", "3 × 2", "3 × 64"]
    assert result.providers == {PYTORCH: "PyTorch, eager", ONNX: "CPUExecutionProvider"}


def test_sequences_all_beyond_the_model_are_refused(bundle: Path, model_dir: Path) -> None:
    with pytest.raises(BertlineError, match="--sequences 65,128: the model takes 64 tokens at most"):
        measure_latency(bundle, model_dir, Plan(sequences=(65, 128)))


@pytest.mark.parametrize(
    "other", [{"seed": 1}, {"labels": ("a", "b", "c")}, {"family": "roberta"}], ids=["weights", "labels", "family"]
)
def test_a_bundle_of_another_model_is_refused(other: dict[str, object], bundle: Path, tmp_path: Path) -> None:
    stranger = tiny.write_model(tmp_path / "model", **other)  # type: ignore[arg-type]
    with pytest.raises(BertlineError, match=r"does not answer as .* does; give --model the folder"):
        measure_latency(bundle, stranger, PLAN, threads=1)
