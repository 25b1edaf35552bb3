"""What a folder is, in a few lines or as JSON."""

import json
import shutil
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


def test_bundles_of_other_problems(several_bundle: Path, number_bundle: Path, cli: Cli) -> None:
    facts = json.loads(cli("info", several_bundle, "--json").out)
    assert facts["task"] == "text-classification, multi_label_classification" and facts["thresholds"] == "0.5"
    facts = json.loads(cli("info", number_bundle, "--json").out)
    assert facts["labels"] == "score" and facts["thresholds"] == "none, it predicts a number"


def test_holdouts_are_told_by_the_metric_of_their_problem(model_dir: Path, tmp_path: Path, cli: Cli) -> None:
    folder = Path(shutil.copytree(model_dir, tmp_path / "model"))
    holdouts = {"dev": {"rows": 9, "mcc": 0.25}, "b": {"micro_f1": 0.5}, "c": {"pearson": 0.75}, "d": {"pearson": None}}
    (folder / "training.json").write_text(json.dumps({"holdouts": holdouts}))
    facts = json.loads(cli("info", folder, "--json").out)
    assert facts["holdouts"] == "dev MCC 0.2500, b micro F1 0.5000, c Pearson 0.7500, d Pearson undefined"
    assert facts["problem"] == "single_label_classification"
