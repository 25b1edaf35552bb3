"""Files in, a scored file and a report out."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bertline.bundle import Bundle
from bertline.errors import BertlineError
from bertline.tsv import TableSpec
from infer.job import Job, report_path
from infer.output import OutputFormat
from infer.pipeline import score_files
from infer.scorer import Scorer
from tests import tiny

# architecture.md, "The command line": the report's top level
REPORT_KEYS = """rows unique_rows tokens padding_share truncated rejected rows_per_second startup_seconds stage_seconds
peak_memory_mib device provider variant threads batch_tokens bundle_sha256 input versions metrics"""


def score(bundle: Path, output: Path, *inputs: Path, batch_tokens: int = 2048, **options: Any) -> dict[str, Any]:
    opened = Bundle.open(bundle)
    spec = options.pop("spec", TableSpec(label_column="label"))
    job = Job(inputs, output, spec, OutputFormat(logits=True), **options)
    return score_files(job, opened.manifest, lambda: Scorer.open(opened, batch_tokens=batch_tokens))[0]


def table_of(path: Path) -> tuple[list[str], list[list[str]]]:
    header, *rows = (line.split("\t") for line in path.read_text(encoding="utf-8").split("\n")[:-1])
    return header, rows


def test_order_and_all_columns_are_kept_and_scores_follow(bundle: Path, tmp_path: Path) -> None:
    source, out = tiny.write_table(tmp_path / "t.tsv"), tmp_path / "o.tsv"
    score(bundle, out, source)
    header, rows = table_of(out)
    columns, cells = table_of(source)
    assert header == [*columns, "predicted_label", "score", "logit_0", "logit_1"]
    assert [row[:3] for row in rows] == cells
    logits = np.array([row[5:] for row in rows], np.float32)
    assert np.abs(logits - Scorer.open(bundle).score([row[1] for row in cells])).max() <= 1e-5
    assert [row[3] for row in rows] == [str(label) for label in logits.argmax(axis=1)]


def test_windows_and_batches_of_any_size_give_the_same_answers(bundle: Path, tmp_path: Path) -> None:
    generator = np.random.default_rng(11)
    source = tmp_path / "t.tsv"
    texts = [" ".join(generator.choice(tiny.WORDS, generator.integers(0, 80))) for _ in range(150)]
    lines = ["sentence\tlabel", *(f"{text}\t{row % 2}" for row, text in enumerate(texts))]
    source.write_text("\n".join(lines) + "\n")
    answers = []
    for window in (1, 3, 8192):
        for tokens in (1, 64, 2048):
            out = tmp_path / f"{window}-{tokens}.tsv"
            score(bundle, out, source, window_rows=window, batch_tokens=tokens)
            _, rows = table_of(out)
            answers.append(([row[2] for row in rows], np.array([row[4:] for row in rows], np.float32)))
    for labels, logits in answers[1:]:
        assert labels == answers[0][0]
        assert np.abs(logits - answers[0][1]).max() <= 1e-5


def test_several_files_are_each_as_if_alone(bundle: Path, tmp_path: Path) -> None:
    files = [tiny.write_table(tmp_path / "a.tsv", 24), tiny.write_table(tmp_path / "b.tsv", 5)]
    inputs = [files[0], files[1], files[0]]  # one of them twice
    report = score(bundle, tmp_path / "all.tsv", *inputs, window_rows=7)
    expected = []
    for number, file in enumerate(inputs):
        score(bundle, tmp_path / f"{number}.tsv", file)
        expected += table_of(tmp_path / f"{number}.tsv")[1]
    rows = table_of(tmp_path / "all.tsv")[1]
    assert [row[:4] for row in rows] == [row[:4] for row in expected]
    logits, alone = (np.array([row[5:] for row in some], np.float32) for some in (rows, expected))
    assert np.abs(logits - alone).max() <= 1e-5
    assert [source["name"] for source in report["input"]] == [str(path) for path in inputs]


def test_the_report_has_every_key_and_counts_right(bundle: Path, tmp_path: Path) -> None:
    source = tiny.write_table(tmp_path / "t.tsv")
    report = score(bundle, tmp_path / "o.tsv", source, report=report_path(tmp_path / "o.tsv"))
    assert set(report) >= set(REPORT_KEYS.split())
    assert (report["rows"], report["unique_rows"], report["truncated"], report["rejected"]) == (24, 8, 0, {})
    assert report["bundle_sha256"] == Bundle.open(bundle).sha256
    assert report["input"][0]["bytes"] == source.stat().st_size
    metrics = report["metrics"]
    assert np.sum(metrics["confusion"]) == 24 and metrics["labels"] == ["0", "1"]
    predicted = [int(row[3]) for row in table_of(tmp_path / "o.tsv")[1]]
    assert metrics["accuracy"] == np.mean(np.array(predicted) == np.arange(24) % 2)
    assert json.loads((tmp_path / "o.tsv.report.json").read_text()) == report


def test_neither_windows_nor_repeats_change_the_evaluation(bundle: Path, tmp_path: Path) -> None:
    generator = np.random.default_rng(12)
    texts = [" ".join(generator.choice(tiny.WORDS, generator.integers(0, 80))) for _ in range(60)]
    lines = ["sentence\tlabel", *(f"{generator.choice(texts)}\t{generator.integers(2)}" for _ in range(200))]
    source = tmp_path / "t.tsv"
    source.write_text("\n".join(lines) + "\n")
    found = [
        score(bundle, tmp_path / f"{window}{dedupe}.tsv", source, window_rows=window, dedupe=dedupe)["metrics"]
        for window in (3, 64, 8192)
        for dedupe in (True, False)
    ]
    for metrics in found[1:]:
        for name in ("confusion", "mcc_per_32_rows", "accuracy_by_length", "score_histogram"):
            assert metrics[name] == found[0][name], name
        for mistake, first in zip(metrics["most_confident_mistakes"], found[0]["most_confident_mistakes"], strict=True):
            assert {**mistake, "probability": 0} == {**first, "probability": 0}
            assert mistake["probability"] == pytest.approx(first["probability"], abs=2e-6)
    mistake = found[0]["most_confident_mistakes"][0]
    assert mistake["file"] == str(source) and mistake["line"] == mistake["row"] + 1
    assert lines[mistake["row"]] == f"{mistake['texts'][0]}\t{mistake['true']}"


def test_lengths_are_the_tokenizers_and_cut_at_the_maximum(bundle: Path, tmp_path: Path) -> None:
    source = tmp_path / "t.tsv"
    source.write_text("sentence\tlabel\n" + "the cat\t0\n" * 40 + f"{'the cat ' * 60}\t1\n" * 40)
    lengths = score(bundle, tmp_path / "o.tsv", source)["metrics"]["accuracy_by_length"]
    assert [(part["low"], part["high"], part["rows"]) for part in lengths] == [(4, 4, 40), (64, 64, 40)]


def test_without_labels_there_are_no_metrics(bundle: Path, tmp_path: Path) -> None:
    source = tiny.write_table(tmp_path / "t.tsv")
    assert "metrics" not in score(bundle, tmp_path / "o.tsv", source, spec=TableSpec())
    assert "metrics" not in score(bundle, tmp_path / "p.tsv", source, use_labels=False)


def test_nothing_is_loaded_for_a_job_that_cannot_be_done(bundle: Path, tmp_path: Path) -> None:
    def never() -> Scorer:
        raise AssertionError("the model was loaded")

    source, manifest = tiny.write_table(tmp_path / "t.tsv"), Bundle.open(bundle).manifest
    for job in (
        Job([source], source, TableSpec(), force=True),
        Job([tmp_path / "missing"], tmp_path / "o.tsv", TableSpec()),
        Job([source], tmp_path / "no" / "o.tsv", TableSpec()),
        Job([source], tmp_path / "o.tsv", TableSpec(text_column="text")),
    ):
        with pytest.raises(BertlineError):
            score_files(job, manifest, never)


def test_progress_is_told_of_rows_and_bytes(bundle: Path, tmp_path: Path) -> None:
    source, opened = tiny.write_table(tmp_path / "t.tsv"), Bundle.open(bundle)
    told: list[tuple[int, int, int | None]] = []
    job = Job([source], tmp_path / "o.tsv", TableSpec(), window_rows=10)
    score_files(job, opened.manifest, lambda: Scorer.open(opened), lambda *numbers: told.append(numbers))
    rows = [rows for rows, _, _ in told]
    assert rows == sorted(rows) and {10, 20, 24} <= set(rows) and len(rows) > 3  # within a window, too
    assert told[-1][1:] == (source.stat().st_size, source.stat().st_size)
