"""Scoring with several labels at once, and with numbers: columns, metrics, pages, resuming, and bad label cells."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from scipy import stats
from sklearn.metrics import f1_score

from bertline.bundle import Bundle
from bertline.metrics import sigmoid
from infer.scorer import Scorer
from tests import tiny
from tests.conftest import Cli

CELLS = ["joy", "", "anger,fear", "fear", "joy,anger,fear", "anger"]
LABELS = ("joy", "anger", "fear")


@pytest.fixture
def several_table(tmp_path: Path) -> Path:
    path = tmp_path / "several.tsv"
    rows = [f"{n}\t{tiny.SENTENCES[n % 8]} {n % 11}\t{CELLS[n % 6]}" for n in range(60)]
    path.write_text("\n".join(["id\tsentence\tlabel", *rows]) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def number_table(tmp_path: Path) -> Path:
    path = tmp_path / "numbers.tsv"
    rows = [f"{n}\t{tiny.SENTENCES[n % 8]} {n % 11}\t{n % 9 / 4:g}" for n in range(60)]
    path.write_text("\n".join(["id\tsentence\tscore", *rows]) + "\n", encoding="utf-8")
    return path


def logits_of(bundle: Path, table: Path) -> np.ndarray:
    texts = [line.split("\t")[1] for line in table.read_text(encoding="utf-8").splitlines()[1:]]
    return Scorer.open(Bundle.open(bundle), device="cpu", threads=1).score(texts)


def report_of(output: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(output.with_name(output.name + ".report.json").read_text())
    return report


def test_several_labels_are_joined_by_commas_and_have_their_probabilities(
    several_bundle: Path, several_table: Path, tmp_path: Path, cli: Cli
) -> None:
    out = tmp_path / "o.tsv"
    outcome = cli("infer", several_bundle, several_table, "-o", out, "--label-column", "label", "--logits")
    assert outcome.code == 0, outcome.err
    header, *rows = [line.split("\t") for line in out.read_text(encoding="utf-8").splitlines()]
    assert header[3:] == ["predicted_label", *(f"prob_{n}" for n in LABELS), *(f"logit_{n}" for n in LABELS)]
    logits = logits_of(several_bundle, several_table)
    for row, own in zip(rows, logits, strict=True):
        assert row[3] == ",".join(name for name, logit in zip(LABELS, own, strict=True) if logit > 0)
        assert np.array(row[4:], np.float32).tolist() == [*sigmoid(own).astype(np.float32), *own]
    metrics = report_of(out)["metrics"]
    true = np.array([[name in CELLS[n % 6].split(",") for name in LABELS] for n in range(60)])
    for average in ("micro", "macro"):
        expected = f1_score(true, logits > 0, average=average, zero_division=0)
        assert metrics[f"{average}_f1"] == pytest.approx(expected, abs=1e-12)
        assert f"{average} F1 {expected:.4f}" in outcome.err
    assert [line.split()[0] for line in outcome.err.splitlines() if line.startswith("  ")] == ["label", *LABELS]


def test_json_lines_and_parquet_hold_several_labels_as_lists(
    several_bundle: Path, several_table: Path, tmp_path: Path, cli: Cli
) -> None:
    given = logits_of(several_bundle, several_table) > 0
    expected = [[name for name, there in zip(LABELS, row, strict=True) if there] for row in given]
    for name in ("o.jsonl", "o.parquet"):
        assert cli("infer", several_bundle, several_table, "-o", tmp_path / name).code == 0
    lines = [json.loads(line) for line in (tmp_path / "o.jsonl").read_text(encoding="utf-8").splitlines()]
    rows = pq.read_table(tmp_path / "o.parquet").to_pylist()
    assert [row["predicted_label"] for row in lines] == expected == [row["predicted_label"] for row in rows]
    assert [row["prob_fear"] for row in lines] == pytest.approx([row["prob_fear"] for row in rows])
    assert "score" not in lines[0] and "score" not in rows[0]


def test_labels_in_parquet_are_lists_and_numbers(
    several_bundle: Path, number_bundle: Path, tmp_path: Path, cli: Cli
) -> None:
    lists = [cell.split(",") if cell else [] for cell in CELLS]
    columns = {"sentence": tiny.SENTENCES[:6], "label": lists, "score": np.arange(6, dtype=np.float32) / 5}
    path, out = tmp_path / "in.parquet", tmp_path / "o.tsv"
    pq.write_table(pa.table(columns), path)
    assert cli("infer", several_bundle, path, "-o", out, "--label-column", "label").code == 0
    assert [label["support"] for label in report_of(out)["metrics"]["per_label"]] == [2, 3, 3]
    assert cli("infer", number_bundle, path, "-o", out, "--label-column", "score", "--force").code == 0
    assert report_of(out)["metrics"]["rows"] == 6
    outcome = cli("infer", several_bundle, path, "-o", out, "--label-column", "score", "--force")
    assert outcome.code == 1 and "in.parquet, row 1, column score: '0.0' holds what is not a label" in outcome.err


def test_a_number_is_one_column(number_bundle: Path, number_table: Path, tmp_path: Path, cli: Cli) -> None:
    out, logits = tmp_path / "o.tsv", logits_of(number_bundle, number_table)
    outcome = cli("infer", number_bundle, number_table, "-o", out, "--label-column", "score", "--logits", "--html")
    assert outcome.code == 0, outcome.err
    header, *rows = [line.split("\t") for line in out.read_text(encoding="utf-8").splitlines()]
    assert header[3:] == ["prediction", "logit_score"]
    assert [np.float32(row[3]) for row in rows] == logits[:, 0].tolist() == [np.float32(row[4]) for row in rows]
    metrics, true = report_of(out)["metrics"], np.array([n % 9 / 4 for n in range(60)])
    assert metrics["pearson"] == pytest.approx(stats.pearsonr(true, logits[:, 0]).statistic, abs=1e-6)
    assert metrics["spearman"] == pytest.approx(stats.spearmanr(true, logits[:, 0]).statistic)
    assert f"Pearson {metrics['pearson']:.4f}" in outcome.err and "Spearman" in outcome.err
    page = out.with_name("o.tsv.report.html").read_text(encoding="utf-8")
    assert "Predicted against true" in page and "Error by length" in page
    for name in ("o.jsonl", "o.parquet"):
        assert cli("infer", number_bundle, number_table, "-o", tmp_path / name).code == 0
    line = json.loads((tmp_path / "o.jsonl").read_text(encoding="utf-8").splitlines()[0])
    assert (
        np.float32(line["prediction"]) == logits[0, 0] == pq.read_table(tmp_path / "o.parquet")["prediction"][0].as_py()
    )


def test_probabilities_of_a_number_are_wrong_usage(
    number_bundle: Path, number_table: Path, tmp_path: Path, cli: Cli
) -> None:
    outcome = cli("infer", number_bundle, number_table, "-o", tmp_path / "o.tsv", "--probabilities")
    assert outcome.code == 2 and "--probabilities: this bundle predicts a number" in outcome.err


def test_several_labels_have_a_page(several_bundle: Path, several_table: Path, tmp_path: Path, cli: Cli) -> None:
    out = tmp_path / "o.tsv"
    arguments = ("infer", several_bundle, several_table, "-o", out, "--label-column", "label", "--html", "--quiet")
    assert cli(*arguments).code == 0
    page = out.with_name("o.tsv.report.html").read_text(encoding="utf-8")
    assert "F1 by label" in page and "One threshold for all labels" in page and "micro F1 (95%:" in page


@pytest.mark.parametrize(
    ("kind", "cell", "said"),
    [
        ("single", "3.8", "'3.8' is not a label (0, 1)"),
        ("several", "joy,hope", "'joy,hope' holds what is not a label (joy, anger, fear)"),
        ("several", "3.8", "'3.8' holds what is not a label"),
        ("number", "positive", "'positive' is not a number that a regression model predicts"),
        ("number", "", "'' is not a number"),
        ("number", "nan", "'nan' is not a number"),
    ],
)
def test_labels_that_do_not_match_the_problem_are_named_or_set_aside(
    kind: str,
    cell: str,
    said: str,
    bundle: Path,
    several_bundle: Path,
    number_bundle: Path,
    tmp_path: Path,
    cli: Cli,
) -> None:
    of_kind = {"single": (bundle, "1"), "several": (several_bundle, "joy"), "number": (number_bundle, "0.5")}
    own, good = of_kind[kind]
    path, out = tmp_path / "in.tsv", tmp_path / "o.tsv"
    path.write_text(f"sentence\tlabel\nThe cat sleeps.\t{good}\nThe dog sees.\t{cell}\n", encoding="utf-8")
    outcome = cli("infer", own, path, "-o", out, "--label-column", "label")
    assert outcome.code == 1 and f"in.tsv, line 3, column label: {said}" in outcome.err
    assert len(outcome.err.strip().splitlines()) <= 2 and not out.exists()
    outcome = cli("infer", own, path, "-o", out, "--label-column", "label", "--on-error", "quarantine")
    assert outcome.code == 0 and report_of(out)["rejected"] == {"label": 1}
    assert "\t3\tlabel\t" in out.with_name("o.tsv.rejects.tsv").read_text(encoding="utf-8")


@pytest.mark.parametrize("kind", ["several", "number"])
def test_a_run_that_was_stopped_ends_with_the_same_metrics(
    kind: str,
    several_bundle: Path,
    several_table: Path,
    number_bundle: Path,
    number_table: Path,
    tmp_path: Path,
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    own, table, column = (
        (several_bundle, several_table, "label") if kind == "several" else (number_bundle, number_table, "score")
    )
    whole, stopped = tmp_path / "whole.tsv", tmp_path / "stopped.tsv"
    arguments = ("--label-column", column, "--window", "7", "--threads", "1")
    assert cli("infer", own, table, "-o", whole, *arguments).code == 0

    from infer.unfinished import Unfinished

    record, calls = Unfinished.record, []

    def stop(self: Unfinished, checkpoint: Any) -> None:
        record(self, checkpoint)
        calls.append(checkpoint)
        if len(calls) == 4:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(Unfinished, "record", stop)
        assert cli("infer", own, table, "-o", stopped, *arguments).code == 130
    outcome = cli("infer", own, table, "-o", stopped, *arguments, "--resume")
    assert outcome.code == 0 and "were done by the run before" in outcome.err
    assert stopped.read_bytes() == whole.read_bytes()
    assert report_of(stopped)["metrics"] == report_of(whole)["metrics"]


@pytest.mark.parametrize("kind", ["several", "number"])
def test_verify_compares_rows_by_what_the_problem_goes_by(
    kind: str,
    several_bundle: Path,
    several_table: Path,
    number_bundle: Path,
    number_table: Path,
    cli: Cli,
) -> None:
    own, table, column, said = {
        "several": (several_bundle, several_table, "label", "0 flips, micro F1 "),
        "number": (number_bundle, number_table, "score", "Pearson "),
    }[kind]
    outcome = cli("verify", own, table, "--label-column", column)
    assert outcome.code == 0, outcome.out + outcome.err
    assert outcome.out.count("ok ") == 5 and said in outcome.out and ("flips" in outcome.out) == (kind == "several")
