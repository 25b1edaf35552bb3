"""One ONNX Runtime session on the device asked for, and proof that it is the one that runs."""

import mmap
from pathlib import Path

import numpy as np
import onnxruntime as ort
from numpy.typing import NDArray

from bertline.devices import parse_device
from bertline.errors import BertlineError
from infer import openvino
from infer.providers import CPU_PROVIDER, CUDA_PROVIDER, OPENVINO_PROVIDER

# The key that names the file in a tensor's external data. Its bytes stand in the graph as they are; how they are
# framed is up to the writer, so nothing around them is searched for.
_EXTERNAL_DATA = b"location"


class OnnxSession:
    """A loaded graph. `provider` and `device` are what really runs, `inputs` the graph's own input names, `outputs`
    its outputs' shapes by name; a symbolic axis is a name. `shape_tokens` is what the first batch of a shape costs
    beside its tokens, in tokens' time.
    """

    def __init__(
        self,
        model: Path,
        device: str = "cpu",
        threads: int = 1,
        *,
        provider: str = CPU_PROVIDER,
        precision: str = "fp32",
    ) -> None:
        """Load `model` on cpu, cuda or cuda:N; BertlineError with the remedy where that device is not there.

        provider: for the CPU, onnxruntime's own or OpenVINO's. precision: what OpenVINO computes in, bf16 or else
        fp32; the others take it from the graph.
        """
        kind, index = parse_device(device)
        self._model = model
        _refuse_external_data(model)
        options = ort.SessionOptions()
        options.log_severity_level = 3  # errors are raised anyway; warnings about other devices help nobody
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        # Products of uint8 by int8 would saturate in 16 bits on CPUs without VNNI; there, slower ones that do not.
        options.add_session_config_entry("session.x64quantprecision", "1")
        if kind == "cuda":
            _require_cuda()
            options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
            wanted, providers = CUDA_PROVIDER, [(CUDA_PROVIDER, {"device_id": str(index)})]
        elif provider == OPENVINO_PROVIDER:
            options.intra_op_num_threads = 1  # OpenVINO has threads of its own
            options.log_severity_level = 4  # it also logs what it raises
            options.add_session_config_entry("session.disable_cpu_ep_fallback", "1")
            options.add_provider_for_devices([openvino.cpu_device()], openvino.provider_options(precision, threads))
            wanted, providers = OPENVINO_PROVIDER, None
        else:
            # Its kernel for a sum and a norm in one takes several times as long as its kernels for the two.
            options.add_session_config_entry("optimization.disable_specified_optimizers", "SkipLayerNormFusion")
            wanted, providers = CPU_PROVIDER, [(CPU_PROVIDER, {})]
        try:
            self._session = ort.InferenceSession(str(model), options, providers=providers)
        except Exception as error:  # onnxruntime's exceptions share no base class
            raise BertlineError(f"{model}: cannot run on {device}: {_first_line(error)}{_remedy(wanted)}") from None
        self.provider = self._session.get_providers()[0]
        if self.provider != wanted:
            raise BertlineError(f"{model}: {wanted} was asked for, but {self.provider} runs{_remedy(wanted)}")
        self.device = device if kind == "cuda" else "cpu"
        self.shape_tokens = openvino.SHAPE_TOKENS if wanted == OPENVINO_PROVIDER else 0
        self.inputs = tuple(tensor.name for tensor in self._session.get_inputs())
        self.outputs = {tensor.name: tuple(tensor.shape) for tensor in self._session.get_outputs()}

    def run(self, feeds: dict[str, NDArray[np.int64]]) -> NDArray[np.float32]:
        """Logits (batch, labels) float32 for padded int64 (batch, sequence) inputs, given by name."""
        try:
            logits: NDArray[np.float32] = self._session.run(["logits"], feeds)[0]
        except Exception as error:  # as above; out of memory, or ids and lengths that the graph does not take
            shape = "×".join(map(str, feeds["input_ids"].shape))
            raise BertlineError(
                f"{self._model}: failed on a batch of {shape} tokens: {_first_line(error)}; lower --batch-tokens, or "
                "check the bundle with bertline verify"
            ) from None
        return logits


def auto_device() -> str:
    """What `--device auto` tries first: cuda where the installed onnxruntime has a provider for it, else cpu."""
    return "cuda" if CUDA_PROVIDER in ort.get_available_providers() else "cpu"


def open_session(
    model: Path, device: str, threads: int, provider: str = CPU_PROVIDER, precision: str = "fp32"
) -> tuple[OnnxSession, str | None]:
    """The session, and a remark where `auto` had a CUDA provider at hand and could not use it.

    provider and precision are for the CPU, as in `OnnxSession`.
    """
    if device != "auto":
        return OnnxSession(model, device, threads, provider=provider, precision=precision), None
    if auto_device() == "cpu":
        return OnnxSession(model, "cpu", threads, provider=provider, precision=precision), None
    try:
        return OnnxSession(model, "cuda", threads), None
    except BertlineError as error:
        return OnnxSession(model, "cpu", threads), f"--device auto runs on the CPU: {error}"


def _require_cuda() -> None:
    if CUDA_PROVIDER not in ort.get_available_providers():
        raise BertlineError(
            f"--device cuda: the onnxruntime that is installed ({ort.__version__}) has no {CUDA_PROVIDER}; "
            "pip uninstall -y onnxruntime && pip install 'bertline[gpu]', or use --device cpu"
        )
    ort.preload_dlls()  # CUDA and cuDNN from pip packages


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
    lines = [line for line in str(error).splitlines() if line.strip() and "Exception from " not in line]
    return lines[0].strip() if lines else type(error).__name__
