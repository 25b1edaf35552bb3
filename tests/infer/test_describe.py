"""What a folder is, in a few lines or as JSON."""

import json
import shutil
from pathlib import Path

import pytest

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


@pytest.mark.parametrize(
    ("metrics", "told"),
    [
        ({"accuracy": 0.9, "mcc": 0.3}, "dev MCC 0.3000"),
        ({"micro_f1": 0.5, "macro_f1": 0.4}, "dev micro F1 0.5000"),
        ({"pearson": None, "spearman": None}, "dev Pearson undefined"),
    ],
)
def test_a_model_folder_with_its_problem_and_holdouts(
    metrics: dict[str, float | None], told: str, model_dir: Path, cli: Cli, tmp_path: Path
) -> None:
    folder = shutil.copytree(model_dir, tmp_path / "model")
    (folder / "training.json").write_text(json.dumps({"holdouts": {"dev": metrics}}))
    facts = json.loads(cli("info", folder, "--json").out)
    assert (facts["problem"], facts["holdouts"]) == ("single_label_classification", told)


def test_a_folder_that_is_neither(tmp_path: Path, cli: Cli) -> None:
    outcome = cli("info", tmp_path)
    assert (outcome.code, outcome.out) == (1, "") and "no config.json" in outcome.err
