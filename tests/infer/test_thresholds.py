"""Thresholds are the best of all on the rows given, are stored whole, and are applied as they were promised."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, f1_score, matthews_corrcoef

from bertline.bundle import MANIFEST, Bundle
from bertline.metrics import sigmoid, softmax
from infer.scorer import Scorer
from infer.signing import SIGNATURE
from tests import tiny
from tests.conftest import Cli

SCORES: dict[str, Callable[..., float]] = {
    "mcc": matthews_corrcoef,
    "accuracy": accuracy_score,
    "f1": lambda true, given: f1_score(true, given, zero_division=0),
}
CELLS = ["joy", "", "anger,fear", "fear", "joy,anger,fear", "anger"]
LABELS = ("joy", "anger", "fear")


@pytest.fixture
def two(bundle: Path, tmp_path: Path) -> Path:
    """A bundle of two labels to write to."""
    return Path(shutil.copytree(bundle, tmp_path / "bundle"))


@pytest.fixture
def several(several_bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(several_bundle, tmp_path / "several"))


def write_rows(path: Path, label: Callable[[int], str], rows: int = 120) -> Path:
    """Rows of many different texts."""
    lines = [f"{n}\t{tiny.SENTENCES[n % 8]} {tiny.SENTENCES[n * 5 % 7]} {n % 23}\t{label(n)}" for n in range(rows)]
    path.write_text("\n".join(["id\tsentence\tlabel", *lines]) + "\n", encoding="utf-8")
    return path


def logits_of(bundle: Path, table: Path) -> np.ndarray:
    texts = [line.split("\t")[1] for line in table.read_text(encoding="utf-8").splitlines()[1:]]
    return Scorer.open(Bundle.open(bundle), device="cpu").score(texts)


def document_of(bundle: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((bundle / MANIFEST).read_text(encoding="utf-8"))
    return document


def report_of(output: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(output.with_name(output.name + ".report.json").read_text())
    return report


@pytest.mark.parametrize("metric", [None, "mcc", "accuracy", "f1"])
def test_of_two_labels_it_is_the_best_of_all_and_infer_applies_it(
    metric: str | None, two: Path, tmp_path: Path, cli: Cli
) -> None:
    table, out = write_rows(tmp_path / "in.tsv", lambda n: str(n * n % 3 % 2)), tmp_path / "o.tsv"
    before = document_of(two)
    arguments = ("--label-column", "label", *(("--metric", metric) if metric else ()))
    outcome = cli("threshold", two, table, *arguments)
    assert outcome.code == 0, outcome.err
    assert "flatter themselves" in outcome.out
    document = document_of(two)
    found = document["thresholds"]
    assert {**document, "thresholds": None} == before  # all else is kept
    assert (found["rows"], found["table"], found["variant"]) == (120, "in.tsv", "fp32")
    above, true = softmax(logits_of(two, table))[:, 1], np.array([n * n % 3 % 2 for n in range(120)])
    score = SCORES[metric or "mcc"]
    ((label, threshold),) = found["labels"].items()
    assert label == "1"
    tried = [score(true, above > number / 1000) for number in range(1, 1000)]
    assert score(true, above > threshold) == pytest.approx(max(tried), abs=1e-12)

    assert cli("infer", two, table, "-o", out, "--label-column", "label", "--thresholds").code == 0
    report = report_of(out)
    metrics = report["metrics"]
    after = {"accuracy": metrics["accuracy"], "mcc": metrics["mcc"], "f1": metrics["per_label"][1]["f1"]}
    assert after == found["after"]
    assert report["thresholds"] == {"1": threshold} == {"1": metrics["threshold"]}
    assert f"MCC {after['mcc']:.4f}" in outcome.out
    rows = [line.split("\t") for line in out.read_text(encoding="utf-8").splitlines()[1:]]
    assert [row[3] for row in rows] == ["1" if value > threshold else "0" for value in above.tolist()]
    sure = np.where(above > threshold, above, 1 - above)
    assert [float(row[4]) for row in rows] == pytest.approx(sure.tolist(), abs=1e-6)  # of the predicted label

    assert cli("infer", two, table, "-o", out, "--label-column", "label", "--force").code == 0
    metrics, report = report_of(out)["metrics"], report_of(out)
    before_it = {"accuracy": metrics["accuracy"], "mcc": metrics["mcc"], "f1": metrics["per_label"][1]["f1"]}
    assert before_it == found["before"] and report["thresholds"] is None


def test_of_several_labels_each_has_its_best_and_infer_applies_them(several: Path, tmp_path: Path, cli: Cli) -> None:
    table, out = write_rows(tmp_path / "in.tsv", lambda n: CELLS[n * 7 % 6]), tmp_path / "o.tsv"
    outcome = cli("threshold", several, table, "--label-column", "label")
    assert outcome.code == 0, outcome.err
    found = document_of(several)["thresholds"]
    assert list(found["labels"]) == list(LABELS) and found["metric"] == "f1"
    probabilities = sigmoid(logits_of(several, table))
    true = np.array([[name in CELLS[n * 7 % 6].split(",") for name in LABELS] for n in range(120)])
    for place, threshold in enumerate(found["labels"].values()):
        tried = [SCORES["f1"](true[:, place], probabilities[:, place] > number / 1000) for number in range(1, 1000)]
        reached = SCORES["f1"](true[:, place], probabilities[:, place] > threshold)
        assert reached == pytest.approx(max(tried), abs=1e-12)
    assert cli("infer", several, table, "-o", out, "--label-column", "label", "--thresholds").code == 0
    metrics = report_of(out)["metrics"]
    assert {name: metrics[name] for name in ("micro_f1", "macro_f1")} == found["after"]
    assert metrics["thresholds"] == list(found["labels"].values())
    given = probabilities > np.array(list(found["labels"].values()))
    cells = [line.split("\t")[3] for line in out.read_text(encoding="utf-8").splitlines()[1:]]
    assert cells == [",".join(np.array(LABELS)[row]) for row in given]
    assert cli("infer", several, table, "-o", out, "--label-column", "label", "--force").code == 0
    metrics = report_of(out)["metrics"]
    assert {name: metrics[name] for name in ("micro_f1", "macro_f1")} == found["before"]


def test_info_and_the_page_say_what_is_used_and_clear_removes_it(
    two: Path, table: Path, tmp_path: Path, cli: Cli
) -> None:
    assert json.loads(cli("info", two, "--json").out)["thresholds"] == "0.5"
    assert cli("threshold", two, table, "--label-column", "label").code == 0
    value = document_of(two)["thresholds"]["labels"]["1"]
    said = f"0.5, and with --thresholds 1 {value:g} (the best MCC on 24 rows of table.tsv, with fp32)"
    assert json.loads(cli("info", two, "--json").out)["thresholds"] == said
    out = tmp_path / "o.tsv"
    outcome = cli("infer", two, table, "-o", out, "--label-column", "label", "--thresholds", "--html")
    assert f"decided by the bundle's thresholds: 1 {value:g}" in outcome.err
    assert "found with" not in outcome.err
    document = document_of(two)
    document["thresholds"]["variant"] = "int8"
    (two / MANIFEST).write_text(json.dumps(document))
    again = cli("infer", two, table, "-o", tmp_path / "again.tsv", "--thresholds")
    assert "; found with int8, whose probabilities differ a little" in again.err
    page = out.with_name("o.tsv.report.html").read_text(encoding="utf-8")
    assert f"{value:g}, as used" in page and "-o OUTPUT --html --thresholds" in page
    assert cli("verify", two).code == 0
    assert "removed" in cli("threshold", two, "--clear").err
    assert document_of(two)["thresholds"] is None
    assert "stores no thresholds" in cli("threshold", two, "--clear").err


def test_infer_names_the_command_where_the_bundle_has_none(
    bundle: Path, number_bundle: Path, table: Path, tmp_path: Path, cli: Cli
) -> None:
    outcome = cli("infer", bundle, table, "-o", tmp_path / "o.tsv", "--thresholds")
    assert outcome.code == 1 and "find them with bertline threshold BUNDLE TSV" in outcome.err
    outcome = cli("infer", number_bundle, table, "-o", tmp_path / "o.tsv", "--thresholds")
    assert outcome.code == 2 and "this bundle predicts a number, which no threshold decides" in outcome.err


def test_a_run_by_thresholds_is_another_run(two: Path, table: Path, tmp_path: Path, cli: Cli) -> None:
    assert cli("threshold", two, table, "--label-column", "label").code == 0
    out = tmp_path / "o.tsv"
    assert cli("infer", two, table, "-o", out).code == 0
    outcome = cli("infer", two, table, "-o", out, "--resume", "--thresholds")
    assert outcome.code == 1 and "--thresholds was not given and is {'1': " in outcome.err


def test_a_signed_bundle_is_left_alone_unless_forced(two: Path, table: Path, cli: Cli) -> None:
    (two / SIGNATURE).write_text("a signature")
    manifest = (two / MANIFEST).read_bytes()
    outcome = cli("threshold", two, table, "--label-column", "label")
    assert outcome.code == 1 and "is signed" in outcome.err and f"bertline sign {two} --key" in outcome.err
    assert (two / MANIFEST).read_bytes() == manifest and (two / SIGNATURE).exists()
    assert cli("threshold", two, table, "--label-column", "label", "--force").code == 0
    assert not (two / SIGNATURE).exists() and document_of(two)["thresholds"]
    (two / SIGNATURE).write_text("another")
    assert cli("threshold", two, "--clear").code == 1 and document_of(two)["thresholds"]
    assert cli("threshold", two, "--clear", "--force").code == 0 and not (two / SIGNATURE).exists()


def test_an_interrupted_command_leaves_the_manifest_as_it_was(
    two: Path, table: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = (two / MANIFEST).read_bytes()

    def stop(self: Path, target: Path) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", stop)
        assert cli("threshold", two, table, "--label-column", "label").code == 130
    assert (two / MANIFEST).read_bytes() == manifest
    assert sorted(path.name for path in two.glob("*.partial")) == []


def test_what_has_no_threshold_is_refused(
    two: Path, several: Path, number_bundle: Path, table: Path, tmp_path: Path, cli: Cli
) -> None:
    outcome = cli("threshold", number_bundle, table)
    assert outcome.code == 2 and "predicts a number, which no threshold decides" in outcome.err
    three = Path(shutil.copytree(several, tmp_path / "three"))
    document = document_of(three)
    document["problem_type"] = "single_label_classification"
    (three / MANIFEST).write_text(json.dumps(document))
    outcome = cli("threshold", three, table)
    assert outcome.code == 2 and "gives the likeliest of 3 labels" in outcome.err


def test_rows_that_say_nothing_are_refused(two: Path, several: Path, tmp_path: Path, cli: Cli) -> None:
    one = write_rows(tmp_path / "one.tsv", lambda n: "1")
    outcome = cli("threshold", two, one, "--label-column", "label")
    assert outcome.code == 1 and "all rows are labelled 1" in outcome.err
    none = tmp_path / "none.tsv"
    none.write_text("sentence\nThe cat sleeps.\n", encoding="utf-8")
    outcome = cli("threshold", two, none)
    assert outcome.code == 1 and "has no column of labels" in outcome.err and "--label-column" in outcome.err
    for cell in ("", "joy"):
        one_side = write_rows(tmp_path / "one_side.tsv", lambda n, cell=cell: cell)
        outcome = cli("threshold", several, one_side, "--label-column", "label")
        assert outcome.code == 1 and "no label is on some rows only; thresholds need rows with a label" in outcome.err
    some = write_rows(tmp_path / "some.tsv", lambda n: "joy" if n % 3 else "")
    outcome = cli("threshold", several, some, "--label-column", "label")
    assert outcome.code == 0 and "no row has anger, fear: 0.5 stays" in outcome.out
    assert document_of(several)["thresholds"]["labels"]["fear"] == 0.5
    always = write_rows(tmp_path / "always.tsv", lambda n: "joy" if n % 3 else "joy,fear")
    outcome = cli("threshold", several, always, "--label-column", "label")
    assert outcome.code == 0 and "no row has anger: 0.5 stays\nevery row has joy: 0.5 stays\n" in outcome.out
    thresholds = document_of(several)["thresholds"]["labels"]
    assert thresholds["joy"] == thresholds["anger"] == 0.5 != thresholds["fear"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [((), "give a table of labelled rows, or --clear"), (("in.tsv", "--clear"), "and not both")],
)
def test_a_table_or_clear(arguments: tuple[str, ...], said: str, bundle: Path, cli: Cli) -> None:
    outcome = cli("threshold", bundle, *arguments)
    assert outcome.code == 2 and said in outcome.err
    outcome = cli("threshold", bundle, "--clear", "--metric", "f1")
    assert outcome.code == 2 and "--clear removes thresholds and finds none; leave out --metric" in outcome.err


def test_metrics_that_the_problem_does_not_have(two: Path, several: Path, table: Path, cli: Cli) -> None:
    assert "give mcc, accuracy, f1" in cli("threshold", two, table, "--metric", "auc").err
    outcome = cli("threshold", several, table, "--metric", "mcc")
    assert outcome.code == 2 and "by its F1; leave it out" in outcome.err
