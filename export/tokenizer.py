"""The tokenizer as the bundle ships it: neither padding nor truncation, and the facts consumers need."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bertline.bundle import TokenizerFacts
from bertline.errors import BertlineError
from bertline.model_folder import ModelFolder

# What transformers and others read beside tokenizer.json; copied where the model folder has them.
_COMPANIONS = ("special_tokens_map.json", "vocab.txt", "vocab.json", "merges.txt")
_PATHS = ("_name_or_path", "name_or_path", "tokenizer_file", "special_tokens_map_file")
_SETTINGS = "tokenizer_config.json"
# transformers 5 writes a class that transformers 4, and so optimum-onnx, does not know; both know this one.
_CLASSES = {"TokenizersBackend": "PreTrainedTokenizerFast"}


def write_tokenizer(model: ModelFolder, target: Path, max_length: int) -> list[str]:
    """Copy the tokenizer into a bundle and return the names of its files.

    max_length: where a loader that truncates "at the model's maximum" cuts, so that it cuts where the bundle does.
    """
    document = json.loads((model.path / "tokenizer.json").read_text(encoding="utf-8"))
    # Published files pad to a fixed 128, or keep what the last call set: every consumer states its own.
    document["padding"] = document["truncation"] = None
    (target / "tokenizer.json").write_text(json.dumps(document, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
    names = ["tokenizer.json", _SETTINGS]
    settings = _read(model.path / _SETTINGS) if (model.path / _SETTINGS).is_file() else {}
    kind = settings.get("tokenizer_class", "PreTrainedTokenizerFast")
    _write(target / _SETTINGS, settings | {"tokenizer_class": _CLASSES.get(kind, kind), "model_max_length": max_length})
    for name in _COMPANIONS:
        if (model.path / name).is_file():
            shutil.copyfile(model.path / name, target / name)
            names.append(name)
    return names


def rebuilt(model: ModelFolder, tokenizer: Any) -> str | None:
    """Where transformers' class for the tokenizer makes another one of its file, as of files of its version 4: which
    parts, and what to do; None where it takes the file as it is.
    """
    stored = json.loads((model.path / "tokenizer.json").read_text(encoding="utf-8"))
    loaded = json.loads(tokenizer.backend_tokenizer.to_str())
    parts = [part for part in ("normalizer", "pre_tokenizer", "post_processor") if stored.get(part) != loaded.get(part)]
    if not parts:
        return None
    return (
        f"transformers' {type(tokenizer).__name__} has another {' and '.join(parts)} than tokenizer.json: to go by the "
        "file, which a model of transformers 4 was trained with, set tokenizer_class to PreTrainedTokenizerFast in "
        "tokenizer_config.json; to go by the class, load it with AutoTokenizer and call save_pretrained"
    )


def copy_settings(source: Path, target: Path) -> None:
    """Copy a JSON object without what older versions of transformers noted there: paths of the machine of then."""
    _write(target, _read(source))


def _read(settings: Path) -> dict[str, Any]:
    document = json.loads(settings.read_text(encoding="utf-8"))
    return {name: value for name, value in document.items() if name not in _PATHS}


def _write(path: Path, settings: dict[str, Any]) -> None:
    path.write_text(json.dumps(settings, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


def tokenizer_facts(model: ModelFolder, tokenizer: Any, positions: int) -> TokenizerFacts:
    """Ids of the special tokens, case folding, and the longest sequence in tokens, for the manifest."""
    steps = list(_steps(json.loads((model.path / "tokenizer.json").read_text(encoding="utf-8")).get("normalizer")))
    lowercase = any(step["type"] == "Lowercase" or step.get("lowercase") for step in steps)
    return TokenizerFacts(
        pad_id=tokenizer.pad_token_id,
        cls_id=tokenizer.cls_token_id,
        sep_id=tokenizer.sep_token_id,
        unk_id=tokenizer.unk_token_id,
        lowercase=lowercase,
        strip_accents=any(map(_strips_accents, steps)),
        positions=positions,
    )


def _steps(normalizer: dict[str, Any] | None) -> Iterator[dict[str, Any]]:
    """A normalizer's steps in their order, of sequences those within."""
    if normalizer and normalizer["type"] == "Sequence":
        for step in normalizer["normalizers"]:
            yield from _steps(step)
    elif normalizer:
        yield normalizer


def _strips_accents(step: dict[str, Any]) -> bool:
    if step["type"] != "BertNormalizer":
        return bool(step["type"] == "StripAccents")
    said = step.get("strip_accents")
    return bool(step.get("lowercase") if said is None else said)  # BERT's rule for "not said"


def bundle_max_length(model: ModelFolder, tokenizer: Any, positions: int) -> int:
    """Fine-tuning's maximum, else the tokenizer's, at most the model's positions."""
    wanted = int(model.recipe.get("max_length") or min(tokenizer.model_max_length, positions))
    if wanted > positions:
        raise BertlineError(f"{model.path}: trained at max_length {wanted}, but the model takes {positions} tokens")
    return wanted
