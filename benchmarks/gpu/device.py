"""What the device is, how fast its clocks run, and what its matrix units reach."""

import math
import shutil
import subprocess
from typing import Any

import torch

from benchmarks.ceiling import bert_shapes, linear, matrix_rate, seconds_of
from benchmarks.gpu.bench import Bench
from infer.cpus import cpu_name, usable_cpus
from infer.versions import installed, runtime_versions

# What nvidia-smi is asked for; `nvidia-smi --help-query-gpu` explains each.
QUERY = (
    "driver_version",
    "pstate",
    "clocks.sm",
    "clocks.mem",
    "clocks.max.sm",
    "clocks.max.mem",
    "power.draw",
    "power.limit",
    "temperature.gpu",
    "memory.total",
)
_SMI_SECONDS = 20.0
_PACKAGES = ("transformers", "triton", "accelerate", "onnx", "onnxruntime-gpu", "nvidia-cudnn-cu13", "nvidia-cublas")


def environment(device: str) -> dict[str, Any]:
    """Names and versions of all that the figures rest on."""
    versions = runtime_versions() | {"torch": torch.__version__}
    versions |= {package: found for package in _PACKAGES if (found := installed(package))}
    facts: dict[str, Any] = {"device": device, "cpu": cpu_name(), "cpus": usable_cpus(), "versions": versions}
    if device == "cpu":
        return facts | {"name": cpu_name()}
    properties = torch.cuda.get_device_properties(device)
    return facts | {
        "name": properties.name,
        "capability": f"{properties.major}.{properties.minor}",
        "multiprocessors": properties.multi_processor_count,
        "memory_gib": round(properties.total_memory / 2**30, 1),
        "cuda": torch.version.cuda,
        "cudnn": torch.backends.cudnn.version(),
        "float32_matmul_precision": torch.get_float32_matmul_precision(),
    }


def clocks(device: str) -> dict[str, str]:
    """What nvidia-smi says of the device right now, or one `remark` why it says nothing."""
    if device == "cpu":
        return {"remark": "not on this device"}
    if shutil.which("nvidia-smi") is None:
        return {"remark": "nvidia-smi is not installed"}
    uuid = str(torch.cuda.get_device_properties(device).uuid)
    chosen = uuid if uuid.startswith("GPU-") else f"GPU-{uuid}"
    command = ["nvidia-smi", "-i", chosen, f"--query-gpu={','.join(QUERY)}", "--format=csv,noheader"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_SMI_SECONDS)
    except subprocess.TimeoutExpired:
        return {"remark": f"nvidia-smi did not answer within {_SMI_SECONDS:.0f} s"}
    return parse_clocks(done.stdout if done.returncode == 0 else "", done.stderr or done.stdout)


def parse_clocks(line: str, error: str = "") -> dict[str, str]:
    """The values of QUERY by name, with their units."""
    values = [value.strip() for value in line.strip().split(",")]
    if len(values) != len(QUERY):
        return {"remark": f"nvidia-smi failed: {' '.join((error or line).split())[:200]}"}
    return dict(zip(QUERY, values, strict=True))


def measure_matrix_rate(bench: Bench) -> dict[str, Any]:
    """FLOP/s in float16, on a CPU in float32: the best of ten products of one large square and of BERT-base's shapes,
    each by itself; and of products without a pause, while the clocks are read. The best of all is what results are a
    share of.
    """
    size, tokens, device = bench.plan.matrix_size, bench.plan.matrix_tokens, bench.device
    dtype = torch.float16 if bench.on_cuda else torch.float32
    rates = {
        f"{size} × {size} × {size}": matrix_rate(dtype, device, [(size, size, size)]),
        f"BERT-base's products, {tokens:,} tokens": matrix_rate(dtype, device, bert_shapes(tokens)),
    }
    sustained, under_load = _sustained(bench, dtype, max(rates.values()))
    bench.matrix_rate = max(*rates.values(), sustained)
    return {
        "dtype": str(dtype).removeprefix("torch."),
        "matrix_rate": bench.matrix_rate,
        "best": rates,
        "sustained": sustained,
        "clocks_under_load": under_load,
    }


def _sustained(bench: Bench, dtype: torch.dtype, rate: float) -> tuple[float, dict[str, str]]:
    """FLOP/s of the square over about a second, and the clocks in its midst."""
    size, device = bench.plan.matrix_size, bench.device
    flop = 2.0 * size**3
    repeats = max(1, math.ceil(bench.plan.matrix_seconds * rate / flop))
    product = linear(dtype, device, size, size, size)
    seen: dict[str, str] = {}

    def load() -> None:
        for _ in range(repeats):
            product()

    with torch.inference_mode():
        product()
        if bench.on_cuda:  # what is launched here runs while nvidia-smi looks
            load()
            load()
            seen = clocks(device)
            torch.cuda.synchronize()
        else:
            seen = clocks(device)
        seconds = seconds_of(load, device)
    return flop * repeats / seconds, seen
