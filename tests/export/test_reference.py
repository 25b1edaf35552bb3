"""What graphs are measured against is the model itself."""

from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from bertline.errors import BertlineError
from bertline.model_folder import ModelFolder
from export.reference import Reference
from tests import tiny


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_logits_are_those_of_each_row_alone(family: str, tmp_path: Path) -> None:
    folder = tiny.write_model(tmp_path / "model", family, ("a", "b", "c"))
    reference = Reference(ModelFolder.open(folder))
    texts = [*tiny.SENTENCES, "", "the cat " * 60]
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForSequenceClassification.from_pretrained(folder)
    with torch.inference_mode():
        expected = [model(**tokenizer(t, truncation=True, max_length=32, return_tensors="pt")).logits for t in texts]
    encoded = reference.encode(texts, 32)
    assert encoded.lengths.max() == 32
    assert np.abs(reference.logits(encoded) - torch.cat(expected).numpy()).max() < 1e-5
    assert ("token_type_ids" in reference.input_names) == (family in ("bert", "electra"))


def test_pairs_are_told_apart_by_their_types(reference: Reference) -> None:
    encoded = reference.encode([("the cat", "a dog"), ("", "a")], 64)
    assert encoded.token_type_ids == [[0, 0, 0, 0, 1, 1, 1], [0, 0, 1, 1]]


def test_a_model_without_a_trained_head_is_refused(model_copy: Path) -> None:
    file = model_copy / "model.safetensors"
    weights = {name: weight for name, weight in load_file(file).items() if not name.startswith("classifier")}
    save_file(weights, file, metadata={"format": "pt"})
    with pytest.raises(BertlineError, match=r"its weights lack classifier\.bias, classifier\.weight"):
        Reference(ModelFolder.open(model_copy))


@pytest.mark.parametrize("kept_bytes", [5, 9000])
def test_torn_weights_are_refused(kept_bytes: int, model_copy: Path) -> None:
    file = model_copy / "model.safetensors"
    file.write_bytes(file.read_bytes()[:kept_bytes])
    with pytest.raises(BertlineError, match="transformers cannot load it"):
        Reference(ModelFolder.open(model_copy))
