"""Throughput: every way answers for the same rows, and the document says how it was measured."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from benchmarks import throughput
from benchmarks.candidates import (
    BARE,
    NOTEBOOK,
    OURS,
    PIPELINE,
    PLAIN_ONNX,
    TORCH_BF16,
    TORCH_FP32,
    Candidate,
)
from benchmarks.ceiling import encoder_flops, matrix_rate
from benchmarks.peers.catalogue import PEERS
from tests import tiny
from tests.benchmarks.peers import fakes
from tests.conftest import Cli


def quick_matrix_rate(dtype: torch.dtype) -> float:
    """On small matrices; the large ones take a minute where bf16 is emulated."""
    return matrix_rate(dtype, shapes=((8, 64, 64),))


@pytest.fixture(scope="module")
def document(bundle: Path, model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    from bertline.cli import run

    folder = tmp_path_factory.mktemp("throughput")
    table, output = tiny.write_table(folder / "t.tsv", rows=40), folder / "t.json"
    options = ["--model", str(model_dir), "--rows", "33", "--passes", "2", "--html", "-o", str(output)]
    options += ["--label-column", "label", "--peers", "cross-encoder", "--peers-folder", str(folder), "--threads", "1"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(throughput, "matrix_rate", quick_matrix_rate)
        assert run(["benchmark", "throughput", str(bundle), str(table), *options]) == 0
    page = output.with_suffix(".html").read_text(encoding="utf-8")
    assert "the notebook" in page and "bertline benchmark peers install cross-encoder" in page
    return json.loads(output.read_text(encoding="utf-8"))


def test_every_way_scores_every_row_with_the_same_answers(document: dict[str, Any]) -> None:
    results = {result["way"]: result for result in document["results"]}
    exact = {NOTEBOOK, PIPELINE, TORCH_FP32, PLAIN_ONNX, f"{OURS} fp32", f"{BARE}, fp32"}
    assert results.keys() == exact | {TORCH_BF16}
    assert {result["rows"] for result in results.values()} == {33}
    assert all(results[way]["max_abs_logit"] < 1e-5 and results[way]["flips"] == 0 for way in exact)
    assert 0 < results[TORCH_BF16]["max_abs_logit"] < 0.1
    assert len({results[way]["mcc"] for way in exact}) == 1 and -1 <= results[NOTEBOOK]["mcc"] <= 1


def test_the_first_pass_is_kept_apart(document: dict[str, Any]) -> None:
    for result in document["results"]:
        assert len(result["seconds"]) == 2 and result["cold_seconds"] > 0
    assert document["environment"]["matrix_flops"].keys() == {"float32", "bfloat16"}


def test_start_up_and_memory_are_each_ones_own(document: dict[str, Any]) -> None:
    results = {result["way"]: result for result in document["results"]}
    assert all(result["startup_seconds"] > 0 for result in results.values())
    assert results[f"{OURS} fp32"]["peak_memory_mib"] < results[NOTEBOOK]["peak_memory_mib"]  # it has no PyTorch
    assert results[PLAIN_ONNX]["prepare_seconds"] > 0 and results[NOTEBOOK]["prepare_seconds"] is None


def test_a_peer_that_is_not_installed_is_in_the_document(document: dict[str, Any]) -> None:
    (way,) = PEERS["cross-encoder"]
    reason = "not installed; bertline benchmark peers install cross-encoder"
    assert document["failures"] == [{"way": way.title, "reason": reason}]


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

    monkeypatch.setattr(throughput, "own_candidates", candidates)
    monkeypatch.setattr(throughput, "matrix_rate", quick_matrix_rate)


@pytest.mark.usefixtures("fake_ways")
def test_ctrl_c_keeps_what_is_finished(
    bundle: Path, model_dir: Path, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, output = tiny.write_table(tmp_path / "t.tsv"), tmp_path / "t.json"
    take_turns = throughput.take_turns

    def interrupted(candidates: Any, task: Any, folder: Any, passes: int, progress: Any) -> Any:
        def stop(line: str) -> None:
            if line.startswith("pass 2"):
                raise KeyboardInterrupt

        return take_turns(candidates, task, folder, passes, stop)

    monkeypatch.setattr(throughput, "take_turns", interrupted)
    command = ("benchmark", "throughput", bundle, table, "--model", model_dir, "-o", output, "--peers", "none")
    outcome = cli(*command, "--passes", "3")
    assert outcome.code == 130 and f"interrupted; {output} holds what was finished" in outcome.err
    document = json.loads(output.read_text())
    assert document["interrupted"] and [len(result["seconds"]) for result in document["results"]] == [2, 1]
    assert "ZeroDivisionError" in document["failures"][0]["reason"] and "ZeroDivisionError" in outcome.out


@pytest.mark.usefixtures("fake_ways")
def test_without_the_notebook_there_is_nothing_to_compare_with(
    bundle: Path, model_dir: Path, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = fakes.script(tmp_path / "bad", "1 / 0")
    monkeypatch.setattr(throughput, "own_candidates", lambda variants: [fakes.candidate(NOTEBOOK, bad)])
    command = ("benchmark", "throughput", bundle, tiny.write_table(tmp_path / "t.tsv"), "--model", model_dir)
    outcome = cli(*command, "-o", tmp_path / "t.json", "--peers", "none", "-q")
    assert (outcome.code, outcome.err.count("\n")) == (1, 1)
    assert "which all are compared with: ZeroDivisionError" in outcome.err
    assert not (tmp_path / "t.json").exists()
