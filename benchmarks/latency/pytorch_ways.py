"""PyTorch's ways for latency: fp32 and bf16 eager, and fp32 compiled."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from subprocess import SubprocessError
from textwrap import shorten
from typing import Any

import torch

from benchmarks.latency.result import PYTORCH
from benchmarks.latency.ways import Feeds, Loaded, Way
from bertline.errors import BertlineError
from bertline.model_folder import ModelFolder
from export.reference import Reference
from infer.runners import Logits

BF16, COMPILED = "PyTorch bf16", f"{PYTORCH}, compiled"
_REASON_LETTERS = 160


def pytorch_fp32(model_dir: Path) -> Way:
    """What all ways are compared with."""
    return Way(PYTORCH, ("float32",), True, partial(_load, model_dir, torch.float32, False))


def pytorch_ways(model_dir: Path) -> list[Way]:
    """All of them, the one that all are compared with first."""
    return [
        pytorch_fp32(model_dir),
        Way(BF16, ("bfloat16",), False, partial(_load, model_dir, torch.bfloat16, False)),
        Way(COMPILED, ("float32",), True, partial(_load, model_dir, torch.float32, True)),
    ]


def weights_read(model: torch.nn.Module) -> int:
    """Parameters outside of embedding tables, of which a call looks up some rows only."""
    tables = {id(p) for part in model.modules() if isinstance(part, torch.nn.Embedding) for p in part.parameters()}
    return sum(p.numel() for p in model.parameters() if id(p) not in tables)


def _load(model_dir: Path, dtype: torch.dtype, compiled: bool, stack: ExitStack) -> Loaded:
    """`compiled`: at its first calls, anew, and as one graph for all shapes; PyTorch makes another for single rows."""
    reference = Reference(ModelFolder.open(model_dir))
    names = reference.input_names
    model: Any = reference.model.to(dtype)
    if compiled:
        from torch._inductor.utils import fresh_cache

        stack.enter_context(fresh_cache())  # a kernel of an earlier run would make first calls look cheap
        stack.callback(torch._dynamo.reset)
        model = torch.compile(model, dynamic=True, fullgraph=True)

    def run(feeds: Feeds) -> Logits:
        with torch.inference_mode(), _one_line("; it needs a C++ compiler (g++ or clang++)" if compiled else ""):
            inputs = {name: torch.from_numpy(feeds[name]) for name in names}
            logits: Logits = model(**inputs).logits.float().numpy()
        return logits

    return Loaded(run, "PyTorch, torch.compile" if compiled else "PyTorch, eager")


@contextmanager
def _one_line(remedy: str) -> Iterator[None]:
    """What PyTorch and its compilers raise, as BertlineError."""
    try:
        yield
    except (RuntimeError, ImportError, OSError, SubprocessError) as error:
        lines = [line for line in str(error).splitlines() if line.strip()] or [type(error).__name__]
        raise BertlineError(shorten(lines[0], _REASON_LETTERS, placeholder=" …") + remedy) from None
