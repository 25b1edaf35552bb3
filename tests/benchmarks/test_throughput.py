"""Throughput: every way answers for the same rows, and the document says how it was measured."""

import json
from pathlib import Path

import pytest

from benchmarks.ceiling import encoder_flops
from benchmarks.throughput import (
    BARE,
    NOTEBOOK,
    OURS,
    PIPELINE,
    PLAIN_ONNX,
    TORCH_BF16,
    TORCH_FP32,
    Result,
    ratio_columns,
    ratio_rows,
    table_rows,
)
from tests import tiny
from tests.conftest import Cli


@pytest.fixture(scope="module")
def document(bundle: Path, model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> dict:
    from bertline.cli import run

    folder = tmp_path_factory.mktemp("throughput")
    table, output = tiny.write_table(folder / "t.tsv", rows=40), folder / "t.json"
    options = ["--model", str(model_dir), "--rows", "33", "--passes", "2", "--html", "-o", str(output)]
    assert run(["benchmark", "throughput", str(bundle), str(table), *options]) == 0
    assert "the notebook" in output.with_suffix(".html").read_text(encoding="utf-8")
    return json.loads(output.read_text(encoding="utf-8"))


def test_every_way_scores_every_row_with_the_same_answers(document: dict) -> None:
    results = {result["way"]: result for result in document["results"]}
    exact = {NOTEBOOK, PIPELINE, TORCH_FP32, PLAIN_ONNX, f"{OURS} fp32", f"{BARE}, fp32"}
    assert results.keys() == exact | {TORCH_BF16}
    assert {result["rows"] for result in results.values()} == {33}
    assert all(results[way]["max_abs_logit"] < 1e-5 and results[way]["flips"] == 0 for way in exact)
    assert 0 < results[TORCH_BF16]["max_abs_logit"] < 0.1


def test_the_first_pass_is_kept_apart(document: dict) -> None:
    for result in document["results"]:
        assert len(result["seconds"]) == 2 and result["cold_seconds"] > 0
    assert document["environment"]["matrix_flops"].keys() == {"float32", "bfloat16"}


def test_the_table_compares_with_the_notebook() -> None:
    def result(way: str, *seconds: float) -> Result:
        return Result(way, 100, 4.0, seconds, 0.0, 0)

    environment = {"encoder_flop_per_row": 1e9, "matrix_flops": {"bfloat16": 1e12}}
    notebook, ours = table_rows([result(NOTEBOOK, 4.0, 4.0, 4.0), result(OURS, 1.0, 0.5, 0.4)], environment)
    assert notebook[:5] == [NOTEBOOK, "25", "±0.0%", "25", "1.00"]
    assert ours[:5] == [OURS, "200", "±30.0%", "25", "8.00"]
    assert ours[-1] == "20.0%"


def test_ratios_within_the_noise_stand_in_brackets() -> None:
    def result(way: str, *seconds: float) -> Result:
        return Result(way, 100, 4.0, seconds, 0.0, 0)

    # The second pass is twice as slow for all alike.
    results = [result(NOTEBOOK, 4.0, 8.0, 4.0), result(PIPELINE, 1.1, 1.8, 1.0), result(f"{OURS} fp32", 1.0, 2.0, 1.0)]
    assert ratio_columns(results) == ["way", f"{OURS} fp32"]
    assert ratio_rows(results) == [[NOTEBOOK, "4.00"], [PIPELINE, "(1.00)"]]


def test_the_encoder_of_bert_base_costs_170_mflop_a_token() -> None:
    one = encoder_flops(768, 3072, 12, 11) / 11
    assert one == pytest.approx(170e6, rel=0.01)


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--variants", "int8"), 1, "has no variant 'int8'"),
        (("--passes", "0"), 2, "passes"),
    ],
)
def test_what_cannot_be_measured_is_said(
    options: tuple[str, ...], code: int, message: str, bundle: Path, model_dir: Path, cli: Cli, tmp_path: Path
) -> None:
    table, output = tiny.write_table(tmp_path / "t.tsv", rows=40), tmp_path / "t.json"
    outcome = cli("benchmark", "throughput", bundle, table, "--model", model_dir, "-o", output, *options)
    assert outcome.code == code and message in outcome.err
    assert not output.exists()
