"""Parity of every variant on real rows."""

from typing import Any

import numpy as np
import pytest

from benchmarks.gpu import parity
from benchmarks.gpu.bench import Bench
from benchmarks.gpu.ort_ways import OrtSpec
from benchmarks.gpu.parity import measure_parity
from bertline.errors import BertlineError


def test_every_variant_is_compared(document: dict[str, Any]) -> None:
    entry = document["sections"]["parity"]
    assert entry["rows"] == 40 and entry["faults"] == []
    fp32, packed = entry["variants"]["fp32"], entry["variants"]["cuda-fp16"]
    assert fp32["max_abs_logit"] < 1e-5 and fp32["flips"] == 0 and fp32["mcc"] == fp32["mcc_reference"]
    assert 0 < packed["max_abs_logit"] < 5e-3 and packed["flips"] == 0


def test_what_differs_is_a_fault(make_bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bench: Bench = make_bench()
    expected = bench.expected(bench.real)
    monkeypatch.setattr(bench, "expected", lambda workload: np.flip(expected, axis=1))
    entry = measure_parity(bench)
    assert any("labels flip" in fault for fault in entry["faults"])
    assert {fault.partition(": ")[0] for fault in entry["faults"]} == {"fp32", "cuda-fp16"}


def test_a_variant_that_does_not_run_says_why(make_bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bench: Bench = make_bench()

    def none(spec: OrtSpec) -> Any:
        raise BertlineError(f"{spec.variant} is not for this device")

    monkeypatch.setattr(bench, "ort_way", none)
    entry = measure_parity(bench)
    assert entry["variants"]["cuda-fp16"] == {"error": "cuda-fp16 is not for this device"}
    assert entry["faults"] == ["fp32: fp32 is not for this device"]  # the one that is for a CPU


def test_a_better_mcc_is_a_change_as_well(make_bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bench: Bench = make_bench()
    monkeypatch.setattr(parity.Parity, "quality_drop", -0.006)
    assert measure_parity(bench)["faults"] == ["cuda-fp16: MCC rises by 0.0060, allowed 0.005"]


def test_a_logit_that_is_no_number_is_a_fault(make_bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bench: Bench = make_bench()
    made = bench.ort_way

    def broken(spec: OrtSpec) -> Any:
        way = made(spec)
        answer = way.scorer.run_tokens
        monkeypatch.setattr(way.scorer, "run_tokens", lambda encoded: answer(encoded) + np.float32("nan"))
        return way

    bench.expected(bench.real)
    monkeypatch.setattr(bench, "ort_way", broken)
    entry = measure_parity(bench)
    assert any(fault.startswith("cuda-fp16: a logit is no number (worst: rows.tsv") for fault in entry["faults"])
    assert entry["variants"]["cuda-fp16"]["max_abs_logit"] is None


def test_the_devices_own_variant_must_be_there(make_bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bench: Bench = make_bench()
    monkeypatch.setattr(type(bench), "variant", "int8")
    assert measure_parity(bench)["faults"] == ["int8: the bundle has none; export it with --variants int8"]
