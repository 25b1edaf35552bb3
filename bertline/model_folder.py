"""The model folder, where fine-tuning and export meet: the Hugging Face layout, and `training.json` beside it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertline.errors import BertlineError
from bertline.schema import parse_json

TRAINING = "training.json"
WEIGHTS = ("model.safetensors", "model.safetensors.index.json")


@dataclass(frozen=True)
class ModelFolder:
    """A trained sentence classifier on disk: config, tokenizer, safetensors weights; `training` is {} if not ours."""

    path: Path
    config: dict[str, Any]
    tokenizer_config: dict[str, Any]
    training: dict[str, Any]

    @classmethod
    def open(cls, path: Path) -> "ModelFolder":
        """Read and check the folder; BertlineError lists everything that is missing, at once."""
        if not path.is_dir():
            raise BertlineError(f"{path}: no such model folder; make one with bertline finetune CORPUS -o {path}")
        problems: list[str] = []
        config = _read_json(path / "config.json", problems, required=True)
        tokenizer_config = _read_json(path / "tokenizer_config.json", problems)
        training = _read_json(path / TRAINING, problems)
        if not (path / "tokenizer.json").is_file():
            problems.append("no tokenizer.json (save the fast tokenizer with save_pretrained)")
        if not any((path / name).is_file() for name in WEIGHTS):
            problems.append("no model.safetensors (pickled weights are not read; save_pretrained writes safetensors)")
        if config and not labels_of(config):
            problems.append("config.json names no labels (add id2label, or fine-tune it with bertline finetune)")
        elif config and not is_classifier(config.get("architectures")):
            problems.append("its architecture is no sentence classifier (fine-tune it with bertline finetune)")
        if problems:
            raise BertlineError(f"{path}: {'; '.join(problems)}")
        return cls(path, config, tokenizer_config, training)

    @property
    def labels(self) -> tuple[str, ...]:
        """Label names by id."""
        return labels_of(self.config)

    @property
    def model_type(self) -> str:
        return str(self.config.get("model_type", ""))

    @property
    def recipe(self) -> dict[str, Any]:
        """How it was trained; {} for a model that bertline did not train."""
        return dict(self.training.get("recipe", {}))


def is_classifier(architectures: Any) -> bool:
    """Whether config.json's `architectures` name a sentence classifier."""
    return isinstance(architectures, list) and any("ForSequenceClassification" in str(name) for name in architectures)


def labels_of(config: dict[str, Any]) -> tuple[str, ...]:
    """Label names by id, as config.json's `id2label` has them; () where it has none, or not one for each id."""
    names = config.get("id2label")
    if not isinstance(names, dict) or sorted(names) != sorted(str(i) for i in range(len(names))):
        return ()
    return tuple(str(names[str(number)]) for number in range(len(names)))


def _read_json(path: Path, problems: list[str], *, required: bool = False) -> dict[str, Any]:
    if not path.is_file():
        problems += [f"no {path.name}"] if required else []
        return {}
    try:
        document = parse_json(path.read_bytes())
    except ValueError as error:
        problems.append(f"{path.name} is not JSON ({error})")
        return {}
    if not isinstance(document, dict):
        problems.append(f"{path.name} is not a JSON object")
        return {}
    return document


def model_positions(model: Any) -> int:
    """The longest sequence a transformers model takes, in tokens.

    RoBERTa and its kin use the position table only after the padding id (transformers,
    modeling_roberta.create_position_ids_from_input_ids); a model without a table says its maximum in the config.
    """
    for name, table in model.named_modules():
        if name.endswith("position_embeddings"):
            return int(
                table.num_embeddings if table.padding_idx is None else table.num_embeddings - table.padding_idx - 1
            )
    return int(getattr(model.config, "max_position_embeddings", 2**31))
