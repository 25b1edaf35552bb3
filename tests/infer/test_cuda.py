"""What is said where CUDA is missing or wrong: the driver and the loader are played, all else is real."""

from ctypes import POINTER, c_char_p, c_int, cast
from pathlib import Path
from typing import Any

import onnxruntime
import pytest

from bertline.errors import BertlineError
from infer import cuda
from infer.cuda import CudaOptions, missing, require_cuda
from infer.scorer import Scorer, resolve_device
from infer.session import OnnxSession, OutOfMemoryError
from tests import tiny
from tests.conftest import Cli


class PlayedDriver:
    """libcuda.so.1 as ctypes would give it."""

    def __init__(self, init: int = 0, version: int = 13020, names: tuple[str, ...] = ("NVIDIA Example",)) -> None:
        self._init, self._version, self._names = init, version, names

    def cuInit(self, flags: int) -> int:  # noqa: N802
        assert flags == 0
        return self._init

    def cuDriverGetVersion(self, number: Any) -> int:  # noqa: N802
        return _set(number, self._version)

    def cuDeviceGetCount(self, number: Any) -> int:  # noqa: N802
        return _set(number, len(self._names))

    def cuDeviceGet(self, device: Any, index: int) -> int:  # noqa: N802
        return _set(device, index)

    def cuDeviceGetName(self, name: Any, size: int, device: Any) -> int:  # noqa: N802
        name.value = self._names[device.value].encode()[:size]
        return 0

    def cuGetErrorName(self, code: int, name: Any) -> int:  # noqa: N802
        cast(name, POINTER(c_char_p))[0] = {803: b"CUDA_ERROR_SYSTEM_DRIVER_MISMATCH"}.get(code)
        return 0


def _set(pointer: Any, value: int) -> int:
    cast(pointer, POINTER(c_int))[0] = value
    return 0


@pytest.fixture
def played(monkeypatch: pytest.MonkeyPatch) -> Any:
    """A machine with an onnxruntime for CUDA 13.0, a driver, and all libraries but those named as lacking."""

    def play(driver: PlayedDriver | None = None, lacking: str = "", providers: tuple[str, ...] | None = None) -> None:
        def load(name: str) -> Any:
            if (name == "libcuda.so.1" and driver is None) or (lacking and lacking in name):
                raise OSError(f"{name}: cannot open shared object file: No such file or directory")
            return driver

        monkeypatch.setattr(cuda, "CDLL", load)
        monkeypatch.setattr(onnxruntime, "preload_dlls", lambda: print("Failed to load something"))
        monkeypatch.setattr(onnxruntime, "cuda_version", "13.0")
        there = list(providers or ("CUDAExecutionProvider", "CPUExecutionProvider"))
        monkeypatch.setattr(onnxruntime, "get_available_providers", lambda: there)

    return play


def test_a_machine_with_everything(played: Any, capsys: pytest.CaptureFixture[str]) -> None:
    played(PlayedDriver(names=("NVIDIA Example", "NVIDIA Other")))
    assert missing(0) is None and missing(1) is None
    assert cuda.device_name(1) == "NVIDIA Other"
    assert resolve_device("auto") == ("cuda", None)
    assert capsys.readouterr().out == ""  # which may be the scored file


WRONG = {
    "no driver": (None, "", 0, "no NVIDIA driver is here (libcuda.so.1 cannot be loaded); install one, in a container"),
    "no device": (PlayedDriver(init=100), "", 0, "the driver sees no CUDA device; check with nvidia-smi"),
    "broken": (
        PlayedDriver(init=803),
        "",
        0,
        "the driver answers CUDA_ERROR_SYSTEM_DRIVER_MISMATCH (803); check with nvidia-smi",
    ),
    "unnamed": (PlayedDriver(init=999), "", 0, "the driver answers an error it has no name for (999)"),
    "old": (PlayedDriver(version=12040), "", 0, "serves CUDA 12.4, and onnxruntime "),
    "one device": (PlayedDriver(), "", 3, "--device cuda:3: there is one device, cuda:0"),
    "few devices": (PlayedDriver(names=("A", "B")), "", 2, "there are 2 devices, cuda:0 to cuda:1"),
    "no CUDA": (PlayedDriver(), "providers_cuda", 0, "lacks a library (", "pip install 'bertline[gpu]' brings CUDA 13"),
    "no cuDNN": (PlayedDriver(), "libcudnn.so.9", 0, "lacks a library (libcudnn.so.9: cannot open"),
}


@pytest.mark.parametrize("case", WRONG)
def test_what_is_wrong_is_one_line_with_the_remedy(case: str, played: Any, bundle: Path) -> None:
    driver, lacking, index, *said = WRONG[case]
    played(driver, lacking)
    device = f"cuda:{index}" if index else "cuda"
    for attempt in (
        lambda: require_cuda(index),
        lambda: OnnxSession(bundle / "onnx/model.onnx", device),
        lambda: Scorer.open(bundle, device=device),
    ):
        with pytest.raises(BertlineError) as caught:
            attempt()
        message = str(caught.value)
        assert message.startswith(f"--device {device}: ") and "\n" not in message
        assert all(part in message for part in said), message
    assert missing(index) == message
    if not index:
        assert resolve_device("auto") == ("cpu", f"--device auto runs on the CPU: {message}")
        assert Scorer.open(bundle).session.device == "cpu"


def test_devices_that_are_hidden_are_said_to_be(played: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    played(PlayedDriver(init=100))
    assert "no CUDA device with CUDA_VISIBLE_DEVICES=-1; " in (missing() or "")


@pytest.mark.parametrize("packages", [{}, {"onnxruntime": "1.32.0"}, {"onnxruntime-gpu": "1.31.1", "onnxruntime": "1"}])
def test_a_package_without_cuda(packages: dict[str, str], played: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    played(PlayedDriver(), providers=("CPUExecutionProvider",))
    monkeypatch.setattr(cuda, "installed", packages.get)
    message = missing() or ""
    hidden = "it hides onnxruntime-gpu 1.31.1, which is installed too" in message
    assert hidden == ("onnxruntime-gpu" in packages)
    assert "pip uninstall -y onnxruntime onnxruntime-gpu && pip install 'bertline[gpu]'" in message
    assert resolve_device("auto") == ("cpu", None)  # nobody wished for CUDA


def test_two_packages_are_a_remark_where_the_right_one_loads(played: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    played(PlayedDriver())
    monkeypatch.setattr(cuda, "installed", {"onnxruntime-gpu": "1.31.1", "onnxruntime": "1.32.0"}.get)
    device, remark = resolve_device("auto")
    assert device == "cuda" and "are both installed" in (remark or "")


def test_wishes_for_the_cpu_decide_for_it(played: Any) -> None:
    played(PlayedDriver())
    assert resolve_device("auto", variant="bf16")[0] == resolve_device("auto", provider="openvino")[0] == "cpu"


def test_a_session_that_fails_all_the_same_does_not_run_on_the_cpu(
    played: Any, bundle: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """The installed onnxruntime has no CUDA provider, though it is told to have one: it may say so, and no more."""
    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("this onnxruntime has a CUDA provider; install the one for CPUs")
    played(PlayedDriver())
    with pytest.raises(BertlineError, match=r"cannot run on cuda:.*use --device cpu|but CPUExecutionProvider runs"):
        OnnxSession(bundle / "onnx/model.onnx", "cuda")
    assert capfd.readouterr().out == ""


def test_the_command_says_it_in_one_line(played: Any, bundle: Path, cli: Cli, tmp_path: Path) -> None:
    played(None)
    outcome = cli("infer", bundle, tiny.write_table(tmp_path / "t.tsv"), "-o", tmp_path / "o.tsv", "--device", "cuda")
    assert (outcome.code, outcome.err.count("\n")) == (1, 1)
    assert "no NVIDIA driver is here" in outcome.err and not (tmp_path / "o.tsv").exists()


def test_options_of_the_provider() -> None:
    assert CudaOptions().provider_options(1) == {"device_id": "1", "use_tf32": "0", "enable_cuda_graph": "0"}
    given = CudaOptions(sdpa_kernel=2, graphs=True, memory_limit=2**30).provider_options(0)
    assert given["sdpa_kernel"] == "2" and given["enable_cuda_graph"] == "1" and given["gpu_mem_limit"] == str(2**30)


@pytest.mark.parametrize(
    "text",
    [
        "CUDA failure 2: out of memory ; GPU=0 ; hostname=h ; expr=cudaMalloc((void**)&p, size);",
        "[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : Failed to allocate memory for requested buffer of size 1024",
        "CUBLAS failure 3: CUBLAS_STATUS_ALLOC_FAILED ; GPU=0",
    ],
)
def test_a_lack_of_memory_is_told_from_other_failures(text: str, bundle: Path) -> None:
    session = OnnxSession(bundle / "onnx/model.onnx")
    assert isinstance(session.failure(RuntimeError(text), "a batch"), OutOfMemoryError)
    assert not isinstance(session.failure(RuntimeError("CUDA failure 700: illegal address"), "b"), OutOfMemoryError)
