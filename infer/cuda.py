"""What CUDA has here: the driver is asked itself, and each library by name, since ONNX Runtime says less of a fault."""

import io
import os
from contextlib import redirect_stdout
from ctypes import CDLL, byref, c_char_p, c_int, create_string_buffer
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import onnxruntime as ort

from bertline.errors import BertlineError
from infer.providers import CUDA_PROVIDER
from infer.versions import installed

SHAPE_TOKENS = 512  # a padded batch of any size takes as long as about so many tokens; an estimate, not measured
_DRIVER = "libcuda.so.1"
_NO_DEVICE = 100  # CUDA_ERROR_NO_DEVICE of the driver's API
_NAME_BYTES = 256
_OR_CPU = ", or use --device cpu"
_PROVIDER = Path(ort.__file__).parent / "capi" / "libonnxruntime_providers_cuda.so"
_CUDNN = "libcudnn.so.9"


@dataclass(frozen=True)
class CudaOptions:
    """How a session uses its CUDA device.

    sdpa_kernel: 1 flash attention, 2 cutlass's; None: ONNX Runtime chooses. graphs: record runs of packed graphs
    as CUDA graphs and replay them. memory_limit: bytes for values between operators; None: all there is.
    """

    sdpa_kernel: int | None = None
    graphs: bool = False
    memory_limit: int | None = None

    def provider_options(self, index: int) -> dict[str, str]:
        """Options of the CUDA provider. TF32, its default, keeps three decimal digits of a float32: not for us."""
        options = {"device_id": str(index), "use_tf32": "0", "enable_cuda_graph": str(int(self.graphs))}
        if self.sdpa_kernel is not None:
            options["sdpa_kernel"] = str(self.sdpa_kernel)
        if self.memory_limit is not None:
            options["gpu_mem_limit"] = str(self.memory_limit)
        return options


DEFAULTS = CudaOptions()


class Driver:
    """The driver's API, as far as it says what is there. Raises BertlineError where it does not answer."""

    def __init__(self) -> None:
        try:
            self._library = CDLL(_DRIVER)
        except OSError:
            raise BertlineError(
                f"no NVIDIA driver is here ({_DRIVER} cannot be loaded); install one, in a container let it in with "
                f"docker run --gpus all{_OR_CPU}"
            ) from None
        code = self._library.cuInit(0)
        if code == _NO_DEVICE:
            hidden = os.environ.get("CUDA_VISIBLE_DEVICES")
            shown = "" if hidden is None else f" with CUDA_VISIBLE_DEVICES={hidden}"
            raise BertlineError(f"the driver sees no CUDA device{shown}; check with nvidia-smi{_OR_CPU}")
        self._check(code)

    @property
    def cuda(self) -> tuple[int, int]:
        """The newest CUDA version that the driver serves: major, minor."""
        number = self._int(self._library.cuDriverGetVersion)
        return number // 1000, number % 1000 // 10

    @property
    def devices(self) -> int:
        """How many devices there are for this process."""
        return self._int(self._library.cuDeviceGetCount)

    def name(self, index: int) -> str:
        """What the device calls itself."""
        device, name = c_int(), create_string_buffer(_NAME_BYTES)
        self._check(self._library.cuDeviceGet(byref(device), index))
        self._check(self._library.cuDeviceGetName(name, _NAME_BYTES, device))
        return name.value.decode(errors="replace")

    def _int(self, ask: Any) -> int:
        number = c_int()
        self._check(ask(byref(number)))
        return number.value

    def _check(self, code: int) -> None:
        if code == 0:
            return
        name = c_char_p()
        self._library.cuGetErrorName(code, byref(name))
        said = name.value.decode(errors="replace") if name.value else "an error it has no name for"
        raise BertlineError(f"the driver answers {said} ({code}); check with nvidia-smi{_OR_CPU}")


def is_built_in() -> bool:
    """Whether the onnxruntime that loads has a provider for CUDA."""
    return CUDA_PROVIDER in ort.get_available_providers()


def missing(index: int = 0) -> str | None:
    """Why nothing can run on that CUDA device and what to do about it; None where it can."""
    try:
        require_cuda(index)
    except BertlineError as error:
        return str(error)
    return None


def require_cuda(index: int) -> None:
    """BertlineError with the remedy where ONNX Runtime cannot run on that CUDA device.

    Loads the CUDA libraries that pip packages bring, so that the provider finds them.
    """
    if not is_built_in():
        raise BertlineError(f"--device cuda: {_wrong_package()}")
    try:
        driver = Driver()
        _require_version(driver)
        if index >= (count := driver.devices):
            there = "one device, cuda:0" if count == 1 else f"{count} devices, cuda:0 to cuda:{count - 1}"
            raise BertlineError(f"there is {there}" if count == 1 else f"there are {there}")
        _load_libraries()
    except BertlineError as error:
        raise BertlineError(f"--device cuda{f':{index}' if index else ''}: {error}") from None


def device_name(index: int) -> str:
    """What a device that `require_cuda` let pass calls itself."""
    return Driver().name(index)


def remark() -> str | None:
    """What should be mended though it works; None where all is well."""
    cpu, gpu = installed("onnxruntime"), installed("onnxruntime-gpu")
    if cpu and gpu:
        return f"onnxruntime {cpu} and onnxruntime-gpu {gpu} are both installed, into one folder; {_REINSTALL}"
    return None


_REINSTALL = "pip uninstall -y onnxruntime onnxruntime-gpu && pip install 'bertline[gpu]'"


def _wrong_package() -> str:
    """Why the module that loads has no CUDA provider."""
    gpu = installed("onnxruntime-gpu")
    loaded = f"the onnxruntime that loads ({ort.__version__}) has no {CUDA_PROVIDER}"
    if gpu:
        return f"{loaded}: it hides onnxruntime-gpu {gpu}, which is installed too; {_REINSTALL}{_OR_CPU}"
    return f"{loaded}; {_REINSTALL}{_OR_CPU}"


def _require_version(driver: Driver) -> None:
    built = _built_for()
    served = driver.cuda
    if served[0] < built:
        raise BertlineError(
            f"the driver serves CUDA {served[0]}.{served[1]}, and onnxruntime {ort.__version__} is built for CUDA "
            f"{built}; update the driver, or install an onnxruntime-gpu for CUDA {served[0]}{_OR_CPU}"
        )


def _load_libraries() -> None:
    """Into this process, so that the provider finds them; the loader says what is missing, and ONNX Runtime does not.

    The provider is linked to CUDA's libraries, and opens cuDNN by itself when it needs it.
    """
    with redirect_stdout(io.StringIO()):  # where it prints what it does not find
        ort.preload_dlls()
    for library in (str(_PROVIDER), _CUDNN):
        try:
            CDLL(library)
        except OSError as error:
            raise BertlineError(
                f"onnxruntime {ort.__version__} lacks a library ({error}); pip install 'bertline[gpu]' brings CUDA "
                f"{_built_for()} and cuDNN 9{_OR_CPU}"
            ) from None


def _built_for() -> int:
    """CUDA's major version that the installed onnxruntime is built for."""
    return int(ort.cuda_version.split(".")[0])
