"""Families that bertline has never heard of: they just work, or end in one line that says why, and no bundle."""

import re
from pathlib import Path

import numpy as np
import pytest
import torch
from transformers import AutoConfig, AutoModelForSequenceClassification

from bertline.model_folder import ModelFolder
from export.reference import Reference
from infer.scorer import Scorer
from tests import tiny
from tests.conftest import Cli

SIZES = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
SMALL_CONVBERT = {"embedding_size": 16, "conv_kernel_size": 3}
SMALL_BART = {"d_model": 32, "encoder_layers": 1, "decoder_layers": 1}
SMALL_BART |= {f"{part}_{size}": 32 for part in ("encoder", "decoder") for size in ("attention_heads", "ffn_dim")}


def write_model(folder: Path, family: str, **settings: object) -> Path:
    """A model of that family with random weights, in the folder of a tiny tokenizer."""
    tokenizer = tiny.write_tokenizer(folder, "roberta" if family in ("bart", "longformer") else "bert")
    config = AutoConfig.for_model(
        family,
        **SIZES | settings,
        vocab_size=len(tokenizer),
        max_position_embeddings=tiny.POSITIONS + 2,
        pad_token_id=tokenizer.pad_token_id,
        eos_token_id=tokenizer.sep_token_id,
        initializer_range=0.2,
        id2label={0: "no", 1: "maybe", 2: "yes"},
        label2id={"no": 0, "maybe": 1, "yes": 2},
    )
    torch.manual_seed(0)
    AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
    return folder


@pytest.mark.parametrize(("family", "settings"), [("ernie", {}), ("llama", {"num_key_value_heads": 1})])
def test_one_that_uses_the_usual_interface_just_works(
    family: str, settings: dict[str, object], cli: Cli, tmp_path: Path
) -> None:
    model = write_model(tmp_path / "model", family, **settings)
    outcome = cli("export", model, "-o", tmp_path / "bundle", "--variants", "fp16", "--max-flips", "0.1")
    assert outcome.code == 0, outcome.err
    reference, texts = Reference(ModelFolder.open(model)), [*tiny.SENTENCES, "the cat " * 60]
    expected = reference.logits(reference.encode(texts, tiny.POSITIONS))
    assert np.ptp(expected, axis=0).max() > 0.1, "a model that answers alike to all proves nothing"
    assert np.abs(Scorer.open(tmp_path / "bundle", device="cpu", variant="fp32").score(texts) - expected).max() < 1e-5


@pytest.mark.parametrize(
    ("family", "settings", "code", "message"),
    [
        ("fnet", {}, 1, "its family 'fnet' takes no attention_mask"),
        ("big_bird", {}, 1, 'its attention is block_sparse, .*; set attention_type to "original_full"'),
        ("longformer", {"attention_window": 8}, 3, "PyTorch's exporter cannot follow the family 'longformer' "),
        ("convbert", SMALL_CONVBERT, 3, "alone and in a padded batch .*: its model looks at padding in spite"),
        # It asks that all rows of a batch hold its end token equally often, and one golden holds it as a text.
        ("bart", SMALL_BART, 3, "parity: goldens: .* failed on a batch of 40×64 tokens"),
    ],
)
def test_one_that_does_not_ends_in_one_line_and_no_bundle(
    family: str,
    settings: dict[str, object],
    code: int,
    message: str,
    cli: Cli,
    tmp_path: Path,
) -> None:
    model = write_model(tmp_path / "model", family, **settings)
    outcome = cli("export", model, "-o", tmp_path / "bundle", "-q")
    assert outcome.code == code
    assert re.search(message, outcome.err), outcome.err
    assert outcome.err.count("\n") == 1 and outcome.err.startswith("bertline: ") and len(outcome.err) < 900
    assert [file.name for file in tmp_path.iterdir()] == ["model"]
