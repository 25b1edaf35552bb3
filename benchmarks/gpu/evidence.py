"""Runs a graph in a process of its own and tells where its nodes ran; ONNX Runtime prints the attention kernels.

It is `python -m benchmarks.gpu.evidence JOB.json`, with ORT_ENABLE_ATTENTION_KERNEL_DEBUG_INFO=1 in the environment: a
kernel reads that once, when it is made, and prints from C++ at every run. Lines of our own stand between its lines.
"""

import json
import sys
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime as ort

from bertline.devices import parse_device
from infer.cuda import CudaOptions, require_cuda
from infer.providers import CPU_PROVIDER, CUDA_PROVIDER

MARK = "bertline-evidence "  # what our lines begin with
DEBUG_INFO = "ORT_ENABLE_ATTENTION_KERNEL_DEBUG_INFO"


def main(job_file: Path) -> None:
    """Run a job: {"model", "device", "kernels": [null or a number], "feeds": {name: file.npz}}."""
    job = json.loads(job_file.read_text())
    for kernel in job["kernels"]:
        _run(job, kernel, job_file.parent)


def _run(job: dict[str, Any], kernel: int | None, folder: Path) -> None:
    options = ort.SessionOptions()
    options.log_severity_level = 3
    options.enable_profiling = True
    options.profile_file_prefix = str(folder / f"profile-{kernel}")
    options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
    # Falling back to the CPU is allowed here, unlike where a bundle is scored: what falls back shall be named.
    session = ort.InferenceSession(job["model"], options, providers=_providers(job["device"], kernel))
    _tell("session", kernel=kernel, assigned=_assigned(session))
    wanted = {tensor.name for tensor in session.get_inputs()}
    for workload, file in job["feeds"].items():
        _tell("run", kernel=kernel, workload=workload)
        with np.load(file) as arrays:
            session.run(None, {name: arrays[name] for name in wanted})
    events = json.loads(Path(session.end_profiling()).read_text())
    _tell("profile", kernel=kernel, ran=nodes_that_ran(events))


def _providers(device: str, kernel: int | None) -> list[tuple[str, dict[str, str]]]:
    """As infer.session asks for them."""
    kind, index = parse_device(device)
    if kind == "cpu":
        return [(CPU_PROVIDER, {})]
    require_cuda(index)
    return [(CUDA_PROVIDER, CudaOptions(sdpa_kernel=kernel).provider_options(index))]


def _assigned(session: Any) -> dict[str, dict[str, int]]:
    """Provider to operator to count, as the graph was divided among providers, before they fused nodes."""
    counts: dict[str, Counter[str]] = {}
    for part in session.get_provider_graph_assignment_info():
        counts.setdefault(part.ep_name, Counter()).update(node.op_type for node in part.get_nodes())
    return {provider: dict(counter) for provider, counter in counts.items()}


def nodes_that_ran(events: Iterable[dict[str, Any]]) -> dict[str, dict[str, int]]:
    """Provider to operator to count of the nodes in a profile, each once; copies between devices are nodes, too."""
    nodes = {
        event["name"]: (event["args"]["provider"], event["args"]["op_name"])
        for event in events
        if event.get("cat") == "Node" and event["name"].endswith("_kernel_time")
    }
    counts: dict[str, Counter[str]] = {}
    for provider, operator in nodes.values():
        counts.setdefault(provider, Counter())[operator] += 1
    return {provider: dict(counter) for provider, counter in counts.items()}


def _tell(event: str, **facts: Any) -> None:
    print(MARK + json.dumps({"event": event} | facts), flush=True)  # at once: C++ writes to the same file


if __name__ == "__main__":
    main(Path(sys.argv[1]))
