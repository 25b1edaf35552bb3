"""What was to be reached, what was measured, and whether it was reached."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from benchmarks.gpu.ort_ways import PACKED_NAME
from benchmarks.gpu.parity import MAX_FLIPS, MAX_MCC_CHANGE
from infer.variants import CUDA_FP16

TORCH = "PyTorch"


@dataclass(frozen=True)
class Verdict:
    """One target. `measured` and `reached` are None where it was not measured."""

    target: str
    bound: float
    at_least: bool  # else at most
    unit: str  # "×", "%", "/s" or ""
    measured: float | None
    reached: bool | None


def verdicts(document: Mapping[str, Any]) -> list[Verdict]:
    """All targets, in the document's own figures; a CUDA device's alone."""
    found = document["sections"]
    real, short, long = (_throughput(found, name) for name in ("real", "128", "512"))
    parity = found.get("parity", {}).get("variants", {}).get(CUDA_FP16, {})
    rows = found.get("parity", {}).get("rows")
    kernels = found.get("kernels", {})
    cold = found.get("end_to_end", {}).get("cold") or {}
    on_cuda = document["environment"]["device"] != "cpu"
    return [
        _at_least("packed fp16 against the best of PyTorch, real rows", 1.3, "×", _ratio(real)),
        _at_least("packed fp16 against the best of PyTorch, 128 tokens", 1.1, "×", _ratio(short)),
        _at_least("packed fp16 against the best of PyTorch, 512 tokens", 1.0, "×", _ratio(long)),
        _at_least("packed fp16, real rows a second", 150_000, "/s", _best(real, PACKED_NAME, "rows_per_second")),
        _at_least("end to end, rows a second", 100_000, "/s", cold.get("rows_per_second") if on_cuda else None),
        _at_least("share of the matrix rate, 128 tokens", 0.5, "%", _best(short, PACKED_NAME, "share_of_matrix_rate")),
        _at_least("share of the matrix rate, real rows", 0.35, "%", _best(real, PACKED_NAME, "share_of_matrix_rate")),
        _at_most("labels that flip, real rows", MAX_FLIPS, "%", parity["flips"] / rows if "flips" in parity else None),
        _at_most("change of MCC, real rows", MAX_MCC_CHANGE, "", _mcc_change(parity)),
        _at_most(
            "nodes off the device, copies, unfused attention",
            0,
            "",
            float(len(kernels["faults"])) if on_cuda and "faults" in kernels else None,
        ),
    ]


def _throughput(found: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    rows = found.get(f"throughput_{name}", {}).get("head_to_head", [])
    return [row for row in rows if "error" not in row]


def _best(rows: Sequence[Mapping[str, Any]], ways: str, figure: str) -> float | None:
    """The figure of the fastest way whose name begins so."""
    chosen = [row for row in rows if row["way"].startswith(ways)]
    value = max(chosen, key=lambda row: float(row["rows_per_second"]))[figure] if chosen else None
    return None if value is None else float(value)


def _ratio(rows: Sequence[Mapping[str, Any]]) -> float | None:
    own, other = (_best(rows, ways, "rows_per_second") for ways in (PACKED_NAME, TORCH))
    return own / other if own and other else None


def _mcc_change(parity: Mapping[str, Any]) -> float | None:
    own, reference = parity.get("mcc"), parity.get("mcc_reference")
    return None if own is None or reference is None else abs(own - reference)


def _at_least(target: str, bound: float, unit: str, measured: float | None) -> Verdict:
    return Verdict(target, bound, True, unit, measured, None if measured is None else measured >= bound)


def _at_most(target: str, bound: float, unit: str, measured: float | None) -> Verdict:
    return Verdict(target, bound, False, unit, measured, None if measured is None else measured <= bound)
