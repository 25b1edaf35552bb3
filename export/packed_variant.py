"""The variant cuda-fp16: the packed graph, proven without the device that it is for, and on it where it is here."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray

from bertline.bundle import Bundle, FileEntry, Variant
from bertline.console import file_size
from bertline.errors import VerificationError
from bertline.tsv import TableSpec
from export.golden import golden_name, pytorch_logits, with_logits
from export.graph import IR, OPSET, tensors
from export.packed import DOMAINS, PackedGraph, packed_graph
from export.packed_half import half_precision
from export.packed_reference import PROVIDER, PackedReference
from export.reference import Reference
from export.ways import Terms, add_further_gates
from infer.golden import Golden, encoded_goldens
from infer.packing import PACKED
from infer.parity import CUDA_FP16_TOLERANCE, Parity
from infer.providers import CUDA_PROVIDER
from infer.rows import Rows
from infer.variants import CUDA_FP16

PACKED_FILE = "onnx/model_cuda_fp16.onnx"
EXACT_WITHIN = 1e-5  # max |Δlogit| of the float32 form
EVALUATED_FLIPS = 0.005  # share of the rows: of so few, one may be a tie
REAL_ROWS = 256  # of --verify-on; 64 sentences of CoLA take the evaluator a second for MiniLM-L6 on two cores


def add_packed(
    draft: Bundle,
    goldens: list[Golden],
    reference: Reference,
    verify_on: Sequence[Path],
    spec: TableSpec,
    terms: Terms,
) -> tuple[Bundle, list[Golden], list[str]]:
    """The draft and its goldens with cuda-fp16, or both as they were; and what went beyond the limits.

    The float32 form is held against PyTorch on the goldens, in ragged batches; then the float16 form on the goldens
    and on the first 256 rows of `verify_on`. Both are run by onnx's reference evaluator, and the gate says so. Where a
    CUDA device is here, it must hold the same limits, and adds a gate of its own.
    """
    try:
        graph = packed_graph(reference.model, reference.input_names)
        half = half_precision(graph.model)
        _require_exact(graph, goldens)
    except VerificationError as error:
        terms.say(f"{CUDA_FP16}: {error}; left out")
        return draft, goldens, [str(error)]
    evaluator = PackedReference(half, graph.first_position)
    alone, parity = _measured(evaluator, draft, goldens, reference, verify_on, spec)
    flips = EVALUATED_FLIPS if terms.max_flips is None else terms.max_flips
    limits = replace(terms.limits(CUDA_FP16), max_flips=flips, max_abs_logit=CUDA_FP16_TOLERANCE)
    faults = parity.faults(limits)
    terms.say(
        f"{CUDA_FP16} by the {PROVIDER}: {parity.figures()}, by batch {parity.batch_variance:.1e}"
        f"{'; left out' if faults else ''}"
    )
    if faults:
        return draft, goldens, faults
    path = draft.path / PACKED_FILE
    onnx.save_model(half, path)
    entry = FileEntry.of(path)
    terms.say(f"wrote {PACKED_FILE} ({file_size(entry.bytes)})")
    gate = parity.gate_on("cpu", PROVIDER, "fp16", limits)
    gate = replace(gate, parity=PROVIDER, versions=gate.versions | {"onnx": onnx.__version__})
    expected = pytorch_logits(goldens)
    variant = Variant(
        file=PACKED_FILE,
        precision="fp16",
        layout=PACKED,
        opset=OPSET,
        ir=IR,
        domains=DOMAINS,
        inputs=tensors(half.graph.input),
        outputs=tensors(half.graph.output),
        providers=(CUDA_PROVIDER,),
        passes=graph.passes,
        batch_invariant=False,  # which kernel runs, and so how it rounds, depends on the lengths in a batch
        # CUDA rounds otherwise than the evaluator: each is that far from PyTorch, so they may be twice as far apart.
        golden_tolerance=max(CUDA_FP16_TOLERANCE, 2 * float(np.abs(alone - expected).max())),
        gates=(gate,),
        first_position=graph.first_position,
    )
    manifest = replace(
        draft.manifest,
        files=draft.manifest.files | {PACKED_FILE: entry},
        variants=draft.manifest.variants | {CUDA_FP16: variant},
    )
    made, answered = replace(draft, manifest=manifest), with_logits(goldens, CUDA_FP16, alone)
    made, answered, refused = add_further_gates(CUDA_FP16, made, answered, terms)
    if refused:  # a device is here, and it says otherwise
        path.unlink()
        return draft, goldens, refused[CUDA_FP16]
    return made, answered, []


def _require_exact(graph: PackedGraph, goldens: Sequence[Golden]) -> None:
    """VerificationError where the float32 form is not PyTorch's: rounding would hide a fault of the graph."""
    expected = pytorch_logits(goldens)
    distance = np.abs(PackedReference(graph.model, graph.first_position).run(encoded_goldens(goldens)) - expected)
    if not distance.max() <= EXACT_WITHIN:  # a NaN is not, either
        worst = goldens[int(np.nan_to_num(distance, nan=np.inf).max(axis=1).argmax())]
        raise VerificationError(
            f"the packed graph in float32 differs from PyTorch: max |Δlogit| {distance.max():.2e}, allowed "
            f"{EXACT_WITHIN:.0e} (worst: {golden_name(worst)})"
        )


def _measured(
    evaluator: PackedReference,
    draft: Bundle,
    goldens: Sequence[Golden],
    reference: Reference,
    verify_on: Sequence[Path],
    spec: TableSpec,
) -> tuple[NDArray[np.float32], Parity]:
    """The goldens' logits, each alone; and how they and real rows in ragged batches compare with PyTorch's."""
    encoded = encoded_goldens(goldens)
    alone = np.concatenate([evaluator.run_rows(encoded, np.array([row])) for row in range(len(goldens))])
    together = evaluator.run(encoded)
    parity = Parity(draft.manifest.problem)
    parity.batch_variance = float(np.abs(alone - together).max())
    names = [golden_name(golden) for golden in goldens]
    expected = pytorch_logits(goldens)
    parity.add(names, together, expected)
    if verify_on:
        window = next(Rows(verify_on[:1], spec, draft.manifest, use_labels=True).windows(REAL_ROWS), None)
        if window is not None:
            encoded = reference.encode(window.texts, draft.manifest.max_length)
            names = [f"{verify_on[0]}, line {line}" for line in window.numbers]
            parity.add(names, evaluator.run(encoded), reference.logits(encoded), window.labels)
    return alone, parity
