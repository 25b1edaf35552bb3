"""Variants beside fp32: made from its graph, measured as it was, and kept only within their limits."""

from collections.abc import Callable, Sequence
from dataclasses import replace

import onnx

from bertline.bundle import Bundle, FileEntry
from bertline.console import file_size
from bertline.errors import UsageError
from bertline.files import sha256_of
from export.golden import answered_by
from export.parity import Limits, Parity
from export.precision import fp16_weights, int8_weights
from infer.golden import Golden
from infer.scorer import Scorer
from infer.selfcheck import INVARIANT_WITHIN, batch_variance

MAKERS: dict[str, tuple[str, Callable[[onnx.ModelProto], onnx.ModelProto]]] = {
    "fp16": ("onnx/model_fp16.onnx", fp16_weights),
    "quantized": ("onnx/model_quantized.onnx", int8_weights),
}
LIMITS = Limits(max_flips=0.005, max_mcc_drop=0.01, max_batch_variance=INVARIANT_WITHIN)


def wanted_variants(names: Sequence[str]) -> list[str]:
    """Those to make beside fp32, each once; UsageError for a name that is none."""
    known = ["fp32", *MAKERS]
    for name in names:
        if name not in known:
            raise UsageError(f"--variants {','.join(names)}: {name!r} is none of {', '.join(known)}")
    return [name for name in MAKERS if name in names]


def add_variant(
    name: str,
    draft: Bundle,
    goldens: list[Golden],
    measure: Callable[[Scorer, list[Golden]], Parity],
    limits: Limits,
    *,
    threads: int | None,
    say: Callable[[str], None],
) -> tuple[Bundle, list[Golden], list[str]]:
    """The draft and its goldens with one more variant, or both as they were; and what went beyond the limits.

    `draft` has the fp32 graph on disk. `measure` compares a scorer with PyTorch; the goldens
    that it is given have the scorer's logits.
    """
    file, make = MAKERS[name]
    fp32 = draft.manifest.variants["fp32"]
    path = draft.path / file
    onnx.save_model(make(onnx.load(draft.path / fp32.file)), path)
    variant = replace(fp32, file=file, precision=name, gates=())
    files = draft.manifest.files | {file: FileEntry(sha256_of(path), path.stat().st_size)}
    manifest = replace(draft.manifest, files=files, variants=draft.manifest.variants | {name: variant})
    scorer = Scorer.open(Bundle(draft.path, manifest, ""), device="cpu", variant=name, provider="cpu", threads=threads)
    answered = answered_by(goldens, scorer)
    parity = measure(scorer, answered)
    parity.batch_variance = batch_variance(scorer, goldens)
    say(f"{name} ({file_size(path.stat().st_size)}): {parity.figures()}")
    faults = parity.faults(limits)
    if faults:
        path.unlink()
        return draft, goldens, faults
    invariant = parity.batch_variance <= INVARIANT_WITHIN
    variant = replace(variant, gates=(parity.gate(scorer, limits),), batch_invariant=invariant)
    manifest = replace(manifest, variants=draft.manifest.variants | {name: variant})
    return Bundle(draft.path, manifest, ""), answered, []
