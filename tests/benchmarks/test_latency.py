"""Latency over a grid of shapes, and only of a bundle with its own model."""

from itertools import product
from pathlib import Path

import pytest

from benchmarks.latency import (
    ONNX,
    PYTORCH,
    TABLE_COLUMNS,
    Cell,
    Plan,
    latency_chart,
    latency_page,
    measure_latency,
    table_rows,
    to_json,
)
from benchmarks.timing import BURST, Timing
from bertline.errors import BertlineError
from tests import tiny

PLAN = Plan(batches=(1, 3), sequences=(2, 64, 65), seconds=0, warmups=1, min_runs=BURST)


def cell(runtime: str, milliseconds: float, batch: int = 8) -> Cell:
    p50, p90, p99 = milliseconds, 2 * milliseconds, 3 * milliseconds
    return Cell(runtime, batch, 16, Timing(p50, p90, p99, mean_ms=p50, runs=10, p25_ms=p50, p75_ms=p90))


def test_every_shape_within_the_positions_is_timed_on_both_runtimes(bundle: Path, model_dir: Path) -> None:
    told: list[str] = []
    cells, environment = measure_latency(bundle, model_dir, PLAN, threads=1, progress=told.append)
    found = [(cell.batch, cell.sequence, cell.runtime) for cell in cells]
    assert found == list(product((1, 3), (2, 64), (PYTORCH, ONNX)))
    assert all(cell.timing.runs == BURST and 0 < cell.timing.p50_ms <= cell.timing.p99_ms for cell in cells)
    assert told == ["1 × 2", "1 × 64", "3 × 2", "3 × 64"]
    assert (environment["device"], environment["provider"], environment["threads"]) == (
        "cpu",
        "CPUExecutionProvider",
        1,
    )
    assert {"torch", "onnxruntime"} <= set(environment["versions"])


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


def test_the_table_compares_with_pytorch() -> None:
    rows = table_rows([cell(PYTORCH, 4.0), cell(ONNX, 2.0)])
    assert [len(row) for row in rows] == [len(TABLE_COLUMNS)] * 2
    assert rows[0] == ["8", "16", PYTORCH, "4.00", "8.00", "12.00", "2,000", "1.00"]
    assert rows[1] == ["8", "16", ONNX, "2.00", "4.00", "6.00", "4,000", "2.00"]


def test_the_document_holds_plan_environment_and_cells() -> None:
    document = to_json([cell(ONNX, 2.0)], {"cpu": "one"}, PLAN)
    assert (document["kind"], document["environment"], document["plan"]["batches"]) == (
        "latency",
        {"cpu": "one"},
        (1, 3),
    )
    (only,) = document["cells"]
    assert only["rows_per_second"] == 4000 and only["timing"]["p50_ms"] == 2.0


def test_the_page_has_a_curve_for_each_batch_size() -> None:
    cells = [cell(runtime, time, batch) for batch in (1, 8) for runtime, time in ((PYTORCH, 4.0), (ONNX, 2.0))]
    assert "batches of 1 row" in latency_chart(cells, 1) and PYTORCH in latency_chart(cells, 1)
    page = latency_page(cells, {"cpu": "a <processor>", "versions": {"torch": "2.13"}})
    assert page.count("<svg") == 2 and "2.00×" in page and "a <processor>" not in page and "torch 2.13" in page
