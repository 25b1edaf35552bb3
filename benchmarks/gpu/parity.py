"""Parity of every variant on real rows, against PyTorch fp32 on the same device."""

from functools import partial
from typing import Any

from benchmarks.gpu.attempts import Failed, attempt
from benchmarks.gpu.bench import Bench, finite
from benchmarks.gpu.ort_ways import OrtSpec
from bertline.metrics import METRIC_NAMES
from infer.parity import Parity, limits_of
from infer.variants import CUDA_FP16

# What cuda-fp16 may lose; the others are held to what an export allows them.
MAX_FLIPS = 0.002  # share of the rows, 0…1
MAX_MCC_CHANGE = 0.005


def measure_parity(bench: Bench) -> dict[str, Any]:
    """One entry for each variant of the bundle, or why it does not run on this device."""
    variants: dict[str, Any] = {}
    faults: list[str] = []
    for name in bench.bundle.manifest.variants:
        found = attempt(partial(_compare, bench, name))
        if isinstance(found, Failed):
            variants[name] = {"error": found.message}
            if name == bench.variant:
                faults.append(f"{name}: {found.message}")
            continue
        variants[name] = found
        faults += [f"{name}: {fault}" for fault in found["faults"]]
    if bench.variant not in variants:
        faults.append(f"{bench.variant}: the bundle has none; export it with --variants {bench.variant}")
    return {"rows": bench.real.rows, "variants": variants, "faults": faults}


def _compare(bench: Bench, variant: str) -> dict[str, Any]:
    real, way = bench.real, bench.ort_way(OrtSpec(variant, variant))
    parity = Parity(bench.bundle.manifest.problem, against="PyTorch fp32 on this device")
    parity.add(real.names, way.scorer.run_tokens(real.encoded), bench.expected(real), real.labels)
    packed = variant == CUDA_FP16
    limits = limits_of(variant, MAX_FLIPS, MAX_MCC_CHANGE) if packed else limits_of(variant)
    gate = parity.gate(way.scorer, limits)
    faults = parity.faults(limits)
    if packed and parity.quality_drop < -MAX_MCC_CHANGE:
        faults.append(
            f"{METRIC_NAMES[parity.quality.metric]} rises by {-parity.quality_drop:.4f}, allowed {MAX_MCC_CHANGE:g}"
        )
    return {
        "provider": gate.provider,
        "max_abs_logit": finite(gate.max_abs_logit),
        "mean_abs_logit": finite(gate.mean_abs_logit),
        "flips": gate.flips,
        "mcc": gate.mcc,
        "mcc_reference": gate.mcc_reference,
        "mcc_difference": gate.mcc_difference,
        "worst": parity.worst,
        "faults": faults,
    }
