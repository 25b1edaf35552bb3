"""What a bundle or a model folder is, in a few facts."""

from pathlib import Path
from typing import Any

from bertline.bundle import MANIFEST, Bundle
from bertline.console import file_size
from bertline.model_folder import TRAINING, ModelFolder
from infer.signing import SIGNATURE


def describe(path: Path) -> dict[str, Any]:
    """Facts by name, for a person or as JSON; BertlineError where the folder is neither."""
    return _describe_bundle(path) if (path / MANIFEST).exists() else _describe_model(path)


def _describe_bundle(path: Path) -> dict[str, Any]:
    bundle = Bundle.open(path)
    manifest, signed = bundle.manifest, (path / SIGNATURE).is_file()
    return {
        "bundle": str(path),
        "task": f"{manifest.task}, {manifest.problem_type}",
        "labels": ", ".join(manifest.labels),
        "text columns": ", ".join(manifest.text_columns),
        "max length": manifest.max_length,
        "variants": ", ".join(
            f"{name} ({file_size(manifest.files[variant.file].bytes)})" for name, variant in manifest.variants.items()
        ),
        "parity": "; ".join(
            f"{name}: max |Δlogit| {gate.max_abs_logit:.1e}, {gate.flips} flips of {gate.rows:,} rows "
            f"on {gate.provider}"
            for name, variant in manifest.variants.items()
            for gate in variant.gates
        ),
        "base model": manifest.provenance.get("base_model"),
        "created": manifest.provenance.get("created"),
        "sha256": bundle.sha256,
        "signature": f"{SIGNATURE}, to check with bertline verify --public-key" if signed else "none",
    }


def _describe_model(path: Path) -> dict[str, Any]:
    folder = ModelFolder.open(path)
    return {
        "model folder": str(path),
        "architecture": ", ".join(folder.config["architectures"]),
        "labels": ", ".join(folder.labels),
        "weights": ", ".join(
            f"{file.name} ({file_size(file.stat().st_size)})" for file in sorted(path.glob("*.safetensors"))
        ),
        "base model": folder.recipe.get("model"),
        "corpus": folder.training.get("corpus", {}).get("name"),
        "kept epoch": folder.training.get("kept_epoch"),
        "holdout MCC": ", ".join(
            f"{name} {metrics['mcc']:.4f}" for name, metrics in folder.training.get("holdouts", {}).items()
        ),
        "recipe": TRAINING if folder.training else "not trained by bertline",
    }
