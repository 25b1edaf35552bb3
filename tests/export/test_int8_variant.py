"""`export --variants int8`, from its options to its exit codes."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import numpy_helper

import export.int8
from bertline.bundle import Bundle
from infer.golden import read_goldens
from tests import tiny
from tests.conftest import Cli
from tests.export.conftest import Change
from tests.export.test_cli import one_line


@pytest.fixture
def tables(tmp_path: Path) -> tuple[Path, Path]:
    """Rows to calibrate on, and rows to verify on."""
    return tiny.write_table(tmp_path / "calibrate.tsv", rows=60), tiny.write_table(tmp_path / "verify.tsv", rows=40)


def options(tables: tuple[Path, Path], variants: str = "int8") -> list[object]:
    calibrate, verify = tables
    return ["--variants", variants, "--calibrate-on", calibrate, "--verify-on", verify, "--label-column", "label"]


def test_int8_is_a_file_with_a_gate_and_says_how_it_was_made(
    model_dir: Path, tables: tuple[Path, Path], cli: Cli, tmp_path: Path
) -> None:
    home = sorted(Path.home().iterdir())
    output = tmp_path / "b"
    outcome = cli("export", model_dir, "-o", output, *options(tables), "--max-flips", "0.2", "--max-mcc-drop", "1")
    assert outcome.code == 0, outcome.err
    assert outcome.out == "" and sorted(Path.home().iterdir()) == home, "nncf left something"
    assert "int8, 8 of 12 products, 0% of the work in fp32: " in outcome.err
    assert "rows/s in turns over 40 rows: fp32 on cpu" in outcome.err
    variant = Bundle.open(output).manifest.variants["int8"]
    gate = variant.gates[0]
    assert (variant.file, gate.rows, gate.precision, gate.passed) == ("onnx/model_int8.onnx", 40, "int8", True)
    assert gate.rows_per_second and gate.batch_variance is not None and gate.mcc_difference is not None
    assert variant.passes[0] == "first_token_last_layer" and "smooth_quant" in variant.passes
    note = variant.quantization
    assert note is not None and note["alpha"] == 0.85 and note["calibration_rows"] == 4
    assert len(note["attention_in_fp32"]) == 4 and note["candidates"][-1]["held"]
    onnx.checker.check_model(output / variant.file, full_check=True)
    goldens = read_goldens(output / "golden.jsonl")
    far = max(np.abs(np.subtract(golden.logits["int8"], golden.logits["pytorch"])).max() for golden in goldens)
    assert variant.golden_tolerance == pytest.approx(max(1e-4, 2 * far))
    assert {file.name for file in (output / "onnx").iterdir()} == {"model.onnx", "model_int8.onnx"}
    verified = cli("verify", output, "--variant", "int8")
    assert verified.code == 0, verified.out


def test_a_bad_quantization_fails_its_gate_and_is_left_out(
    exporter: Callable[[Change], None],
    model_dir: Path,
    tables: tuple[Path, Path],
    cli: Cli,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exporter(lambda proto: None)
    whole = export.int8._built

    def sabotaged(*arguments: object) -> onnx.ModelProto:
        model = whole(*arguments)  # type: ignore[arg-type]
        for tensor in model.graph.initializer:
            if tensor.name == "model.classifier.weight":
                tensor.CopyFrom(numpy_helper.from_array(-numpy_helper.to_array(tensor), tensor.name))
        return model

    monkeypatch.setattr(export.int8, "_built", sabotaged)
    output = tmp_path / "b"
    one_line(cli("export", model_dir, "-o", output, *options(tables), "-q"), 3, "finished without int8 (")
    bundle = Bundle.open(output)
    bundle.verify()
    assert list(bundle.manifest.variants) == ["fp32"] and not (output / "onnx" / "model_int8.onnx").exists()


def test_int8_without_rows_of_its_own_is_wrong_usage(
    model_dir: Path, tables: tuple[Path, Path], cli: Cli, tmp_path: Path
) -> None:
    _, verify = tables
    output = tmp_path / "b"
    one_line(cli("export", model_dir, "-o", output, "--variants", "int8"), 2, "add --calibrate-on TSV")
    shared = cli("export", model_dir, "-o", output, *options((verify, verify)))
    one_line(shared, 2, "verify.tsv: is also in --verify-on")
    assert not output.exists()


@pytest.mark.parametrize(
    ("text", "message"),
    [("", "the file is empty"), ("sentence\n", "has a header and no rows"), ("sentence\nOne.\nOne.\n", "has one text")],
)
def test_a_table_without_rows_to_calibrate_on_is_named(
    text: str, message: str, exporter: Callable[[Change], None], model_dir: Path, cli: Cli, tmp_path: Path
) -> None:
    exporter(lambda proto: None)
    table = tmp_path / "calibrate.tsv"
    table.write_text(text)
    outcome = cli("export", model_dir, "-o", tmp_path / "b", "--variants", "int8", "--calibrate-on", table, "-q")
    one_line(outcome, 1, message)
    assert "calibrate.tsv" in outcome.err and not (tmp_path / "b").exists()


def test_nncf_that_is_not_installed_is_one_line(
    model_dir: Path, tables: tuple[Path, Path], cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "nncf", None)
    outcome = cli("export", model_dir, "-o", tmp_path / "b", *options(tables))
    one_line(outcome, 1, "nncf is not installed; pip install 'bertline[int8]'")
    assert not (tmp_path / "b").exists()
