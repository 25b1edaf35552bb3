"""A model folder becomes a bundle whose answers are PyTorch's, in every family."""

from pathlib import Path

import numpy as np
import pytest

from bertline.bundle import Bundle
from bertline.model_folder import ModelFolder
from export.reference import Reference
from infer import Scorer
from tests import tiny
from tests.conftest import Cli


@pytest.mark.parametrize("labels", [("0", "1"), ("no", "maybe", "yes")], ids=["two labels", "three labels"])
@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_every_family_exports_and_answers_as_pytorch(
    family: str, labels: tuple[str, ...], tmp_path: Path, cli: Cli
) -> None:
    model = tiny.write_model(tmp_path / "model", family, labels)
    outcome = cli("export", model, "-o", tmp_path / "bundle")
    assert outcome.code == 0, outcome.err
    scorer = Scorer.open(tmp_path / "bundle")
    logits = scorer.score(tiny.SENTENCES)
    reference = Reference(ModelFolder.open(model))
    expected = reference.logits(reference.encode(tiny.SENTENCES, tiny.POSITIONS))
    assert logits.shape == (len(tiny.SENTENCES), len(labels))
    assert np.abs(logits - expected).max() <= 1e-5
    assert np.ptp(expected, axis=0).max() > 0.01, "a model that answers alike to all proves nothing"
    variant = Bundle.open(tmp_path / "bundle").manifest.variants["fp32"]
    assert [tensor.name for tensor in variant.inputs] == reference.input_names
    assert variant.gates[0].passed and variant.batch_invariant
