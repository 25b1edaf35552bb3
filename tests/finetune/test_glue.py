"""GLUE's files by their presets, and whole runs on pairs with a number and on rows with several labels."""

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from scipy.stats import pearsonr, spearmanr
from sklearn.metrics import f1_score
from transformers import AutoModelForSequenceClassification, AutoTokenizer

from bertline.presets import PRESETS
from bertline.problems import REGRESSION
from bertline.tsv import TableSpec
from finetune.corpus import load_corpus
from finetune.recipe import PROBLEMS
from tests import glue, tiny
from tests.conftest import Cli

QUICK = ("--batch-size", "8", "--precision", "fp32", "--device", "cpu", "-q")


@pytest.mark.parametrize("name", glue.HEADS)
def test_every_task_is_read(name: str, tmp_path: Path) -> None:
    preset = PRESETS[name]
    # GLUE's MNLI has other columns in dev than in train: five annotators' labels.
    dev_head = [*glue.HEADS[name][:-1], "label2", glue.HEADS[name][-1]] if name == "mnli" else None
    corpus = load_corpus(
        str(glue.write(tmp_path / "train.tsv", name)),
        TableSpec.from_options(format=name),
        problem_type=PROBLEMS[preset.problem],
        holdout=glue.write(tmp_path / "dev.tsv", name, 6, dev_head),
    )
    first = corpus.train[0]
    assert (first.text, first.pair is None) == (tiny.SENTENCES[0], preset.pair_column is None)
    assert first.pair in (None, tiny.SENTENCES[1])
    assert (len(corpus.train), len(corpus.holdouts["dev"])) == (12, 6)
    labels = glue.LABELS.get(name, ["0", "1"])
    if preset.problem == "regression":
        assert corpus.labels == ("score",) and corpus.problem_type == REGRESSION
        assert [example.label for example in corpus.train[:4]] == [5.0, 3.8, 0.6, 1.0]
    else:
        assert corpus.labels == tuple(sorted(labels))
        assert [corpus.labels[example.label] for example in corpus.train[:3]] == [*labels, *labels][:3]


def answers(folder: Path, texts: list[tuple[str, ...]]) -> Any:
    """Logits row by row, unpadded: the plainest way there is."""
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForSequenceClassification.from_pretrained(folder)
    with torch.inference_mode():
        return np.stack([model(**tokenizer(*text, return_tensors="pt")).logits[0].numpy() for text in texts])


def rows_of(table: Path) -> list[dict[str, str]]:
    with table.open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))


def test_numbers_are_learned_of_pairs(cli: Cli, model_dir: Path, tmp_path: Path) -> None:
    train, dev = glue.write(tmp_path / "train.tsv", "stsb", 40), glue.write(tmp_path / "dev.tsv", "stsb", 24)
    command = ("finetune", train, "--format", "stsb", "--holdout", dev, "--model", model_dir, "-o", tmp_path / "m")
    outcome = cli(*command, "--epochs", 2, "--learning-rate", "1e-3", *QUICK)
    assert outcome.code == 0, outcome.err
    assert "validation loss  Pearson  Spearman" in outcome.out and "accuracy" not in outcome.out

    rows = rows_of(dev)
    true = [float(row["score"]) for row in rows]
    predicted = answers(tmp_path / "m", [(row["sentence1"], row["sentence2"]) for row in rows])[:, 0]
    record = json.loads((tmp_path / "m" / "training.json").read_text())
    found = record["holdouts"]["dev"]
    assert found["pearson"] == pytest.approx(pearsonr(true, predicted)[0], abs=1e-6)
    assert found["spearman"] == pytest.approx(spearmanr(true, predicted)[0], abs=1e-6)
    assert found["mse"] == pytest.approx(np.mean((np.array(true) - predicted) ** 2), rel=1e-5)
    assert f"Pearson {found['pearson']:.4f}, Spearman {found['spearman']:.4f}" in outcome.out

    config = json.loads((tmp_path / "m" / "config.json").read_text())
    assert (config["problem_type"], config["id2label"]) == ("regression", {"0": "score"})
    assert record["recipe"]["problem_type"] == "regression" and record["recipe"]["metric"] == "pearson"
    assert record["recipe"]["pair_column"] == "sentence2" and record["recipe"]["label_column"] == "score"
    best = max(record["epochs"], key=lambda epoch: epoch["validation_pearson"])
    assert record["kept_epoch"] == best["epoch"]
    assert {file.suffix for file in (tmp_path / "m").iterdir()} == {".json", ".safetensors", ".html", ".svg"}
    page = (tmp_path / "m" / "training.html").read_text(encoding="utf-8")
    assert "validation Pearson" in page and "Pearson on dev" in page


def test_any_number_of_labels_is_learned(cli: Cli, model_dir: Path, tmp_path: Path) -> None:
    names, table = ("joy", "anger", "fear"), tmp_path / "t.tsv"
    cells = [",".join(name for bit, name in enumerate(names) if row >> bit & 1) for row in range(8)]
    table.write_text("sentence\tlabel\n" + "".join(f"{tiny.SENTENCES[n % 8]}\t{cells[n % 8]}\n" for n in range(40)))
    command = ("finetune", table, "--problem", "multi-label", "--holdout", table, "--model", model_dir)
    outcome = cli(*command, "-o", tmp_path / "m", "--epochs", 2, "--learning-rate", "3e-3", *QUICK)
    assert outcome.code == 0, outcome.err
    assert "micro F1  macro F1" in outcome.out and "holdout t: 40 rows with 1.50 of 3 labels each" in outcome.out

    config = json.loads((tmp_path / "m" / "config.json").read_text())
    labels = ("anger", "fear", "joy")
    assert config["problem_type"] == "multi_label_classification" and tuple(config["id2label"].values()) == labels
    true = [[name in row["label"].split(",") for name in labels] for row in rows_of(table)]
    predicted = answers(tmp_path / "m", [(row["sentence"],) for row in rows_of(table)]) > 0
    record = json.loads((tmp_path / "m" / "training.json").read_text())
    found = record["holdouts"]["t"]
    assert found["micro_f1"] == pytest.approx(f1_score(true, predicted, average="micro"))
    assert found["macro_f1"] == pytest.approx(f1_score(true, predicted, average="macro", zero_division=0))
    assert record["recipe"]["metric"] == "micro_f1" and "validation_micro_f1" in record["epochs"][0]


def test_a_model_of_numbers_goes_on_with_numbers_unless_told_otherwise(
    cli: Cli, model_dir: Path, tmp_path: Path
) -> None:
    train, first = glue.write(tmp_path / "t.tsv", "stsb"), tmp_path / "first"
    columns = ("--text-column", "sentence1", "--pair-column", "sentence2", "--epochs", 1)
    base = ("finetune", train, "--format", "stsb", "--epochs", 1)
    assert cli(*base, "--model", model_dir, "-o", first, *QUICK).code == 0
    again = cli("finetune", train, *columns, "--label-column", "score", "--model", first, "-o", tmp_path / "m", *QUICK)
    assert again.code == 0 and "Pearson" in again.out
    words = cli("finetune", train, *columns, "--label-column", "genre", "--problem", "single", "--model", first,
                "-o", tmp_path / "n", *QUICK)  # fmt: skip
    assert words.code == 0 and "MCC" in words.out
    config = json.loads((tmp_path / "n" / "config.json").read_text())
    assert config["problem_type"] == "single_label_classification" and len(config["id2label"]) == 12


def test_the_metric_of_a_task_is_shown_of_its_holdout(cli: Cli, model_dir: Path, tmp_path: Path) -> None:
    train = glue.write(tmp_path / "t.tsv", "mrpc", 24)
    command = ("finetune", train, "--format", "mrpc", "--holdout", train, "--model", model_dir, "--epochs", 1)
    outcome = cli(*command, "-o", tmp_path / "m", *QUICK)
    assert outcome.code == 0, outcome.err
    rows = rows_of(train)
    true = [int(row["Quality"]) for row in rows]
    predicted = answers(tmp_path / "m", [(row["#1 String"], row["#2 String"]) for row in rows]).argmax(axis=1)
    assert f", F1 {f1_score(true, predicted):.4f}\n" in outcome.out


@pytest.mark.parametrize(
    ("name", "line", "message"),
    [
        ("qqp", "9\t1\t2\tWhat is it?", "line 14, column question2 is missing: the row has 4 where 6 are expected"),
        ("mrpc", '1\t1\t2\t"a\tb"\tc', "line 14, column 6 is one too many: the row has 6 where 5 are expected"),
        ("stsb", "\t".join("0123456789") + ",5", "line 14, column score: '9,5' is not a number that a regression"),
        ("rte", "1\ta\tb\t-", "line 14, column label: '-' is not a label (entailment, not_entailment)"),
    ],
)
def test_odd_rows_are_one_line(name: str, line: str, message: str, cli: Cli, tmp_path: Path) -> None:
    table = glue.write(tmp_path / "t.tsv", name)
    with table.open("a", encoding="utf-8") as stream:
        stream.write(f"{line}\n")
    labels = ("--labels", "entailment,not_entailment") if name == "rte" else ()
    outcome = cli("finetune", table, "--format", name, *labels, "--model", "unused", "-o", tmp_path / "m", *QUICK)
    assert (outcome.code, outcome.err.count("\n")) == (1, 1)
    assert outcome.err.startswith(f"bertline: {table}, {message}") and "correct the row" in outcome.err
