"""The whole line on real CoLA with a real encoder: what the README claims, checked."""

import csv
import gzip
import json
import statistics
import time
from pathlib import Path

import numpy as np
import pytest
from sklearn.metrics import accuracy_score, confusion_matrix, matthews_corrcoef

from bertline.bundle import Bundle
from bertline.model_folder import ModelFolder
from infer.output import softmax
from tests.pages.browser import Browser, missing_programs
from tests.runtimes.needs import needs
from tests.runtimes.served import served, write_page

DEV_FILES = ("in_domain_dev", "out_of_domain_dev")
SENTENCE = "The angrier Mary got, the more she looked at pictures."
# Milliseconds from a letter to the answer that is shown for the text with it.
WATCH = """
const box = document.getElementById("first-text"), facts = document.getElementById("answer-facts");
window.waits = [];
box.focus();
box.addEventListener("input", () => { window.typedAt = performance.now(); }, true);
new MutationObserver(() => { if (/\\d ms/.test(facts.textContent)) window.waits.push(performance.now() - typedAt); })
  .observe(facts, { childList: true, characterData: true, subtree: true });
"""


@pytest.fixture(scope="session")
def training(line: Path) -> dict:
    return json.loads((line / "model" / "training.json").read_text())


def cola_rows(line: Path, name: str) -> list[list[str]]:
    with (line / "cola_public" / "raw" / f"{name}.tsv").open(encoding="utf-8", newline="\n") as stream:
        return list(csv.reader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))


def scored_rows(line: Path, name: str) -> list[dict[str, str]]:
    with (line / f"{name}.scored.tsv").open(encoding="utf-8", newline="\n") as stream:
        return list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))


def test_training_learns_cola(training: dict) -> None:
    assert len(training["epochs"]) == 4
    best = max(training["epochs"], key=lambda epoch: epoch["validation_mcc"])
    assert training["kept_epoch"] == best["epoch"]
    assert training["epochs"][-1]["training_loss"] < training["epochs"][0]["training_loss"]
    # A sentence encoder of 22 million weights reaches about 0.25 to 0.31; chance is 0.
    assert training["holdouts"]["in_domain_dev"]["mcc"] > 0.2
    assert training["holdouts"]["out_of_domain_dev"]["mcc"] > 0.1


def test_parity_holds_on_all_rows_of_the_corpus(line: Path) -> None:
    gate = Bundle.open(line / "bundle").manifest.variants["fp32"].gates[0]
    print(f"max |Δlogit| {gate.max_abs_logit:.2e}, mean {gate.mean_abs_logit:.2e} over {gate.rows} rows")
    assert gate.rows == 8551 + 527 + 516
    assert gate.passed and gate.flips == 0 and gate.max_abs_logit <= 1e-4
    assert gate.mcc == gate.mcc_reference


@pytest.mark.parametrize("name", DEV_FILES)
def test_scored_file_keeps_order_and_columns(line: Path, name: str) -> None:
    source, scored = cola_rows(line, name), scored_rows(line, name)
    assert len(scored) == len(source) == {"in_domain_dev": 527, "out_of_domain_dev": 516}[name]
    assert [[row[c] for c in ("source", "label", "notes", "sentence")] for row in scored] == source


@pytest.mark.parametrize("name", DEV_FILES)
def test_metrics_are_those_of_scikit_learn(line: Path, name: str, training: dict) -> None:
    scored = scored_rows(line, name)
    true, predicted = [row["label"] for row in scored], [row["predicted_label"] for row in scored]
    metrics = json.loads((line / f"{name}.scored.tsv.report.json").read_text())["metrics"]
    assert metrics["mcc"] == pytest.approx(matthews_corrcoef(true, predicted), abs=1e-12)
    assert metrics["accuracy"] == pytest.approx(accuracy_score(true, predicted), abs=1e-12)
    assert metrics["confusion"] == confusion_matrix(true, predicted).tolist()
    assert metrics["mcc"] == pytest.approx(training["holdouts"][name]["mcc"], abs=1e-12), "PyTorch says otherwise"


@pytest.mark.parametrize("name", DEV_FILES)
def test_scores_are_pytorchs_row_by_row(line: Path, name: str) -> None:
    from export.reference import Reference

    reference = Reference(ModelFolder.open(line / "model"))
    expected = reference.logits(reference.encode([row[3] for row in cola_rows(line, name)], 64))
    scored = scored_rows(line, name)
    own = np.array([[row["logit_0"], row["logit_1"]] for row in scored], np.float32)
    print(f"{name}: max |Δlogit| {np.abs(own - expected).max():.2e}")
    assert np.abs(own - expected).max() <= 1e-4
    assert [int(row["predicted_label"]) for row in scored] == expected.argmax(axis=1).tolist()


def test_scores_of_the_training_file_are_pytorchs_row_by_row(line: Path) -> None:
    from export.reference import Reference

    reference = Reference(ModelFolder.open(line / "model"))
    logits = reference.logits(reference.encode([row[3] for row in cola_rows(line, "in_domain_train")], 64))
    scored = scored_rows(line, "in_domain_train")
    assert len(scored) == 8551
    assert [int(row["predicted_label"]) for row in scored] == logits.argmax(axis=1).tolist()
    scores = np.array([row["score"] for row in scored], np.float32)
    print(f"in_domain_train: max |Δscore| {np.abs(scores - softmax(logits).max(axis=1)).max():.2e}")
    assert np.abs(scores - softmax(logits).max(axis=1)).max() <= 1e-5


def test_latency_covers_the_grid(line: Path) -> None:
    cells = json.loads((line / "small.json").read_text())["result"]["cells"]
    shapes = {(cell["batch"], cell["sequence"]) for cell in cells}
    assert shapes == {(batch, sequence) for batch in (1, 8) for sequence in (16, 64)}
    assert all(cell["timing"]["p50_ms"] > 0 for cell in cells)


def test_int8_holds_its_gate_on_both_development_files(line: Path) -> None:
    variant = Bundle.open(line / "fast").manifest.variants["int8"]
    assert variant.quantization is not None
    chosen = variant.quantization["candidates"][-1]
    for gate in variant.gates:
        print(f"{gate.provider}: {gate.flips} flips of {gate.rows}, {chosen['fp32_share']:.0%} of the work in fp32")
        assert gate.rows == 527 + 516 and gate.passed and gate.flips <= 10
        assert gate.mcc is not None and gate.mcc_reference is not None and gate.mcc >= gate.mcc_reference - 0.01


def test_the_page_is_small_and_answers_as_one_types(line: Path, tmp_path: Path) -> None:
    needs("npm")
    if missing := missing_programs():
        pytest.skip(f"no {', '.join(missing)} here; apt-get install chromium chromium-driver")
    bundle, firsts, waits = write_page(line / "fast", tmp_path / "bundle"), [], []
    with served(bundle) as url:
        for visit in range(3):
            with Browser.started(tmp_path / f"profile-{visit}") as browser:
                browser.open(url)
                browser.run("await bertline.ready; await bertline.score([arguments[0]])", SENTENCE)
                firsts.append(browser.run("return bertline.timings.firstAnswer"))
                used = {*browser.run("return bertline.facts.usedFiles"), "bertline.json"}
                browser.run(WATCH)
                for letter in SENTENCE:
                    browser.type(letter)
                    time.sleep(0.1)
                waits += browser.run("return waits")
    assert "onnx/model_quantized.onnx" in used and "runtimes/web/page.js" in used
    size = sum(len(gzip.compress((bundle / name).read_bytes(), 9)) for name in used)
    # The first is for reading: on a machine that runs other tests beside this one it tells little.
    print(f"first answer {statistics.median(firsts):,.0f} ms after the page was asked for, without a cache")
    print(f"typing: {len(waits)} answers, median {statistics.median(waits):.0f} ms, longest {max(waits):.0f} ms")
    print(f"{len(used)} files, {size / 1e6:.1f} MB gzipped")
    assert size <= 30e6
    assert len(waits) > len(SENTENCE) and statistics.median(waits) <= 100
