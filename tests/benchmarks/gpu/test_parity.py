"""Parity of every variant on real rows."""

from typing import Any

import numpy as np
import pytest

from benchmarks.gpu import parity
from benchmarks.gpu.bench import Bench
from benchmarks.gpu.parity import measure_parity


def test_every_variant_is_compared_or_says_why_not(document: dict[str, Any]) -> None:
    entry = document["sections"]["parity"]
    assert entry["rows"] == 40 and entry["faults"] == []
    fp32, packed = entry["variants"]["fp32"], entry["variants"]["cuda-fp16"]
    assert fp32["max_abs_logit"] < 1e-5 and fp32["flips"] == 0 and fp32["mcc"] == fp32["mcc_reference"]
    assert "is packed and runs on CUDAExecutionProvider only" in packed["error"]


def test_what_differs_is_a_fault(make_bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bench: Bench = make_bench()
    expected = bench.expected(bench.real)
    monkeypatch.setattr(bench, "expected", lambda workload: np.flip(expected, axis=1))
    entry = measure_parity(bench)
    assert any("labels flip" in fault for fault in entry["faults"])
    assert all(fault.startswith("fp32: ") for fault in entry["faults"])


def test_a_better_mcc_is_a_change_as_well(make_bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bench: Bench = make_bench()
    monkeypatch.setattr(parity.Parity, "mcc_drop", -0.006)
    assert measure_parity(bench)["faults"] == ["fp32: MCC rises by 0.0060, allowed 0.005"]


def test_the_devices_own_variant_must_be_there(make_bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    bench: Bench = make_bench()
    monkeypatch.setattr(type(bench), "variant", "int8")
    assert measure_parity(bench)["faults"] == ["int8: the bundle has none; export it with --variants int8"]
