"""Evidence: on which provider every node ran, and which kernel computed attention."""

import json
import os
import re
import subprocess
import sys
from collections import Counter
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.gpu import evidence
from benchmarks.gpu.attempts import Failed, attempt
from benchmarks.gpu.bench import Bench
from benchmarks.gpu.ort_ways import KERNELS
from benchmarks.gpu.workloads import Workload
from bertline.bundle import Variant
from bertline.errors import BertlineError
from infer.packing import PACKED, pack, plan_packed
from infer.providers import CUDA_PROVIDER

_KERNEL = re.compile(r"Operator=(\w+).* SdpaKernel=(\w+)")  # attention_kernel_options.cc, AttentionKernelDebugInfo
_OPERATOR = "PackedMultiHeadAttention"
_UNFUSED = "MATH"


def measure_kernels(bench: Bench) -> dict[str, Any]:
    """One entry for each `sdpa_kernel` of the packed variant, which is judged, and one for the portable fp32, which is
    only told: on CUDA, ONNX Runtime computes the sizes in it on the CPU on purpose.
    """
    found: dict[str, Any] = {}
    faults: list[str] = []
    for name in dict.fromkeys([bench.variant, "fp32"]):
        variant = bench.bundle.manifest.variants.get(name)
        if variant is None:
            raise BertlineError(f"{bench.bundle.path}: has no variant {name}; export it with --variants {name}")
        kernels: list[int | None] = list(KERNELS) if variant.layout == PACKED else [None]
        for entry in _evidence(bench, variant, kernels):
            title = f"{name}, {KERNELS[entry['sdpa_kernel']]}" if variant.layout == PACKED else name
            found[title] = entry
            if bench.on_cuda and variant.layout == PACKED:
                faults += [f"{title}: {fault}" for fault in faults_of(entry)]
    return {"ways": found, "faults": faults}


def _evidence(bench: Bench, variant: Variant, kernels: list[int | None]) -> list[dict[str, Any]]:
    with TemporaryDirectory() as folder:
        feeds: dict[str, str] = {}
        for workload in _workloads(bench):
            feeds[workload.name] = str(Path(folder) / f"{len(feeds)}.npz")
            arrays: dict[str, Any] = _feeds(bench, variant, workload)
            np.savez(feeds[workload.name], **arrays)
        job = Path(folder) / "job.json"
        model = str((bench.bundle.path / variant.file).absolute())
        job.write_text(json.dumps({"model": model, "device": bench.device, "kernels": kernels, "feeds": feeds}))
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.gpu.evidence", str(job)],
            capture_output=True,
            text=True,
            env=os.environ | {evidence.DEBUG_INFO: "1"},
            timeout=bench.clock.seconds_left,
        )
    if done.returncode:
        last = (done.stderr.strip() or "no word").splitlines()[-1]
        raise BertlineError(f"{variant.file}: running it for its kernels ended with {done.returncode}: {last}")
    return parse(done.stdout)


def _workloads(bench: Bench) -> list[Workload]:
    random = (attempt(partial(bench.random, length)) for length in bench.plan.lengths)
    return [bench.real, *(workload for workload in random if not isinstance(workload, Failed))]


def _feeds(bench: Bench, variant: Variant, workload: Workload) -> dict[str, NDArray[Any]]:
    """The first batch of the smallest budget, for a graph of either layout."""
    encoded = workload.encoded
    rows = plan_packed(encoded.lengths, min(bench.plan.budgets))[0]
    if variant.layout == PACKED:
        assert variant.first_position is not None  # the manifest was checked
        return dict(pack(encoded, rows, variant.first_position))
    return dict(encoded.padded(rows, bench.bundle.manifest.tokenizer.pad_id))


def parse(output: str) -> list[dict[str, Any]]:
    """One entry a session: {"sdpa_kernel", "assigned", "ran": provider → operator → nodes, "attention": workload →
    kernel → nodes}, from what benchmarks.gpu.evidence and ONNX Runtime printed.
    """
    entries: list[dict[str, Any]] = []
    attention: Counter[str] = Counter()
    for line in output.splitlines():
        if line.startswith(evidence.MARK):
            told = json.loads(line.removeprefix(evidence.MARK))
            if told["event"] == "session":
                entries.append({"sdpa_kernel": told["kernel"], "assigned": told["assigned"], "attention": {}})
            elif told["event"] == "run":
                attention = entries[-1]["attention"][told["workload"]] = Counter()
            else:
                entries[-1]["ran"] = told["ran"]
        elif kernel := _KERNEL.search(line):
            attention[kernel[2]] += 1
    return entries


def faults_of(entry: dict[str, Any]) -> list[str]:
    """What must not be on CUDA: nodes elsewhere, copies to or from the host, attention that is unfused or untold."""
    faults = []
    for provider, operators in (*entry["assigned"].items(), *entry["ran"].items()):
        if provider != CUDA_PROVIDER:
            faults.append(f"{sum(operators.values())} nodes on {provider}: {', '.join(sorted(operators))}")
        copies = sorted(name for name in operators if name.startswith("Memcpy"))
        faults += [f"{operators[name]} × {name}" for name in copies]
    packed = entry["ran"].get(CUDA_PROVIDER, {}).get(_OPERATOR, 0)
    for workload, kernels in entry["attention"].items():
        if kernels.get(_UNFUSED):
            faults.append(f"{workload}: {kernels[_UNFUSED]} attention nodes ran unfused ({_UNFUSED})")
        if sum(kernels.values()) < packed:
            faults.append(f"{workload}: {packed} nodes of packed attention, of which {sum(kernels.values())} told how")
    return faults
