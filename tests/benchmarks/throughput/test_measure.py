"""Throughput: every way answers for the same rows, and the document says how it was measured."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.ceiling import encoder_flops
from benchmarks.documents import Document, read_document
from benchmarks.peers.catalogue import PEERS
from benchmarks.throughput import measure
from benchmarks.throughput.candidates import PIPELINE, PLAIN_ONNX, TORCH_BF16, TORCH_FP32, Candidate
from benchmarks.throughput.result import BARE, NOTEBOOK, OURS, Throughput, Way
from tests import tiny
from tests.benchmarks.peers import fakes
from tests.conftest import Cli


@pytest.fixture(scope="module")
def document(bundle: Path, model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Document:
    from bertline.cli import run

    folder = tmp_path_factory.mktemp("throughput")
    table, output = tiny.write_table(folder / "t.tsv", rows=40), folder / "t.json"
    options = ["--model", str(model_dir), "--rows", "33", "--passes", "2", "--html", "-o", str(output)]
    options += ["--label-column", "label", "--peers", "cross-encoder", "--peers-folder", str(folder), "--threads", "1"]
    options += ["--variants", "fp32"]
    assert run(["benchmark", "throughput", str(bundle), str(table), *options]) == 0
    page = output.with_suffix(".html").read_text(encoding="utf-8")
    assert "loop, PyTorch fp32" in page and "bertline benchmark peers install cross-encoder" in page
    return read_document(output)


@pytest.fixture(scope="module")
def result(document: Document) -> Throughput:
    assert isinstance(document.result, Throughput)
    return document.result


@pytest.fixture(scope="module")
def ways(result: Throughput) -> dict[str, Way]:
    return {way.way: way for way in result.ways}


def test_every_way_scores_every_row_with_the_same_answers(result: Throughput, ways: dict[str, Way]) -> None:
    exact = {NOTEBOOK, PIPELINE, TORCH_FP32, PLAIN_ONNX, f"{OURS} fp32", f"{BARE}, fp32"}
    assert ways.keys() == exact | {TORCH_BF16} and result.rows == 33
    assert all(ways[way].max_abs_logit < 1e-5 and ways[way].flips == 0 for way in exact)
    assert 0 < ways[TORCH_BF16].max_abs_logit < 0.1 and ways[TORCH_BF16].formats == ("bfloat16",)
    mcc = ways[NOTEBOOK].mcc
    assert mcc is not None and -1 <= mcc <= 1 and {ways[way].mcc for way in exact} == {mcc}


def test_the_first_pass_is_kept_apart(ways: dict[str, Way]) -> None:
    assert all(len(way.seconds) == 2 and way.cold_seconds > 0 for way in ways.values())


def test_the_document_says_how_and_on_what(document: Document, result: Throughput) -> None:
    assert document.command.startswith("bertline benchmark throughput") and "--rows 33" in document.command
    assert {"torch", "onnxruntime"} <= document.machine.versions.keys() and document.machine.threads == 1
    ceiling = document.machine.ceiling
    assert ceiling is not None and ceiling.matrix_flops.keys() == {"float32", "bfloat16", "int8"}
    assert (result.share_of_ceiling(result.way(NOTEBOOK), ceiling) or 0) > 0


def test_stages_are_told_of_file_to_file_alone(result: Throughput, ways: dict[str, Way]) -> None:
    stages = ways[f"{OURS} fp32"].stage_seconds
    assert stages is not None and {"read", "tokenize", "run", "write"} <= stages.keys()
    assert ways[NOTEBOOK].stage_seconds is None and ways[f"{BARE}, fp32"].stage_seconds is None
    assert (result.model, result.file) == ("model", "t.tsv")


def test_start_up_and_memory_are_each_ones_own(ways: dict[str, Way]) -> None:
    assert all(way.startup_seconds > 0 for way in ways.values())
    assert ways[f"{OURS} fp32"].peak_memory_mib < ways[NOTEBOOK].peak_memory_mib  # it has no PyTorch
    assert (ways[PLAIN_ONNX].prepare_seconds or 0) > 0 and ways[NOTEBOOK].prepare_seconds is None


def test_a_peer_that_is_not_installed_is_in_the_document(result: Throughput) -> None:
    (way,) = PEERS["cross-encoder"]
    assert result.failures == {way.title: "not installed; bertline benchmark peers install cross-encoder"}


@pytest.mark.parametrize(("total", "count"), [(1043, 1043), (1043, 1000), (8551, 2048), (7, 1), (0, 0)])
def test_no_row_is_taken_twice(total: int, count: int) -> None:
    chosen = measure.evenly_spread(total, count)
    assert len(chosen) == count and len(set(chosen.tolist())) == count
    assert all(0 <= index < total for index in chosen) and chosen.tolist() == sorted(chosen)


def test_the_encoder_of_bert_base_costs_170_mflop_a_token() -> None:
    one = encoder_flops(768, 3072, 12, 11) / 11
    assert one == pytest.approx(170e6, rel=0.01)


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--variants", "int8"), 1, "has no variant 'int8'"),
        (("--passes", "0"), 2, "passes"),
        (("--peers", "nobody"), 2, "no peer 'nobody'"),
    ],
)
def test_what_cannot_be_measured_is_said(
    options: tuple[str, ...], code: int, message: str, bundle: Path, model_dir: Path, cli: Cli, tmp_path: Path
) -> None:
    table, output = tiny.write_table(tmp_path / "t.tsv", rows=40), tmp_path / "t.json"
    outcome = cli("benchmark", "throughput", bundle, table, "--model", model_dir, "-o", output, *options)
    assert outcome.code == code and message in outcome.err
    assert not output.exists()


@pytest.fixture
def fake_ways(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Nobody competes but quick fakes."""
    good, bad = fakes.script(tmp_path / "good", fakes.LENGTHS), fakes.script(tmp_path / "bad", "1 / 0")

    def candidates(variants: object) -> list[Candidate]:
        return [fakes.candidate(NOTEBOOK, good), fakes.candidate("peer", bad), fakes.candidate(f"{OURS} fp32", good)]

    monkeypatch.setattr(measure, "own_candidates", candidates)


@pytest.mark.usefixtures("fake_ways")
def test_ctrl_c_keeps_what_is_finished(
    bundle: Path, model_dir: Path, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, output = tiny.write_table(tmp_path / "t.tsv"), tmp_path / "t.json"
    take_turns = measure.take_turns

    def interrupted(candidates: Any, task: Any, folder: Any, passes: int, progress: Any) -> Any:
        def stop(line: str) -> None:
            if line.startswith("pass 2"):
                raise KeyboardInterrupt

        return take_turns(candidates, task, folder, passes, stop)

    monkeypatch.setattr(measure, "take_turns", interrupted)
    command = (
        "benchmark",
        "throughput",
        bundle,
        table,
        "--model",
        model_dir,
        "-o",
        output,
        "--peers",
        "none",
        "--variants",
        "fp32",
    )
    outcome = cli(*command, "--variants", "fp32", "--passes", "3")
    assert outcome.code == 130 and f"interrupted; {output} holds what was finished" in outcome.err
    result = read_document(output).result
    assert isinstance(result, Throughput) and result.interrupted
    assert [len(way.seconds) for way in result.ways] == [2, 1]
    assert "ZeroDivisionError" in result.failures["peer"] and "ZeroDivisionError" in outcome.out


@pytest.mark.usefixtures("fake_ways")
def test_without_the_notebook_there_is_nothing_to_compare_with(
    bundle: Path, model_dir: Path, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = fakes.script(tmp_path / "bad", "1 / 0")
    monkeypatch.setattr(measure, "own_candidates", lambda variants: [fakes.candidate(NOTEBOOK, bad)])
    command = ("benchmark", "throughput", bundle, tiny.write_table(tmp_path / "t.tsv"), "--model", model_dir)
    outcome = cli(*command, "-o", tmp_path / "t.json", "--peers", "none", "-q")
    assert (outcome.code, outcome.err.count("\n")) == (1, 1)
    assert "which all are compared with: ZeroDivisionError" in outcome.err
    assert not (tmp_path / "t.json").exists()
