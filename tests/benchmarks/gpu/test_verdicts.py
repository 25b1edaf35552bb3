"""Targets against the document's own figures."""

from typing import Any

from benchmarks.gpu.ort_ways import PACKED
from benchmarks.gpu.verdicts import verdicts


def speed(way: str, rate: float, share: float = 0.4) -> dict[str, Any]:
    return {"way": way, "rows_per_second": rate, "share_of_matrix_rate": share}


def document(device: str = "cuda:0") -> dict[str, Any]:
    packed = PACKED[2].name
    real = [speed("PyTorch fp16 unpadded", 120_000), speed(packed, 180_000), speed(PACKED[3].name, 170_000, 0.3)]
    return {
        "environment": {"device": device},
        "sections": {
            "parity": {
                "rows": 1000,
                "variants": {"cuda-fp16": {"flips": 2, "mcc": 0.5, "mcc_reference": 0.506}},
            },
            "kernels": {"faults": ["a copy"]},
            "throughput_real": {"head_to_head": [*real, {"way": "PyTorch fp16 compiled", "error": "no triton"}]},
            "throughput_128": {"head_to_head": [speed("PyTorch fp16 eager", 100), speed(packed, 105, 0.51)]},
            "throughput_512": {"status": "not measured"},
            "end_to_end": {"cold": {"rows_per_second": 99_000}},
        },
    }


def test_each_target_has_its_bound_its_figure_and_whether_it_was_reached() -> None:
    found = [(v.bound, v.measured, v.reached) for v in verdicts(document())]
    assert found == [
        (1.3, 1.5, True),
        (1.1, 1.05, False),
        (1.0, None, None),
        (150_000, 180_000, True),
        (100_000, 99_000, False),
        (0.5, 0.51, True),
        (0.35, 0.4, True),
        (0.002, 0.002, True),
        (0.005, 0.506 - 0.5, False),
        (0, 1, False),
    ]


def test_a_cpu_reaches_nothing_that_is_a_devices() -> None:
    found = {v.target: v.measured for v in verdicts(document("cpu"))}
    assert found["end to end, rows a second"] is None
    assert found["nodes off the device, copies, unfused attention"] is None


def test_nothing_measured_is_no_verdict() -> None:
    empty = {"environment": {"device": "cuda:0"}, "sections": {"parity": {"status": "failed", "reason": "…"}}}
    assert {(v.measured, v.reached) for v in verdicts(empty)} == {(None, None)}
