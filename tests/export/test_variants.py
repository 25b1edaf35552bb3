"""Variants beside fp32: measured, recorded, and left out where they lose more than allowed."""

import json
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest

from bertline.bundle import Bundle
from export.variants import MAKERS
from infer.golden import read_goldens
from infer.scorer import Scorer
from tests import tiny
from tests.conftest import Cli
from tests.export.conftest import Change


@pytest.fixture(scope="module")
def exported(model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from bertline.cli import run

    folder = tmp_path_factory.mktemp("variants")
    table, output = tiny.write_table(folder / "t.tsv", rows=40), folder / "bundle"
    options = ["--verify-on", str(table), "--label-column", "label", "--variants", "fp32, quantized,fp16"]
    assert run(["export", str(model_dir), "-o", str(output), *options, "--max-flips", "0.2", "-q"]) == 0
    return output


def test_each_variant_is_a_file_with_a_gate(exported: Path) -> None:
    manifest = Bundle.open(exported).manifest
    assert {name: variant.file for name, variant in manifest.variants.items()} == {
        "fp32": "onnx/model.onnx",
        "fp16": "onnx/model_fp16.onnx",
        "quantized": "onnx/model_quantized.onnx",
    }
    for name, variant in manifest.variants.items():
        (gate,) = variant.gates
        assert gate.passed and (gate.rows, gate.precision, gate.device) == (40, name, "cpu")
        assert gate.mcc is not None and gate.mcc_difference is not None and gate.rows_per_second
        low, high = gate.mcc_difference
        assert low <= gate.mcc - (gate.mcc_reference or 0) <= high
        assert variant.batch_invariant and gate.batch_variance is not None and gate.batch_variance <= 1e-5
        onnx.checker.check_model(exported / variant.file, full_check=True)
    assert manifest.default_variant == {"cpu": "fp32"}


def test_goldens_hold_each_variants_own_logits_and_it_verifies(exported: Path, cli: Cli) -> None:
    goldens = read_goldens(exported / "golden.jsonl")
    assert all(golden.logits.keys() == {"pytorch", "fp32", "fp16", "quantized"} for golden in goldens)
    for name in ("fp32", "fp16", "quantized"):
        outcome = cli("verify", exported, "--variant", name)
        assert outcome.code == 0, outcome.out


def test_infer_runs_the_variant_asked_for_and_names_its_loss(exported: Path, cli: Cli, tmp_path: Path) -> None:
    table = tiny.write_table(tmp_path / "t.tsv")
    outcome = cli("infer", exported, table, "-o", tmp_path / "o.tsv", "--variant", "quantized")
    assert outcome.code == 0 and "variant quantized on cpu" in outcome.err and "flips of 40 rows" in outcome.err
    assert json.loads((tmp_path / "o.tsv.report.json").read_text())["variant"] == "quantized"
    assert Scorer.open(exported, device="cpu").variant == "fp32"


def test_a_variant_outside_its_gate_is_left_out_of_a_finished_bundle(
    exporter: Callable[[Change], None],
    model_dir: Path,
    cli: Cli,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exporter(lambda proto: None)

    def opposite(model: onnx.ModelProto) -> onnx.ModelProto:
        changed = onnx.ModelProto()
        changed.CopyFrom(model)
        for tensor in changed.graph.initializer:
            if "classifier" in tensor.name:
                tensor.CopyFrom(onnx.numpy_helper.from_array(-onnx.numpy_helper.to_array(tensor), tensor.name))
        return changed

    monkeypatch.setitem(MAKERS, "fp16", ("onnx/model_fp16.onnx", opposite))
    output = tmp_path / "b"
    outcome = cli("export", model_dir, "-o", output, "--variants", "fp16,quantized", "--max-flips", "0.1", "-q")
    assert (outcome.code, outcome.err.count("\n")) == (3, 1)
    assert "finished without fp16 (" in outcome.err and "labels flip, allowed 10.0% of the rows" in outcome.err
    bundle = Bundle.open(output)
    bundle.verify()
    assert "fp16" not in bundle.manifest.variants and not (output / "onnx" / "model_fp16.onnx").exists()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (("--variants", "fp32,int4"), "'int4' is none of fp32, fp16, quantized"),
        (("--variants", ""), "'' is none of"),
        (("--max-flips", "1.5"), "max-flips"),
        (("--max-mcc-drop", "-1"), "max-mcc-drop"),
    ],
)
def test_a_wrong_option_is_wrong_usage(
    options: tuple[str, ...], message: str, model_dir: Path, cli: Cli, tmp_path: Path
) -> None:
    outcome = cli("export", model_dir, "-o", tmp_path / "b", *options)
    assert outcome.code == 2 and message in outcome.err
    assert list(tmp_path.iterdir()) == []
