"""The bundle's README: a model card that a person can read."""

from bertline.bundle import Manifest
from bertline.console import file_size
from export.consumers import consumers_in
from infer.variants import BF16

_PACKED = "A packed graph takes int32 inputs without padding, as `bertline.json` lists them, and runs on CUDA."


def model_card(manifest: Manifest, name: str) -> str:
    """Markdown: what the model is, how to run it, what was proven."""
    provenance = manifest.provenance
    columns = ", ".join(manifest.text_columns)
    lines = [
        "---",
        "pipeline_tag: text-classification",
        "library_name: onnx",
        "tags: [onnx, bertline]",
        "---",
        "",
        f"# {name}",
        "",
        f"A sentence classifier with the labels {', '.join(f'`{label}`' for label in manifest.labels)}, "
        f"reading {columns}, up to {manifest.max_length} tokens.",
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
        "| variant | file | size | rows compared | max \\|Δlogit\\| | flips | MCC (PyTorch) | on |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for key, variant in manifest.variants.items():
        for gate in variant.gates:
            mcc = "–" if gate.mcc is None else f"{gate.mcc:.4f} ({gate.mcc_reference:.4f})"
            size = file_size(manifest.files[variant.file].bytes)
            lines.append(
                f"| {BF16 if gate.precision == BF16 else key} | `{variant.file}` | {size} | {gate.rows:,} "
                f"| {gate.max_abs_logit:.1e} | {gate.flips} | {mcc} | {gate.provider} |"
            )
    if consumers := consumers_in(manifest):
        lines += ["", "Without bertline, each with a README of its own:", ""]
        lines += [f"    {consumer.says}" for consumer in consumers]
    return "\n".join(lines) + "\n"
