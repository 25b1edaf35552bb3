"""The device that training runs on, and the precision it computes in."""

import shutil
import warnings
from collections.abc import Callable

import torch

from bertline.devices import parse_device
from bertline.errors import BertlineError, UsageError
from bertline.processes import Processes

_FP16_CAPABILITY = (5, 3)  # the first CUDA devices with fp16 arithmetic

Say = Callable[[str], None]


def resolve_device(device: str, say: Say = lambda remark: None) -> str:
    """`cpu` or `cuda:N`; `auto` is `cuda:0` where PyTorch can compute on it, and `cuda` means `cuda:0`.

    Where `auto` falls back to the CPU of a machine that has a card, `say` is told why. Raises UsageError for any other
    word, and BertlineError with the remedy where a CUDA device is asked for and not there, or does not compute.
    """
    if device == "auto":
        problem = _problem(0)
        if problem and shutil.which("nvidia-smi"):
            say(f"--device auto trains on the CPU: {problem}")
        return "cpu" if problem else "cuda:0"
    kind, index = parse_device(device)
    if kind == "cpu":
        return "cpu"
    problem = _problem(index)
    if problem:
        raise BertlineError(f"--device {device}: {problem}, or use --device cpu")
    return f"cuda:{index}"


def resolve_own_device(device: str, processes: Processes, say: Say = lambda remark: None) -> str:
    """As `resolve_device`; of several processes, each has the card of its number on its machine.

    Raises UsageError as well for a card that is named to several processes.
    """
    if processes.count == 1:
        return resolve_device(device, say)
    if ":" in device:
        raise UsageError(
            f"--device {device}: {processes.count} processes have a card each; leave it out, or give cuda or cpu"
        )
    # What the first can do decides for all: none trains on the CPU beside others that have a card.
    first = processes.from_first("device", lambda: resolve_device(device, say))
    return "cpu" if first == "cpu" else resolve_device(f"cuda:{processes.local_rank}")


def card_name(device: str) -> str | None:
    """What the card calls itself, such as NVIDIA H200; None on the CPU."""
    return None if device == "cpu" else str(torch.cuda.get_device_name(device))


def describe(device: str) -> str:
    """`cpu`, or the CUDA device with its card's name."""
    name = card_name(device)
    return f"{device} ({name})" if name else device


def reset_peak_memory(device: str) -> None:
    """What `peak_memory_mib` gives counts from here on."""
    if device != "cpu":
        torch.cuda.reset_peak_memory_stats(device)


def peak_memory_mib(device: str) -> float | None:
    """The most that PyTorch's allocator has held of the card, in MiB; None on the CPU."""
    return None if device == "cpu" else torch.cuda.max_memory_reserved(device) / 2**20


def resolve_precision(precision: str, device: str, say: Say = lambda remark: None) -> str:
    """fp32, bf16 or fp16; `auto` is bf16 where the device multiplies bf16 matrices natively, else fp32.

    On a CPU those are AMX and AVX512-BF16. A card without bf16 is not given fp16 unasked: fp16 needs its losses scaled
    and leaves out the steps that overflow, so the run is not quite the recipe's; `say` is told that it is there.
    Raises BertlineError for a precision that the device has not.
    """
    if device == "cpu":
        return _cpu_precision(precision)
    if precision == "fp16" and torch.cuda.get_device_capability(device) < _FP16_CAPABILITY:
        raise BertlineError(f"--precision fp16: {describe(device)} does not compute in fp16; use fp32")
    if precision in ("fp32", "fp16"):
        return precision
    with torch.cuda.device(device):  # what is asked next is answered for the current device
        native = torch.cuda.is_bf16_supported(including_emulation=False)
    if native:
        return "bf16"
    if precision == "bf16":
        raise BertlineError(f"--precision bf16: {describe(device)} only emulates bf16, which is slow; use fp16 or fp32")
    say(f"{describe(device)} has no bf16 and trains in fp32; --precision fp16 is there, and scales its losses")
    return "fp32"


def _cpu_precision(precision: str) -> str:
    if precision == "fp16":
        raise BertlineError("--precision fp16: only a CUDA device trains in fp16; use bf16 or fp32")
    if precision != "auto":
        return precision
    native = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    return "bf16" if native else "fp32"


def _problem(index: int) -> str | None:
    """Why PyTorch cannot compute on the CUDA device of that number, and what to do about it; None where it can."""
    if not torch.backends.cuda.is_built():
        return (
            f"PyTorch {torch.__version__} is built without CUDA; install a CUDA build "
            "(https://pytorch.org/get-started/locally)"
        )
    with warnings.catch_warnings(record=True) as caught:  # this is how PyTorch tells what is wrong with a driver
        warnings.simplefilter("always")
        cards = torch.cuda.device_count() if torch.cuda.is_available() else 0
        if index < cards:
            return _trouble_computing(index)
    if cards:
        last = f" to cuda:{cards - 1}" if cards > 1 else ""
        return f"PyTorch finds {cards} CUDA device{'s' if cards > 1 else ''}; give cuda:0{last}"
    reason = f" ({_first_line(caught[0].message)})" if caught else ""
    return (
        f"PyTorch {torch.__version__} finds no CUDA device{reason}; check the driver with nvidia-smi, and that "
        "CUDA_VISIBLE_DEVICES hides none"
    )


def _trouble_computing(index: int) -> str | None:
    """A sum is tried: a card may be taken by another process, full, or too old for this build of PyTorch."""
    try:
        torch.ones(2, device=f"cuda:{index}").sum().item()
    except RuntimeError as error:
        return (
            f"it is there and does not compute ({_first_line(error)}); check with nvidia-smi that it is free, and that "
            f"PyTorch {torch.__version__} is built for it"
        )
    return None


def _first_line(message: object) -> str:
    return str(message).strip().splitlines()[0]
