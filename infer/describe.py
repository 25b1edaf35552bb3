"""What a bundle or a model folder is, in a few facts."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bertline.bundle import MANIFEST, Bundle, Gate, Manifest
from bertline.console import file_size
from bertline.metrics import METRIC_NAMES, in_words
from bertline.model_folder import TRAINING, ModelFolder
from bertline.problems import REGRESSION, problem_type_of
from infer.signing import SIGNATURE
from infer.summary import thresholds_in_words


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
        "thresholds": _thresholds(manifest),
        "parity": "; ".join(
            f"{name}: max |Δlogit| {gate.max_abs_logit:.1e}, {_flips(gate)} on {gate.provider}"
            for name, variant in manifest.variants.items()
            for gate in variant.gates
        ),
        "base model": manifest.provenance.get("base_model"),
        "created": manifest.provenance.get("created"),
        "sha256": bundle.sha256,
        "signature": f"{SIGNATURE}, to check with bertline verify --public-key" if signed else "none",
    }


def _thresholds(manifest: Manifest) -> str:
    found = manifest.thresholds
    if manifest.problem_type == REGRESSION:
        return "none, it predicts a number"
    if found is None:
        return "0.5"
    return (
        f"0.5, and with --thresholds {thresholds_in_words(found.labels)} "
        f"(the best {METRIC_NAMES[found.metric]} on {found.rows:,} rows of {found.table}, with {found.variant})"
    )


def _flips(gate: Gate) -> str:
    """Of numbers none flip."""
    rows = f"{gate.rows:,} rows"
    if gate.metric == "pearson":
        return rows if gate.concordance is None else f"concordance {gate.concordance:.4f} over {rows}"
    return f"{gate.flips} flips of {rows}"


def _holdout(name: str, metrics: Mapping[str, Any]) -> str:
    """By the metric that its problem goes by."""
    metric = next(metric for metric in ("mcc", "micro_f1", "pearson") if metric in metrics)
    return f"{name} {METRIC_NAMES[metric]} {in_words(metrics[metric])}"


def _describe_model(path: Path) -> dict[str, Any]:
    folder = ModelFolder.open(path)
    return {
        "model folder": str(path),
        "architecture": ", ".join(folder.config["architectures"]),
        "problem": problem_type_of(folder.config.get("problem_type"), len(folder.labels)),
        "labels": ", ".join(folder.labels),
        "weights": ", ".join(
            f"{file.name} ({file_size(file.stat().st_size)})" for file in sorted(path.glob("*.safetensors"))
        ),
        "base model": folder.recipe.get("model"),
        "corpus": folder.training.get("corpus", {}).get("name"),
        "kept epoch": folder.training.get("kept_epoch"),
        "holdouts": ", ".join(_holdout(name, metrics) for name, metrics in folder.training.get("holdouts", {}).items()),
        "recipe": TRAINING if folder.training else "not trained by bertline",
    }
