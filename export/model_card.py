"""The bundle's README: a model card that a person can read."""

from bertline.bundle import Manifest
from bertline.console import file_size


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
        "",
        "| variant | file | size | rows compared | max \\|Δlogit\\| | flips | MCC (PyTorch) | on |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for variant in manifest.variants.values():
        for gate in variant.gates:
            mcc = "–" if gate.mcc is None else f"{gate.mcc:.4f} ({gate.mcc_reference:.4f})"
            size = file_size(manifest.files[variant.file].bytes)
            lines.append(
                f"| {gate.precision} | `{variant.file}` | {size} | {gate.rows:,} "
                f"| {gate.max_abs_logit:.1e} | {gate.flips} | {mcc} | {gate.provider} |"
            )
    return "\n".join(lines) + "\n"
