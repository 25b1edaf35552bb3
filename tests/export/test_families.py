"""Families without a packed graph export, answer as PyTorch does, and say which path is theirs on CUDA."""

from pathlib import Path

import numpy as np
import pytest
import torch

from bertline.bundle import Bundle
from bertline.errors import VerificationError
from bertline.model_folder import ModelFolder, model_positions
from export.reference import Reference
from infer.scorer import Scorer
from tests import tiny
from tests.conftest import Once


@pytest.fixture(scope="module", params=tiny.OTHER_FAMILIES)
def model(request: pytest.FixtureRequest, once: Once) -> Path:
    family: str = request.param
    return once(f"{family}_plain_model", lambda folder: tiny.write_model(folder, family, seed=2))


def test_every_padded_variant_answers_as_pytorch(model: Path, tmp_path: Path) -> None:
    bundle = tiny.export(model, tmp_path / "bundle", "fp16")
    reference = Reference(ModelFolder.open(model))
    texts = [*tiny.SENTENCES, "the cat " * 100]
    expected = reference.logits(reference.encode(texts, tiny.POSITIONS))
    assert np.ptp(expected, axis=0).max() > 0.01, "a model that answers alike to all proves nothing"
    for variant, within in (("fp32", 1e-5), ("fp16", 2e-2)):
        found = Scorer.open(bundle, device="cpu", variant=variant).score(texts)
        assert np.abs(found - expected).max() <= within
    assert Bundle.open(bundle).manifest.positions == tiny.POSITIONS


def test_a_packed_graph_is_refused_with_the_way_that_works(model: Path, tmp_path: Path) -> None:
    with pytest.raises(VerificationError, match=r"no packed graph is known for the family .* run fp32 with --device"):
        tiny.export(model, tmp_path / "bundle", "cuda-fp16")
    Bundle.open(tmp_path / "bundle").verify()


def test_positions_are_those_a_sentence_can_use(model: Path) -> None:
    reference = Reference(ModelFolder.open(model))
    positions = model_positions(reference.model)
    assert positions == tiny.POSITIONS
    longest = torch.full((1, positions), reference.tokenizer.unk_token_id)
    with torch.no_grad():
        assert reference.model(input_ids=longest).logits.isfinite().all()
