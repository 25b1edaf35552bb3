"""Variants beside fp32: made from its graph, measured as it was, and kept only within their limits."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import onnx

from bertline.bundle import Bundle, FileEntry
from bertline.console import file_size
from bertline.errors import UsageError
from export.precision import fp16_weights, int8_weights
from export.ways import Terms, Way, add_further_gates, add_gate
from infer.golden import Golden
from infer.providers import CPU_PROVIDER
from infer.variants import BF16, CUDA_FP16

MAKERS: dict[str, tuple[str, Callable[[onnx.ModelProto], onnx.ModelProto]]] = {
    "fp16": ("onnx/model_fp16.onnx", fp16_weights),
    "quantized": ("onnx/model_quantized.onnx", int8_weights),
}
INT8_FILE = "onnx/model_int8.onnx"


@dataclass(frozen=True)
class Made:
    """A graph, and what the manifest says of how it was made."""

    file: str
    model: onnx.ModelProto
    passes: tuple[str, ...] = ()  # beyond those of fp32
    quantization: dict[str, Any] | None = None


def wanted_variants(names: Sequence[str]) -> list[str]:
    """Those to make or to measure beside fp32, each once; UsageError for a name that is none."""
    known = ["fp32", *MAKERS, "int8", CUDA_FP16, BF16]
    for name in names:
        if name not in known:
            raise UsageError(f"--variants {','.join(names)}: {name!r} is none of {', '.join(known)}")
    return [name for name in known[1:] if name in names]


def add_variant(
    name: str, made: Made, draft: Bundle, goldens: list[Golden], terms: Terms
) -> tuple[Bundle, list[Golden], list[str]]:
    """The draft and its goldens with one more variant, or both as they were; and what went beyond the limits.

    A variant is kept where the plain CPU holds its limits; each further way to run it here that holds them adds a gate.
    """
    fp32 = draft.manifest.variants["fp32"]
    path = draft.path / made.file
    onnx.save_model(made.model, path)
    variant = replace(
        fp32,
        file=made.file,
        precision=name,
        passes=(*fp32.passes, *made.passes),
        quantization=made.quantization,
        providers=(CPU_PROVIDER,) if name == "int8" else fp32.providers,  # CUDA has no kernels for its products
        batch_invariant=True,
        gates=(),
    )
    entry = FileEntry.of(path)
    manifest = replace(
        draft.manifest,
        files=draft.manifest.files | {made.file: entry},
        variants=draft.manifest.variants | {name: variant},
    )
    terms.say(f"wrote {made.file} ({file_size(entry.bytes)})")
    with_it, answered, faults = add_gate(Way(name, provider="cpu"), replace(draft, manifest=manifest), goldens, terms)
    if faults:
        path.unlink()
        return draft, goldens, faults
    with_it, answered, _ = add_further_gates(name, with_it, answered, terms)
    return with_it, answered, []
