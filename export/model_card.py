"""The bundle's README: a model card that a person can read."""

from bertline.bundle import Manifest
from bertline.console import file_size
from bertline.metrics import METRIC_NAMES
from bertline.problems import MULTI_LABEL, REGRESSION
from export.consumers import consumers_in
from infer.quality import quality_of
from infer.variants import BF16

_PACKED = "A packed graph takes int32 inputs without padding, as `bertline.json` lists them, and runs on CUDA."


_ANSWERS = {
    MULTI_LABEL: [
        "A text may have any number of labels: those whose probability, the sigmoid of their logit, is above 0.5.",
        "Other thresholds, where `bertline threshold` found some, stand in `bertline.json`, and `bertline infer",
        "--thresholds` decides by them.",
    ],
    REGRESSION: ["Its one logit is the number itself."],
}


def model_card(manifest: Manifest, name: str) -> str:
    """Markdown: what the model is, how to run it, what was proven."""
    provenance = manifest.provenance
    columns, numbers = ", ".join(manifest.text_columns), manifest.problem_type == REGRESSION
    figure = METRIC_NAMES[quality_of(manifest.problem).metric]
    lines = [
        "---",
        "pipeline_tag: text-classification",
        "library_name: onnx",
        "tags: [onnx, bertline]",
        "---",
        "",
        f"# {name}",
        "",
        f"{_what_it_is(manifest)}, reading {columns}, up to {manifest.max_length} tokens.",
        *_ANSWERS.get(manifest.problem_type, []),
        "",
        f"Base model: `{provenance.get('base_model') or 'unknown'}`. Created {provenance['created']}.",
        "",
        "    bertline verify .",
        "    bertline infer . INPUT.tsv -o scored.tsv",
        "",
        "Inputs are `input_ids`, `attention_mask` and, where listed in `bertline.json`, `token_type_ids`: int64",
        "`[batch, sequence]`. The output `logits` is float32 `[batch, labels]`. The tokenizer neither pads nor",
        f"truncates: cut to {manifest.max_length} tokens and keep the final separator.",
        *(["", _PACKED] if any(variant.layout == "packed" for variant in manifest.variants.values()) else []),
        "",
        f"| variant | file | size | rows compared | max \\|Δlogit\\| "
        f"| {'concordance' if numbers else 'flips'} | {figure} (PyTorch) | on |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for key, variant in manifest.variants.items():
        for gate in variant.gates:
            _, own, reference = gate.judged
            quality = "–" if own is None or reference is None else f"{own:.4f} ({reference:.4f})"
            answers = f"{gate.concordance:.4f}" if gate.concordance is not None else "–" if numbers else str(gate.flips)
            size = file_size(manifest.files[variant.file].bytes)
            lines.append(
                f"| {BF16 if gate.precision == BF16 else key} | `{variant.file}` | {size} | {gate.rows:,} "
                f"| {gate.max_abs_logit:.1e} | {answers} | {quality} | {gate.provider} |"
            )
    if consumers := consumers_in(manifest):
        lines += ["", "Without bertline, each with a README of its own:", ""]
        lines += [f"    {consumer.says}" for consumer in consumers]
    return "\n".join(lines) + "\n"


def _what_it_is(manifest: Manifest) -> str:
    names = ", ".join(f"`{label}`" for label in manifest.labels)
    if manifest.problem_type == REGRESSION:
        return f"A model that predicts a number, {names}"
    if manifest.problem_type == MULTI_LABEL:
        return f"A sentence classifier that gives any of the labels {names}"
    return f"A sentence classifier with the labels {names}"
