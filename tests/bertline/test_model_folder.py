"""A model folder is read, or everything that is wrong with it is listed."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from transformers import (
    AutoModelForSequenceClassification,
    NystromformerConfig,
    NystromformerForSequenceClassification,
)

from bertline.errors import BertlineError
from bertline.model_folder import TRAINING, ModelFolder, model_positions
from tests import tiny

CONFIG = {"architectures": ["BertForSequenceClassification"], "model_type": "bert", "id2label": {"0": "no", "1": "yes"}}


def write(folder: Path, config: Any = CONFIG) -> Path:
    folder.mkdir()
    (folder / "config.json").write_text(config if isinstance(config, str) else json.dumps(config))
    (folder / "tokenizer.json").touch()
    (folder / "model.safetensors").touch()
    return folder


def refused(folder: Path) -> str:
    with pytest.raises(BertlineError) as error:
        ModelFolder.open(folder)
    return str(error.value)


def test_a_folder_that_bertline_did_not_train_has_no_recipe(tmp_path: Path) -> None:
    folder = ModelFolder.open(write(tmp_path / "m"))
    assert (folder.labels, folder.model_type, folder.recipe) == (("no", "yes"), "bert", {})


def test_the_recipe_is_that_of_training(tmp_path: Path) -> None:
    path = write(tmp_path / "m")
    (path / TRAINING).write_text('{"recipe": {"model": "bert-base-uncased"}}')
    assert ModelFolder.open(path).recipe == {"model": "bert-base-uncased"}


def test_everything_missing_is_listed_at_once(tmp_path: Path) -> None:
    message = refused(tmp_path)
    for part in ("no config.json", "no tokenizer.json", "no model.safetensors"):
        assert part in message
    assert "no such model folder; make one with bertline finetune" in refused(tmp_path / "nowhere")


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ("{", "config.json is not JSON"),
        ("[]", "config.json is not a JSON object"),
        ("[" * 200_000, "config.json is not JSON (nested too deep)"),
        (CONFIG | {"id2label": {}}, "names no labels"),
        (CONFIG | {"id2label": {"0": "a", "2": "b"}}, "names no labels"),
        (CONFIG | {"id2label": 5}, "names no labels"),
        (CONFIG | {"architectures": ["BertModel"]}, "no sentence classifier"),
        (CONFIG | {"architectures": 5}, "no sentence classifier"),
    ],
    ids=["broken", "list", "deep", "no labels", "a gap", "number", "no head", "odd head"],
)
def test_a_config_that_is_no_classifiers_is_refused(tmp_path: Path, config: Any, message: str) -> None:
    assert message in refused(write(tmp_path / "m", config))


def test_pickled_weights_are_not_read(tmp_path: Path) -> None:
    path = write(tmp_path / "m")
    (path / "model.safetensors").rename(path / "pytorch_model.bin")
    assert "pickled weights are not read" in refused(path)


@pytest.mark.parametrize("family", (*tiny.FAMILIES, *tiny.OTHER_FAMILIES))
def test_positions_are_those_a_sentence_can_use(family: str, tmp_path: Path) -> None:
    model = AutoModelForSequenceClassification.from_pretrained(tiny.write_model(tmp_path / "model", family))
    assert model_positions(model) == tiny.POSITIONS
    with torch.no_grad():
        assert model(input_ids=torch.full((1, tiny.POSITIONS), 5)).logits.isfinite().all()


def test_positions_behind_a_fixed_offset_are_those_that_have_ids() -> None:
    settings = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = NystromformerConfig(vocab_size=50, max_position_embeddings=24, num_landmarks=4, **settings)
    model = NystromformerForSequenceClassification(config)
    assert model.nystromformer.embeddings.position_embeddings.num_embeddings == 26
    assert model_positions(model) == 24
