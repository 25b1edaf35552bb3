"""Throughput: every way and budget, a way that fails, answers that are checked."""

from typing import Any

import numpy as np
import pytest

from benchmarks.gpu.attempts import Failed
from benchmarks.gpu.bench import Bench
from benchmarks.gpu.ort_ways import FP32_PORTABLE, PACKED
from benchmarks.gpu.throughput import best_budgets, measure_throughput
from benchmarks.gpu.torch_ways import FP32, WAYS
from benchmarks.gpu.workloads import Workload
from bertline.errors import BertlineError
from tests.benchmarks.gpu.conftest import PLAN


def test_every_way_is_measured_with_every_budget_and_at_its_best(document: dict[str, Any]) -> None:
    entry = document["sections"]["throughput_real"]
    names = [spec.name for spec in (*WAYS, FP32_PORTABLE, *PACKED)]
    assert [(row["way"], row["batch_tokens"]) for row in entry["sweep"]] == [
        (n, b) for b in PLAN.budgets for n in names
    ]
    assert [row["way"] for row in entry["head_to_head"]] == names
    for row in entry["head_to_head"]:
        low, high = row["quartiles"]
        assert low <= row["rows_per_second"] <= high and row["runs"] >= PLAN.runs
        assert row["max_abs_logit"] < 1e-2 and row["flips"] == 0
    assert entry["rows"] == 40 and entry["budgets"] == list(PLAN.budgets)


def test_padding_is_told_where_pytorch_pads(document: dict[str, Any]) -> None:
    shares = {
        (row["way"], row["batch_tokens"]): row.get("padding_share")
        for row in document["sections"]["throughput_real"]["sweep"]
    }
    assert 0 <= shares[FP32.name, 32] < shares[FP32.name, 128] < 0.5
    assert shares["PyTorch fp16 unpadded", 128] is None and shares[FP32_PORTABLE.name, 128] is None


def test_the_fastest_budget_is_the_best() -> None:
    def row(way: str, budget: int, **found: Any) -> dict[str, Any]:
        return {"way": way, "batch_tokens": budget} | found

    sweep = [
        row("a", 1, rows_per_second=5.0),
        row("b", 1, error="no"),
        row("c", 1, error="no"),
        row("a", 2, rows_per_second=9.0),
        row("b", 2, rows_per_second=1.0),
        row("c", 2, error="no"),
        row("a", 4, rows_per_second=8.0),
    ]
    assert best_budgets(sweep) == {"a": 2, "b": 2, "c": 1}


class Liar:
    """A way that answers something else."""

    def ready(self, encoded: Any, batch_tokens: int) -> Any:
        return lambda: np.full((len(encoded.lengths), 2), np.nan, np.float32)


def test_packed_answers_that_differ_are_a_fault(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    name = PACKED[0].name
    monkeypatch.setattr(bench, "ways", {FP32.name: bench.ways[FP32.name], name: Liar()})
    entry = measure_throughput(bench, bench.real)
    assert all(fault.startswith(f"{name}, ") and "max |Δlogit| None" in fault for fault in entry["faults"])
    assert entry["faults"] and {row["max_abs_logit"] for row in entry["sweep"] if row["way"] == name} == {None}


def test_a_way_that_breaks_leaves_the_others(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "ways", {FP32.name: bench.ways[FP32.name], "lacking": Failed("no triton")})
    entry = measure_throughput(bench, bench.random(16))
    assert [row.get("error") for row in entry["head_to_head"]] == [None, "no triton"]
    assert entry["faults"] == []


def test_without_a_reference_nothing_is_measured(make_bench: Any) -> None:
    bench = make_bench()
    bench.ways = {FP32.name: Failed("out of memory")}
    with pytest.raises(BertlineError, match="out of memory"):
        measure_throughput(bench, bench.real)


def test_no_time_is_said(make_bench: Any) -> None:
    with pytest.raises(BertlineError, match="the 0 minutes were used up"):
        measure_throughput(make_bench(minutes=0), Workload("none", make_bench().real.encoded))
