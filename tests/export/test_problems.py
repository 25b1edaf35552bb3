"""Models of several labels at once, and of numbers: exported, proven and described as what they are."""

import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
from safetensors.torch import load_file, save_file
from scipy.stats import pearsonr
from sklearn.metrics import f1_score

import export.variants
from bertline.bundle import Bundle
from bertline.model_folder import ModelFolder
from bertline.problems import MULTI_LABEL, REGRESSION
from bertline.tsv import TableSpec
from export.reference import Reference
from infer.rows import Rows
from tests import tiny
from tests.conftest import Cli, Once

LABELS = ("joy", "anger", "fear")
COLUMN = ("--label-column", "label")
CELLS = ("joy", "joy,fear", "", "anger", "fear , joy", "anger,fear,joy")


def write_table(path: Path, cells: tuple[str, ...], rows: int) -> Path:
    lines = [f"{tiny.SENTENCES[row % 8]} {row % 7}\t{cells[row % len(cells)]}" for row in range(rows)]
    path.write_text("sentence\tlabel\n" + "\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def several_model(once: Once) -> Path:
    """What bertline or transformers trained for several labels says so in its config."""
    return once(
        "several_model_stated", lambda folder: tiny.write_model(folder, labels=LABELS, seed=1, problem_type=MULTI_LABEL)
    )


@pytest.fixture(scope="module")
def number_model(once: Once) -> Path:
    """One output, and nothing said of the problem: transformers takes it for a regression."""
    return once("number_model", lambda folder: tiny.write_model(folder, labels=("score",), seed=1))


def test_several_labels_go_the_whole_way(several_model: Path, cli: Cli, tmp_path: Path) -> None:
    table, more = write_table(tmp_path / "t.tsv", CELLS, 60), write_table(tmp_path / "more.tsv", CELLS, 84)
    options = ["--variants", "fp16,quantized,int8,cuda-fp16", "--calibrate-on", more, "--max-flips", "0.3"]
    outcome = cli("export", several_model, "-o", tmp_path / "b", "--verify-on", table, *COLUMN, *options)
    assert outcome.code == 0, outcome.err
    assert "60 rows, " in outcome.err and "0 flips, micro F1 " in outcome.err and ", expected " in outcome.err
    manifest = Bundle.open(tmp_path / "b").manifest
    assert (manifest.problem_type, manifest.labels, manifest.thresholds) == (MULTI_LABEL, LABELS, None)
    reference = Reference(ModelFolder.open(several_model))
    window = next(Rows([table], TableSpec(), manifest, use_labels=True).windows(100))
    logits = reference.logits(reference.encode(window.texts, manifest.max_length))
    expected = f1_score(manifest.problem.true(window.labels), logits > 0, average="micro")
    gate = manifest.variants["fp32"].gates[0]
    assert (gate.mcc, gate.metric, gate.flips) == (None, "micro_f1", 0)
    assert gate.quality == gate.quality_reference == pytest.approx(expected)
    card = (tmp_path / "b" / "README.md").read_text(encoding="utf-8")
    assert "gives any of the labels `joy`, `anger`, `fear`" in card and "| micro F1 (PyTorch) |" in card
    for variant in manifest.variants:
        if variant != "cuda-fp16":
            assert cli("verify", tmp_path / "b", table, "--variant", variant, "--device", "cpu").code == 0, variant


def test_a_number_goes_the_whole_way(number_model: Path, cli: Cli, tmp_path: Path) -> None:
    numbers = tuple(str(number / 4) for number in range(9))
    table, more = write_table(tmp_path / "t.tsv", numbers, 60), write_table(tmp_path / "more.tsv", numbers, 84)
    options = ["--variants", "fp16,quantized,int8,cuda-fp16", "--calibrate-on", more, "--max-mcc-drop", "0.1"]
    outcome = cli("export", number_model, "-o", tmp_path / "b", "--verify-on", table, *COLUMN, *options)
    assert outcome.code == 0, outcome.err
    assert "concordance with fp32 0.9" in outcome.err and " flips" not in outcome.err
    manifest = Bundle.open(tmp_path / "b").manifest
    assert (manifest.problem_type, manifest.labels) == (REGRESSION, ("score",))
    reference = Reference(ModelFolder.open(number_model))
    window = next(Rows([table], TableSpec(), manifest, use_labels=True).windows(100))
    logits = reference.logits(reference.encode(window.texts, manifest.max_length))
    gate = manifest.variants["fp32"].gates[0]
    assert (gate.mcc, gate.metric, gate.flips) == (None, "pearson", 0)
    assert gate.quality_reference == pytest.approx(pearsonr(logits[:, 0], np.array(window.labels)).statistic, abs=1e-6)
    for variant in ("fp16", "quantized", "int8", "cuda-fp16"):
        assert 0.9 <= (manifest.variants[variant].gates[0].concordance or 0) <= 1
    card = (tmp_path / "b" / "README.md").read_text(encoding="utf-8")
    assert "A model that predicts a number, `score`" in card and "| concordance | Pearson (PyTorch) |" in card
    assert f"| {manifest.variants['int8'].gates[0].concordance:.4f} | " in card
    assert cli("verify", tmp_path / "b", table, "--variant", "int8", "--device", "cpu").code == 0


def test_numbers_of_another_scale_do_not_enter_the_bundle(
    number_model: Path, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def scaled(model: onnx.ModelProto) -> onnx.ModelProto:
        three = onnx.numpy_helper.from_array(np.array(3, np.float32), "three")
        model.graph.initializer.append(three)
        for node in model.graph.node:
            node.output[:] = ["unscaled" if name == "logits" else name for name in node.output]
        model.graph.node.append(onnx.helper.make_node("Mul", ["unscaled", "three"], ["logits"]))
        return model

    monkeypatch.setitem(export.variants.MAKERS, "fp16", ("onnx/model_fp16.onnx", scaled))
    table = write_table(tmp_path / "t.tsv", ("1",), 1)  # the goldens show the scale, where one row would not
    outcome = cli("export", number_model, "-o", tmp_path / "b", "--verify-on", table, "--variants", "fp16")
    assert (
        outcome.code == 3
        and "finished without fp16 (1 - concordance with PyTorch is " in outcome.err
        and "; see --max-mcc-drop" in outcome.err
    )
    assert list(Bundle.open(tmp_path / "b").manifest.variants) == ["fp32"]


def test_numbers_too_large_for_the_limits_of_float32_are_refused_with_the_remedy(
    number_model: Path, cli: Cli, tmp_path: Path
) -> None:
    large = Path(shutil.copytree(number_model, tmp_path / "large"))
    weights = load_file(large / "model.safetensors")
    save_file(
        {n: w * 1e6 if n.startswith("classifier") else w for n, w in weights.items()}, large / "model.safetensors"
    )
    outcome = cli("export", large, "-o", tmp_path / "b", "-q")
    assert outcome.code == 3 and ": train on the label column in a unit that keeps them below 10; no" in outcome.err


def test_a_row_is_verified_against_the_spread_of_the_goldens(number_model: Path, cli: Cli, tmp_path: Path) -> None:
    table, like = write_table(tmp_path / "t.tsv", ("1",), 60), write_table(tmp_path / "like.tsv", ("1",), 1)
    options = ("--variants", "quantized", "--max-mcc-drop", "0.1", "-q")
    assert cli("export", number_model, "-o", tmp_path / "b", "--verify-on", table, *options).code == 0
    outcome = cli("verify", tmp_path / "b", like, "--variant", "quantized", "--device", "cpu")
    assert "1 rows, " in outcome.out and ", concordance 0.9" in outcome.out


def test_a_label_that_does_not_match_the_problem_is_named(several_model: Path, cli: Cli, tmp_path: Path) -> None:
    table = write_table(tmp_path / "t.tsv", ("joy", "hope"), 4)
    outcome = cli("export", several_model, "-o", tmp_path / "b", "--verify-on", table, *COLUMN, "-q")
    assert outcome.code == 1 and "line 3" in outcome.err and "'hope' holds what is not a label" in outcome.err
    assert not (tmp_path / "b").exists()
