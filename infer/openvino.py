"""OpenVINO as a provider for the CPU: a plugin that the installed onnxruntime loads into this process."""

import json
import platform
from functools import cache
from typing import Any

import onnxruntime as ort

from bertline.errors import BertlineError
from infer.providers import OPENVINO_PROVIDER

PACKAGE = "onnxruntime-ep-openvino"
SHAPE_TOKENS = 150  # OpenVINO prepares kernels for each new shape, which takes as long as about so many tokens
_KEPT_PARTS = "128"  # of what it prepared; see `provider_options`
_X86_64 = ("x86_64", "AMD64")


def missing() -> str | None:
    """Why OpenVINO cannot run in this process and what to do about it; None where it can."""
    try:
        cpu_device()
    except BertlineError as error:
        return str(error)
    return None


def cpu_device() -> Any:
    """The CPU as onnxruntime's `OrtEpDevice` of OpenVINO; BertlineError where there is none."""
    fault = _register()
    if fault:
        raise BertlineError(fault)
    for device in ort.get_ep_devices():
        if device.ep_name == OPENVINO_PROVIDER and device.ep_metadata.get("ov_device") == "CPU":
            return device
    raise BertlineError(
        f"OpenVINO's plugin does not offer this CPU ({_vendor()}) to onnxruntime: it takes Intel's only; "
        "use --provider cpu"
    )


def provider_options(precision: str, threads: int) -> dict[str, str]:
    """Options for `SessionOptions.add_provider_for_devices`.

    precision: of the variant. The hint is always named: OpenVINO's own default is bf16 where the CPU has it, which
    would change logits without a word. threads: of the one stream; not pinned to cores, since those this process
    may use are often shared. What OpenVINO prepares for a shape is kept for few shapes only: it keeps 5,000 of its
    parts by default, and memory then grows with the file (a small model, 100,000 and 200,000 rows: 511 and 637 MiB, and
    309 and 319 with this limit). Rows come by length, so that one shape follows the other and little is prepared twice.
    """
    config = {
        "INFERENCE_PRECISION_HINT": "bf16" if precision == "bf16" else "f32",
        "INFERENCE_NUM_THREADS": str(threads),
        "NUM_STREAMS": "1",
        "ENABLE_CPU_PINNING": "NO",
        "CPU_RUNTIME_CACHE_CAPACITY": _KEPT_PARTS,
    }
    return {"load_config": json.dumps({"CPU": config})}


@cache
def _register() -> str | None:
    """Load the plugin into onnxruntime, once a process; what went wrong, as one line."""
    try:
        import onnxruntime_ep_openvino
    except ModuleNotFoundError:
        if platform.machine() not in _X86_64:
            return f"OpenVINO's plugin exists for x86-64 only, and this is {platform.machine()}; use --provider cpu"
        return "OpenVINO's plugin is not installed; pip install 'bertline[cpu]', or use --provider cpu"
    try:
        ort.register_execution_provider_library(OPENVINO_PROVIDER, onnxruntime_ep_openvino.get_library_path())
    except Exception as error:  # onnxruntime's exceptions share no base class
        reason = str(error).strip().splitlines()[0]
        return (
            f"onnxruntime {ort.__version__} cannot load OpenVINO's plugin ({reason}); "
            f"pip install --upgrade onnxruntime {PACKAGE}, or use --provider cpu"
        )
    return None


def _vendor() -> str:
    """Who made the CPU, as onnxruntime sees it."""
    return next((d.device.vendor for d in ort.get_ep_devices() if d.device.type.name == "CPU"), platform.machine())
