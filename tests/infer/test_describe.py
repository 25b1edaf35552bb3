"""What a folder is, in a few lines or as JSON."""

import json
from pathlib import Path

from bertline.bundle import Bundle
from tests.conftest import Cli


def test_a_bundle(bundle: Path, cli: Cli) -> None:
    facts = json.loads(cli("info", bundle, "--json").out)
    assert facts["labels"] == "0, 1" and facts["max length"] == 64 and facts["sha256"] == Bundle.open(bundle).sha256
    assert "fp32: max |Δlogit|" in facts["parity"]
    lines = cli("info", bundle).out.splitlines()
    assert [line.split("  ")[0] for line in lines] == list(facts)


def test_a_model_folder_that_bertline_did_not_train(model_dir: Path, cli: Cli) -> None:
    facts = json.loads(cli("info", model_dir, "--json").out)
    assert facts["architecture"] == "BertForSequenceClassification"
    assert facts["recipe"] == "not trained by bertline"
    assert facts["weights"].startswith("model.safetensors (")


def test_a_folder_that_is_neither(tmp_path: Path, cli: Cli) -> None:
    outcome = cli("info", tmp_path)
    assert (outcome.code, outcome.out) == (1, "") and "no config.json" in outcome.err
