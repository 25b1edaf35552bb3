"""Evidence: what ONNX Runtime prints is understood, and what must not be is found."""

import json
from typing import Any

import pytest

from benchmarks.gpu import evidence
from benchmarks.gpu.bench import Bench
from benchmarks.gpu.evidence import MARK, nodes_that_ran
from benchmarks.gpu.kernels import faults_of, measure_kernels, parse

CUDA, CPU = "CUDAExecutionProvider", "CPUExecutionProvider"


def told(event: str, **facts: Any) -> str:
    return MARK + json.dumps({"event": event} | facts)


def kernel(name: str) -> str:
    """As attention_kernel_options.cc prints it, in cyan."""
    return f"\x1b[36mOperator=PackedMultiHeadAttention Node=node_1 DataType=fp16 SdpaKernel={name}\x1b[0m"


OPTIONS = "\x1b[36mAttentionKernelOptions: FLASH_ATTENTION=1 EFFICIENT_ATTENTION=1 MATH=1\x1b[0m"
OUTPUT = "\n".join(
    [
        OPTIONS,
        told("session", kernel=1, assigned={CUDA: {"MatMul": 4, "PackedMultiHeadAttention": 2}}),
        told("run", kernel=1, workload="real"),
        kernel("FLASH_ATTENTION"),
        kernel("FLASH_ATTENTION"),
        told("run", kernel=1, workload="512"),
        kernel("FLASH_ATTENTION"),
        kernel("EFFICIENT_ATTENTION"),
        told("profile", kernel=1, ran={CUDA: {"MatMul": 4, "PackedMultiHeadAttention": 2}}),
        OPTIONS,
        told("session", kernel=16, assigned={CUDA: {"MatMul": 4}, CPU: {"Shape": 1, "Gather": 2}}),
        told("run", kernel=16, workload="real"),
        kernel("MATH"),
        told("profile", kernel=16, ran={CUDA: {"MemcpyFromHost": 3, "PackedMultiHeadAttention": 2}}),
    ]
)


def test_kernels_are_counted_by_session_and_workload() -> None:
    flash, math = parse(OUTPUT)
    assert flash["sdpa_kernel"] == 1 and math["sdpa_kernel"] == 16
    assert flash["attention"] == {
        "real": {"FLASH_ATTENTION": 2},
        "512": {"FLASH_ATTENTION": 1, "EFFICIENT_ATTENTION": 1},
    }
    assert math["attention"] == {"real": {"MATH": 1}}


def test_cpu_nodes_copies_and_unfused_attention_are_faults() -> None:
    flash, math = parse(OUTPUT)
    assert faults_of(flash) == []
    assert faults_of(math) == [
        f"3 nodes on {CPU}: Gather, Shape",
        "3 × MemcpyFromHost",
        "real: 1 attention nodes ran unfused (MATH)",
        "real: 2 nodes of packed attention, of which 1 told how",
    ]


def test_a_profile_counts_each_node_once() -> None:
    def event(name: str, operator: str, kind: str = "Node") -> dict[str, Any]:
        return {"cat": kind, "name": name, "args": {"provider": CUDA, "op_name": operator}}

    events = [event("a_kernel_time", "MatMul")] * 3 + [
        event("b_kernel_time", "MatMul"),
        event("b_fence_before", "MatMul"),
        event("m_kernel_time", "MemcpyToHost"),
        {"cat": "Session", "name": "model_run", "args": {}},
    ]
    assert nodes_that_ran(events) == {CUDA: {"MatMul": 2, "MemcpyToHost": 1}}


def test_the_portable_graph_is_really_run_in_a_process_of_its_own(bench: Bench, document: dict[str, Any]) -> None:
    entry = document["sections"]["kernels"]
    assert entry["status"] == "measured" and entry["faults"] == []  # on a CPU, its nodes are where they belong
    found = entry["ways"]["fp32"]
    assert found["ran"][CPU]["MatMul"] >= 12 and found["assigned"].keys() == {CPU}
    assert found["attention"] == {bench.real.name: {}, "16 tokens": {}}


def test_on_cuda_packed_graphs_are_run_with_every_kernel(make_bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[dict[str, Any]] = []

    def run(command: list[str], *, env: dict[str, str], **_: Any) -> Any:
        from pathlib import Path
        from subprocess import CompletedProcess

        import numpy as np

        job = json.loads(Path(command[-1]).read_text())
        with np.load(job["feeds"]["16 tokens"]) as arrays:
            asked.append(
                job | {"arrays": {name: arrays[name].dtype.name for name in arrays}, "debug": env[evidence.DEBUG_INFO]}
            )
        return CompletedProcess(command, 0, OUTPUT.replace('"kernel": 16', '"kernel": 2'), "")

    bench = make_bench()
    monkeypatch.setattr(bench, "device", "cuda:0")
    monkeypatch.setattr("benchmarks.gpu.kernels.subprocess.run", run)
    entry = measure_kernels(bench)
    packed, portable = asked
    assert packed["kernels"] == [None, 1, 2] and packed["model"].endswith("onnx/model_cuda_fp16.onnx")
    assert set(packed["arrays"].values()) == {"int32"} and packed["debug"] == "1"
    assert portable["kernels"] == [None] and portable["arrays"]["attention_mask"] == "int64"
    assert "cuda-fp16, FlashAttention" in entry["ways"] and "fp32" in entry["ways"]
    assert f"cuda-fp16, cutlass: 3 nodes on {CPU}: Gather, Shape" in entry["faults"]
    assert not any(fault.startswith("fp32") for fault in entry["faults"])
