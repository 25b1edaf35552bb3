"""Latency of one row by every way."""

from typing import Any

from benchmarks.gpu.latency import WAYS
from benchmarks.gpu.torch_ways import FP16_GRAPHS
from tests.benchmarks.gpu.conftest import PLAN


def test_one_real_row_and_one_of_random_tokens(document: dict[str, Any], bench: Any) -> None:
    entry = document["sections"]["latency"]
    lengths = sorted(bench.real.encoded.lengths.tolist())
    assert [row["tokens"] for row in entry["rows"]] == [lengths[20], 16]
    for row in entry["rows"]:
        assert list(row["ways"]) == list(WAYS)
        assert row["ways"][FP16_GRAPHS.name] == {"error": "CUDA graphs are not on this device"}
        ran = {name: found for name, found in row["ways"].items() if "error" not in found}
        assert len(ran) == len(WAYS) - 1
        for found in ran.values():
            assert 0 < found["p50_ms"] <= found["p99_ms"] and found["runs"] >= PLAN.latency_runs
            assert found["max_abs_logit"] < 1e-2
