"""One ONNX Runtime session on the device asked for, and proof that it is the one that runs."""

import mmap
import re
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from bertline.devices import parse_device
from bertline.errors import BertlineError
from infer import openvino
from infer.cpus import cpu_name
from infer.cuda import DEFAULTS as CUDA_DEFAULTS
from infer.cuda import SHAPE_TOKENS, CudaOptions, device_name, require_cuda
from infer.providers import CPU_PROVIDER, CUDA_PROVIDER, OPENVINO_PROVIDER

# The key that names the file in a tensor's external data. Its bytes stand in the graph as they are; how they are
# framed is up to the writer, so nothing around them is searched for.
_EXTERNAL_DATA = b"location"
# What the providers call it; the last is of their arena's own limit.
_NO_ROOM = re.compile("out of memory|failed to allocate memory|alloc_failed|bad_alloc|available memory of", re.I)
_ROOM = "; make room on the device, where other processes may hold memory, or use --device cpu"
_REASON = re.compile(r"(CUDA failure|Failed to allocate memory|Available memory of)[^;\n]*")  # within a long line
# On CUDA, ONNX Runtime computes sizes on the CPU on purpose: they are a few numbers, and operators want them there.
_SIZES = {"Shape", "Concat", "Gather", "Slice", "Squeeze", "Unsqueeze", "Cast", "Range", "Add", "Sub", "Mul", "Div"}
NO_GRAPH = -1  # ONNX Runtime's word for a run that is neither recorded nor replayed


class OutOfMemoryError(BertlineError):
    """The device has no room for a batch; a smaller one may fit."""


class OnnxSession:
    """A loaded graph. `provider`, `device` and `device_name` are what really runs, `inputs` the graph's own input
    names, `outputs` its outputs' shapes by name; a symbolic axis is a name. `shape_tokens` is what the first batch of a
    shape costs beside its tokens, in tokens' time. `graphs` says whether runs that are bound to memory of the device
    are recorded as CUDA graphs. `session` is ONNX Runtime's own.
    """

    def __init__(
        self,
        model: Path,
        device: str = "cpu",
        threads: int = 1,
        *,
        provider: str = CPU_PROVIDER,
        precision: str = "fp32",
        cuda: CudaOptions = CUDA_DEFAULTS,
    ) -> None:
        """Load `model` on cpu, cuda or cuda:N; BertlineError with the remedy where that device is not there.

        provider: for the CPU, onnxruntime's own or OpenVINO's. precision: what OpenVINO computes in, bf16 or else
        fp32; the others take it from the graph. cuda: for a CUDA device.
        """
        kind, index = parse_device(device)
        self._model = model
        _refuse_external_data(model)
        options = ort.SessionOptions()
        options.log_severity_level = 4  # all providers also log what they raise
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Products of uint8 by int8 would saturate in 16 bits on CPUs without VNNI; there, slower ones that do not.
        options.add_session_config_entry("session.x64quantprecision", "1")
        if kind == "cuda":
            require_cuda(index)
            ort.set_default_logger_severity(4)  # partly before there is a session
            options.add_session_config_entry("session.record_ep_graph_assignment_info", "1")
            wanted, providers = CUDA_PROVIDER, [(CUDA_PROVIDER, cuda.provider_options(index))]
        elif provider == OPENVINO_PROVIDER:
            options.intra_op_num_threads = 1  # OpenVINO has threads of its own
            options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
            options.add_provider_for_devices([openvino.cpu_device()], openvino.provider_options(precision, threads))
            wanted, providers = OPENVINO_PROVIDER, None
        else:
            # Its kernel for a sum and a norm in one takes several times as long as its kernels for the two.
            options.add_session_config_entry("optimization.disable_specified_optimizers", "SkipLayerNormFusion")
            wanted, providers = CPU_PROVIDER, [(CPU_PROVIDER, {})]
        try:
            # Its own fallback would run on the CPU, and say so on stdout.
            self.session = ort.InferenceSession(str(model), options, providers=providers, enable_fallback=0)
        except Exception as error:  # onnxruntime's exceptions share no base class
            remedy = _ROOM if kind == "cuda" and _NO_ROOM.search(str(error)) else _remedy(wanted)
            raise BertlineError(f"{model}: cannot run on {device}: {_first_line(error)}{remedy}") from None
        self.provider: str = self.session.get_providers()[0]
        if self.provider != wanted:
            raise BertlineError(f"{model}: {wanted} was asked for, but {self.provider} runs{_remedy(wanted)}")
        if kind == "cuda" and (strays := _computed_on_cpu(self.session)):
            raise BertlineError(f"{model}: CUDA cannot run its {', '.join(strays)}; use --variant fp32")
        self.device = device if kind == "cuda" else "cpu"
        self.device_name = device_name(index) if kind == "cuda" else cpu_name()
        self.graphs = kind == "cuda" and cuda.graphs
        self.shape_tokens = {OPENVINO_PROVIDER: openvino.SHAPE_TOKENS, CUDA_PROVIDER: SHAPE_TOKENS}.get(wanted, 0)
        self.inputs = tuple(tensor.name for tensor in self.session.get_inputs())
        self.outputs = {tensor.name: tuple(tensor.shape) for tensor in self.session.get_outputs()}

    def run(self, feeds: dict[str, NDArray[np.int64]]) -> NDArray[np.float32]:
        """Logits (batch, labels) float32 for padded int64 (batch, sequence) inputs, given by name.

        Raises OutOfMemoryError where there is no room, BertlineError for all else that goes wrong.
        """
        options = ort.RunOptions()
        if self.graphs:  # a recording would give nothing back, and be replayed for every shape
            options.add_run_config_entry("gpu_graph_id", str(NO_GRAPH))
        try:
            logits: NDArray[np.float32] = self.session.run(["logits"], feeds, options)[0]
        except Exception as error:  # as above; out of memory, or ids and lengths that the graph does not take
            shape = "×".join(map(str, feeds["input_ids"].shape))
            raise self.failure(error, f"a batch of {shape} tokens") from None
        return logits

    def failure(self, error: Exception, batch: str) -> BertlineError:
        """What onnxruntime raised while it ran `batch`, as one line with the remedy."""
        reason = _first_line(error)
        if _NO_ROOM.search(str(error)):
            return OutOfMemoryError(
                f"{self._model}: {self.device} has no memory left for {batch} ({reason}); free the device, or "
                "start over with a smaller --window or --max-length"
            )
        return BertlineError(
            f"{self._model}: failed on {batch}: {reason}; lower --batch-tokens, or check the bundle with "
            "bertline verify"
        )


def _computed_on_cpu(session: ort.InferenceSession) -> list[str]:
    """Operators of a CUDA session that were placed on the CPU and compute more than sizes."""
    parts = [part for part in session.get_provider_graph_assignment_info() if part.ep_name != CUDA_PROVIDER]
    return sorted({node.op_type for part in parts for node in part.get_nodes()} - _SIZES)


def _remedy(provider: str) -> str:
    return {
        CUDA_PROVIDER: "; use --device cpu, or check the driver with nvidia-smi",
        OPENVINO_PROVIDER: "; use --provider cpu, or export the model again",
    }.get(provider, "; export the model again")


def _refuse_external_data(model: Path) -> None:
    """A graph may keep its weights in other files; ours never do, so a reference to one is an intruder."""
    if model.stat().st_size == 0:
        raise BertlineError(f"{model}: is empty; export the model again")
    with model.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as content:
        if content.find(_EXTERNAL_DATA) >= 0:
            raise BertlineError(f"{model}: refers to data outside the file, which is refused; export the model again")


def _first_line(error: Exception) -> str:
    """The first line that says something: OpenVINO's begin with the places in its source that the error passed."""
    if told := _REASON.search(str(error)):
        return told[0].strip()
    lines = [line for line in str(error).splitlines() if line.strip() and "Exception from " not in line]
    return lines[0].strip() if lines else type(error).__name__
