"""Model folder to bundle: write the parts, prove them, and only then the manifest."""

import platform
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import onnx
import torch
import transformers

from bertline.bundle import MANIFEST, SCHEMA, Bundle, FileEntry, Manifest, Variant
from bertline.console import file_size
from bertline.errors import BertlineError, VerificationError
from bertline.files import check_output, whole_folder
from bertline.model_folder import ModelFolder, model_positions
from bertline.problems import REGRESSION, problem_fault, problem_type_of
from bertline.tsv import TableSpec, open_input
from export.calibration import read_calibration
from export.consumers import Consumer, add_consumers, wanted_consumers
from export.graph import IR, OPSET, export_graph, tensors
from export.int8 import make_int8, require_int8
from export.model_card import model_card
from export.packed_variant import add_packed
from export.parity import check_grid, compare_goldens, compare_rows, proven_goldens, require
from export.passes import apply_passes
from export.reference import Reference
from export.tokenizer import bundle_max_length, copy_settings, rebuilt, tokenizer_facts, write_tokenizer
from export.variants import MAKERS, Made, add_variant, wanted_variants
from export.ways import Terms, add_further_gates, timed_in_turns
from infer.golden import GOLDENS, Golden, goldens_to_text
from infer.parity import FP32_LIMITS, FP32_TOLERANCE, INVARIANT_WITHIN, MAX_MCC_DROP, Parity
from infer.providers import CPU_PROVIDER, CUDA_PROVIDER
from infer.scorer import Scorer
from infer.variants import BF16, CUDA_FP16
from infer.versions import runtime_versions

MODEL_FILE = "onnx/model.onnx"


def export_bundle(
    model_dir: Path,
    output: Path,
    verify_on: Sequence[Path],
    spec: TableSpec,
    *,
    variants: Sequence[str] = ("fp32",),
    calibrate_on: Sequence[Path] = (),
    max_flips: float | None = None,
    max_mcc_drop: float = MAX_MCC_DROP,
    runtimes: str | None = None,
    threads: int | None = None,
    force: bool = False,
    say: Callable[[str], None] = lambda line: None,
) -> Bundle:
    """Write the bundle `output` with its fp32 variant, and `variants` beside it, and return it.

    Parity with PyTorch is proven on a grid of shapes, on the goldens and on the rows of `verify_on`, in the session
    that ships. Raises VerificationError, and leaves no bundle, where max |Δlogit| of fp32 exceeds 1e-4, a label flips,
    a token id differs or padding changes an answer. A further variant that flips more than `max_flips` of the rows (a
    share; None: as `infer.parity.limits_of` has it) or loses more than `max_mcc_drop` is left out: the bundle is
    finished without it, and then VerificationError is raised. int8 is calibrated, and its layers are chosen, on rows
    of `calibrate_on`.
    `runtimes` names consumers to copy into the bundle, as `node,web`. BertlineError for a model folder or a table that
    is not one, UsageError for a variant or a runtime, or int8 without rows.
    """
    consumers = wanted_consumers(runtimes)
    for consumer in consumers:
        consumer.require()
    further = wanted_variants(variants)
    if "int8" in further:
        require_int8(calibrate_on, verify_on)
    check_output(output, force=force)
    folder = ModelFolder.open(model_dir)
    for file in (*verify_on, *calibrate_on):
        open_input(file).close()
    reference = Reference(folder)
    _refuse_unfit(folder, reference)
    with whole_folder(output, force=force) as target:
        files, passes = _write_parts(folder, reference, target)
        say(f"wrote {MODEL_FILE} ({file_size(files[MODEL_FILE].bytes)})")
        draft = Bundle(target, _draft(folder, reference, files, passes, target, spec), "")
        scorer = Scorer.open(draft, device="cpu", variant="fp32", provider="cpu", threads=threads)
        grid = check_grid(reference, scorer, FP32_TOLERANCE)
        say(f"grid of shapes: max |Δlogit| {grid:.1e}")
        goldens, variance = proven_goldens(reference, scorer)
        parity = _prove(folder, reference, scorer, goldens, verify_on, spec, say)
        parity.batch_variance = variance
        say(f"alone and in a padded batch: max |Δlogit| {variance:.1e}")
        gate = parity.gate(scorer, FP32_LIMITS)
        fp32 = replace(draft.manifest.variants["fp32"], batch_invariant=variance <= INVARIANT_WITHIN, gates=(gate,))
        draft = replace(draft, manifest=replace(draft.manifest, variants={"fp32": fp32}))

        def measure(scorer: Scorer, goldens: list[Golden]) -> Parity:
            if verify_on:
                return compare_rows(verify_on, spec, reference, scorer, goldens)
            return compare_goldens(goldens, scorer)

        def make(name: str) -> Made:
            if name == "int8":
                return make_int8(draft, read_calibration(calibrate_on, spec, scorer), scorer, terms)
            file, rewrite = MAKERS[name]
            return Made(file, rewrite(onnx.load(target / MODEL_FILE)))

        terms = Terms(measure, max_flips, max_mcc_drop, threads, say)
        draft, goldens, left_out = add_further_gates("fp32", draft, goldens, terms)
        refused = {name: faults for name, faults in left_out.items() if name in further}  # others nobody asked for
        impossible: dict[str, str] = {}
        for name in further:
            try:
                if name == CUDA_FP16:
                    draft, goldens, faults = add_packed(draft, goldens, reference, verify_on, spec, terms)
                elif name != BF16:
                    draft, goldens, faults = add_variant(name, make(name), draft, goldens, terms)
                else:
                    continue  # measured above: it is no file
            except VerificationError as error:
                say(f"{name}: {error}; left out")
                impossible[name] = str(error)
            else:
                refused |= {name: faults} if faults else {}
        draft = timed_in_turns(draft, verify_on, spec, terms)
        _finish(draft, goldens, consumers, output.name)
    say(f"wrote {output}")
    if refused or impossible:
        reasons = impossible | {name: "; ".join(faults) for name, faults in refused.items()}
        without = ", ".join(f"{name} ({reason})" for name, reason in reasons.items())
        options = "--max-mcc-drop" if draft.manifest.problem_type == REGRESSION else "--max-flips and --max-mcc-drop"
        remedy = f"; see {options}" if refused else ""
        raise VerificationError(f"{output}: finished without {without}{remedy}")
    return Bundle.open(output)


def _finish(draft: Bundle, goldens: Sequence[Golden], consumers: Sequence[Consumer], name: str) -> None:
    """Write goldens, consumers, card and, last, the manifest."""
    target, files = draft.path, dict(draft.manifest.files)
    (target / GOLDENS).write_text(goldens_to_text(goldens), encoding="utf-8")
    files[GOLDENS] = FileEntry.of(target / GOLDENS)
    files |= add_consumers(target, draft.manifest, consumers)
    manifest = replace(draft.manifest, files=files)
    (target / "README.md").write_text(model_card(manifest, name), encoding="utf-8")
    files["README.md"] = FileEntry.of(target / "README.md")
    (target / MANIFEST).write_text(replace(manifest, files=files).to_json(), encoding="utf-8")
    Bundle.open(target).verify()


def _prove(
    folder: ModelFolder,
    reference: Reference,
    scorer: Scorer,
    goldens: Sequence[Golden],
    verify_on: Sequence[Path],
    spec: TableSpec,
    say: Callable[[str], None],
) -> Parity:
    """How fp32 compares: on the rows of `verify_on`, else on the goldens, which must pass in any case."""
    parity = compare_goldens(goldens, scorer)
    say(f"goldens: {parity.figures()}")
    other_ids = rebuilt(folder, reference.tokenizer)
    require(parity, FP32_LIMITS, other_ids)
    if verify_on:
        parity = compare_rows(verify_on, spec, reference, scorer, goldens)
        files = ", ".join(str(file) for file in verify_on)
        say(f"{files}: {parity.figures()}, {parity.token_mismatches} token-id mismatches")
        require(parity, FP32_LIMITS, other_ids)
    return parity


def _write_parts(
    folder: ModelFolder, reference: Reference, target: Path
) -> tuple[dict[str, FileEntry], tuple[str, ...]]:
    """All files but goldens, card and manifest; and the names of the passes that rewrote the graph."""
    (target / "onnx").mkdir()
    export_graph(reference.model, reference.input_names, target / MODEL_FILE)
    passes = apply_passes(target / MODEL_FILE)
    copy_settings(folder.path / "config.json", target / "config.json")
    max_length = bundle_max_length(folder, reference.tokenizer, model_positions(reference.model))
    names = ["config.json", MODEL_FILE, *write_tokenizer(folder, target, max_length)]
    return {name: FileEntry.of(target / name) for name in names}, passes


def _draft(
    folder: ModelFolder,
    reference: Reference,
    files: dict[str, FileEntry],
    passes: tuple[str, ...],
    target: Path,
    spec: TableSpec,
) -> Manifest:
    """The manifest but for what is still to be proven."""
    positions = model_positions(reference.model)
    graph = onnx.load(target / MODEL_FILE, load_external_data=False).graph
    recipe = folder.recipe
    if recipe.get("model"):
        recipe["model"] = _travelling_name(str(recipe["model"]))
    # A model that bertline trained knows its columns; of another one, the options say them.
    known = recipe or {
        "text_column": spec.text_column,
        "pair_column": spec.pair_column,
        "label_column": spec.label_column,
    }
    columns = [known.get("text_column") or "sentence", known.get("pair_column")]
    fp32 = Variant(
        file=MODEL_FILE,
        precision="fp32",
        layout="padded",
        opset=OPSET,
        ir=IR,
        domains=("",),
        inputs=tensors(graph.input),
        outputs=tensors(graph.output),
        providers=(CPU_PROVIDER, CUDA_PROVIDER),
        passes=passes,
        batch_invariant=False,
        golden_tolerance=FP32_TOLERANCE,
        gates=(),
    )
    return Manifest(
        schema=SCHEMA,
        task="text-classification",
        problem_type=_problem_type(reference),
        labels=folder.labels,
        text_columns=tuple(name for name in columns if name),
        label_column=known.get("label_column"),
        max_length=bundle_max_length(folder, reference.tokenizer, positions),
        tokenizer=tokenizer_facts(folder, reference.tokenizer, positions),
        files=files,
        variants={"fp32": fp32},
        thresholds=None,
        default_variant={"cpu": "fp32"},
        provenance={
            "recipe": recipe,
            "corpus_sha256": folder.training.get("corpus", {}).get("sha256"),
            "base_model": recipe.get("model"),
            "seed": recipe.get("seed"),
            "versions": runtime_versions()
            | {
                "torch": torch.__version__,
                "transformers": transformers.__version__,
                "onnx": onnx.__version__,
                "platform": platform.platform(),
            },
            "created": datetime.now(UTC).isoformat(timespec="seconds"),
        },
    )


def _travelling_name(model: str) -> str:
    """A checkpoint's name as it is, of a folder the last part: a bundle travels, paths of this machine stay here."""
    path = Path(model)
    return path.name if path.is_dir() or path.is_absolute() or model.startswith(".") or len(path.parts) > 2 else model


def _problem_type(reference: Reference) -> str:
    """As the model's config states it, else by the number of its outputs."""
    config = reference.model.config
    return problem_type_of(config.problem_type, config.num_labels)


def _refuse_unfit(folder: ModelFolder, reference: Reference) -> None:
    """BertlineError for what loads, and yet is not what a bundle holds."""
    fault = problem_fault(_problem_type(reference), folder.labels)
    if fault:
        raise BertlineError(f"{folder.path}: {fault}")
    if not reference.sees_mask:
        raise BertlineError(
            f"{folder.path}: its family {folder.model_type!r} takes no attention_mask, so that padding would change "
            "its answers, and a bundle scores rows in padded batches; take a model of another family"
        )
    if getattr(reference.model.config, "attention_type", None) == "block_sparse":
        raise BertlineError(
            f"{folder.path}: its attention is block_sparse, of long rows only, which no one graph follows; set "
            'attention_type to "original_full" in its config.json'
        )
    tokenizer = reference.tokenizer
    lacking = [name for name in ("pad", "cls", "sep", "unk") if getattr(tokenizer, f"{name}_token_id") is None]
    if lacking:
        raise BertlineError(
            f"{folder.path}: its tokenizer has no {' or '.join(lacking)} token; set it and call save_pretrained"
        )
    if len(tokenizer) > reference.model.config.vocab_size:
        raise BertlineError(
            f"{folder.path}: its tokenizer has {len(tokenizer):,} tokens and its model "
            f"{reference.model.config.vocab_size:,}; they do not belong together"
        )
