"""`--compile`: the model by torch.compile, and one line where there is nothing to compile with."""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from subprocess import SubprocessError
from typing import Any

import torch

from bertline.errors import BertlineError


def require_compiler(device: str) -> None:
    """Compile a small function for that device, in seconds; BertlineError with the remedy where that does not work.

    What is missing shows only here: a compiler, its headers, triton, or a card that triton does not serve.
    """
    with _one_line(device, (RuntimeError, ImportError, OSError, SubprocessError)):
        torch.compile(_trial, dynamic=True)(torch.ones(8, device=device))


def compile_model(model: Any) -> None:
    """Compile `model` in place, at its first batch: its weights keep their names.

    Lengths and numbers of rows are left open, so that there is one graph for training and one for validation, whatever
    the batches hold.
    """
    # PyTorch recommends TF32 here, which is not the recipe's fp32.
    warnings.filterwarnings("ignore", "TensorFloat32 tensor cores", UserWarning)
    model.compile(dynamic=True)


@contextmanager
def compiling(device: str) -> Iterator[None]:
    """The same one line where it is the model that does not compile."""
    from torch._dynamo.exc import TorchDynamoException

    with _one_line(device, (TorchDynamoException,)):
        yield


@contextmanager
def _one_line(device: str, errors: tuple[type[Exception], ...]) -> Iterator[None]:
    try:
        yield
    except errors as error:
        reason = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        tools = "a C++ compiler (g++ or clang++)" if device == "cpu" else "triton, gcc and Python's headers"
        raise BertlineError(
            f"--compile: torch.compile fails on {device} ({reason.strip()}); it needs {tools}; install what is "
            "missing, or leave out --compile"
        ) from None


def _trial(values: Any) -> Any:
    return values.sin() + 1
