"""A model folder becomes a bundle whose answers are PyTorch's, in every family, or no bundle at all."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import export.bundling
from bertline.bundle import MANIFEST, Bundle
from bertline.errors import BertlineError, VerificationError
from bertline.model_folder import ModelFolder
from bertline.tsv import TableSpec
from export.bundling import export_bundle
from export.golden import golden_rows
from export.reference import Reference
from export.tokenizer import write_tokenizer
from infer import Scorer
from tests import tiny
from tests.export.conftest import Change


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_every_family_exports_and_answers_as_pytorch(
    family: str, of_family: Callable[[str], tuple[Path, Path]]
) -> None:
    model, bundle = of_family(family)
    made, labels = Bundle.open(bundle), ModelFolder.open(model).labels
    assert made.manifest.labels == labels == tiny.labels_of(family)
    logits = Scorer.open(bundle, device="cpu", variant="fp32").score(tiny.SENTENCES)
    reference = Reference(ModelFolder.open(model))
    expected = reference.logits(reference.encode(tiny.SENTENCES, tiny.POSITIONS))
    assert logits.shape == (len(tiny.SENTENCES), len(labels))
    assert np.abs(logits - expected).max() <= 1e-5
    assert np.ptp(expected, axis=0).max() > 0.01, "a model that answers alike to all proves nothing"
    variant = made.manifest.variants["fp32"]
    assert [tensor.name for tensor in variant.inputs] == reference.input_names
    assert variant.gates[0].passed and variant.batch_invariant


def test_the_bundle_is_whole(bundle: Path) -> None:
    opened = Bundle.open(bundle)
    opened.verify()
    files = {file.relative_to(bundle).as_posix() for file in bundle.rglob("*") if file.is_file()}
    assert files == {*opened.manifest.files, MANIFEST}
    assert files >= {"config.json", "tokenizer.json", "golden.jsonl", "onnx/model.onnx", "README.md"}
    gate = opened.manifest.variants["fp32"].gates[0]
    assert (gate.rows, gate.mcc) == (len(golden_rows(pairs=False)), None)


def test_rows_to_verify_on_become_the_gate(exporter: Callable[[Change], None], model_dir: Path, tmp_path: Path) -> None:
    exporter(lambda proto: None)
    said: list[str] = []
    tables = [tiny.write_table(tmp_path / f"{name}.tsv") for name in ("first", "second")]
    made = export_bundle(model_dir, tmp_path / "bundle", tables, TableSpec(label_column="label"), say=said.append)
    gate = made.manifest.variants["fp32"].gates[0]
    assert gate.rows == 48 and gate.mcc is not None and gate.mcc == gate.mcc_reference
    (line,) = [line for line in said if "48 rows" in line]
    assert "0 flips" in line and "0 token-id mismatches" in line


# --- what must not become a bundle -----------------------------------------------------------------------------------


def weight(proto: onnx.ModelProto) -> TensorProto:
    """The largest weight of the graph."""
    return max(proto.graph.initializer, key=lambda tensor: len(tensor.raw_data))


def slightly_off(proto: onnx.ModelProto) -> None:
    tensor = weight(proto)
    tensor.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(tensor) * np.float32(1.01), tensor.name))


def not_a_number(proto: onnx.ModelProto) -> None:
    tensor = weight(proto)
    tensor.CopyFrom(numpy_helper.from_array(np.full_like(numpy_helper.to_array(tensor), np.nan), tensor.name))


def fixed_shape(proto: onnx.ModelProto) -> None:
    for tensor in proto.graph.input:
        for axis, size in zip(tensor.type.tensor_type.shape.dim, (2, 9), strict=True):
            axis.dim_value = size


def ignored_mask(proto: onnx.ModelProto) -> None:
    for node in proto.graph.node:
        node.input[:] = ["every_token" if name == "attention_mask" else name for name in node.input]
    ones = helper.make_tensor("one", TensorProto.INT64, [1], [1])
    proto.graph.node.insert(0, helper.make_node("ConstantOfShape", ["shape"], ["every_token"], value=ones))
    proto.graph.node.insert(0, helper.make_node("Shape", ["attention_mask"], ["shape"]))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (slightly_off, r"parity: batch × sequence \S+: max \|Δlogit\| \S+e-0[1-4] against PyTorch, allowed 1e-04"),
        (not_a_number, r"parity: batch × sequence 1×2: max \|Δlogit\| inf"),
        (fixed_shape, r"parity: batch × sequence 1×2: .*INVALID_ARGUMENT"),
        (ignored_mask, r"parity: batch × sequence ragged \S+: max \|Δlogit\|"),
    ],
)
def test_a_graph_that_answers_otherwise_becomes_no_bundle(
    change: Change, message: str, exporter: Callable[[Change], None], model_dir: Path, tmp_path: Path
) -> None:
    exporter(change)
    with pytest.raises(VerificationError, match=message):
        export_bundle(model_dir, tmp_path / "bundle", [], TableSpec())
    assert list(tmp_path.iterdir()) == []


def test_a_tokenizer_that_gives_other_ids_becomes_no_bundle(
    exporter: Callable[[Change], None], model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cased(model: ModelFolder, target: Path, max_length: int) -> list[str]:
        names = write_tokenizer(model, target, max_length)
        document = json.loads((target / "tokenizer.json").read_text(encoding="utf-8"))
        document["normalizer"]["lowercase"] = False
        (target / "tokenizer.json").write_text(json.dumps(document), encoding="utf-8")
        return names

    exporter(lambda proto: None)
    monkeypatch.setattr(export.bundling, "write_tokenizer", cased)
    with pytest.raises(VerificationError, match=r"rows get other token ids \(first: golden 'Go!'\)"):
        export_bundle(model_dir, tmp_path / "bundle", [], TableSpec())
    assert list(tmp_path.iterdir()) == []


def test_an_interrupted_export_leaves_nothing(model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def strike(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(export.bundling, "export_graph", strike)
    with pytest.raises(KeyboardInterrupt):
        export_bundle(model_dir, tmp_path / "bundle", [], TableSpec())
    assert list(tmp_path.iterdir()) == []


# --- what a bundle says -----------------------------------------------------------------------------------------------


def rewrite(file: Path, **values: object) -> None:
    document = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    document |= values
    file.write_text(
        json.dumps({name: value for name, value in document.items() if value is not None}), encoding="utf-8"
    )


def test_no_path_of_this_machine_travels(exporter: Callable[[Change], None], model_copy: Path, tmp_path: Path) -> None:
    exporter(lambda proto: None)
    rewrite(model_copy / "config.json", _name_or_path=str(tmp_path))
    rewrite(model_copy / "training.json", recipe={"model": str(tmp_path / "base"), "seed": 7})
    export_bundle(model_copy, tmp_path / "bundle", [tiny.write_table(tmp_path / "t.tsv")], TableSpec())
    provenance = Bundle.open(tmp_path / "bundle").manifest.provenance
    assert (provenance["base_model"], provenance["recipe"]["model"], provenance["seed"]) == ("base", "base", 7)
    traces = [str(tmp_path).encode(), str(Path.home()).encode() + b"/", b"site-packages", str(Path.cwd()).encode()]
    for file in (tmp_path / "bundle").rglob("*.*"):
        if file.is_file():
            assert not [trace for trace in traces if trace in file.read_bytes()], file


@pytest.mark.parametrize(
    ("model", "name"),
    [
        ("bert-base-uncased", "bert-base-uncased"),
        ("google/electra", "google/electra"),
        ("/home/someone/base", "base"),
        ("../someone/base", "base"),
        ("runs/of/someone", "someone"),
    ],
)
def test_a_checkpoints_name_travels_and_a_folders_path_does_not(model: str, name: str) -> None:
    assert export.bundling._travelling_name(model) == name


def test_columns_are_fine_tunings_else_the_options(
    exporter: Callable[[Change], None], model_copy: Path, tmp_path: Path
) -> None:
    exporter(lambda proto: None)
    spec = TableSpec(text_column="left", pair_column="right", label_column="y")
    foreign = export_bundle(model_copy, tmp_path / "foreign", [], spec).manifest
    assert (foreign.text_columns, foreign.label_column) == (("left", "right"), "y")
    rewrite(model_copy / "training.json", recipe={"text_column": "text", "label_column": "gold", "pair_column": None})
    own = export_bundle(model_copy, tmp_path / "own", [], spec).manifest
    assert (own.text_columns, own.label_column) == (("text",), "gold")


COMMA = {"id2label": {"0": "a, b", "1": "c"}, "label2id": {"a, b": 0, "c": 1}}


@pytest.mark.parametrize(
    ("file", "values", "message"),
    [
        ("config.json", {"problem_type": "regression"}, "a regression model has one output, and this one has 2"),
        ("config.json", {"problem_type": "multi_label_classification"} | COMMA, "the label 'a, b' of a multi-label"),
        ("tokenizer_config.json", {"pad_token": None}, "its tokenizer has no pad token"),
        ("tokenizer_config.json", {"cls_token": None, "sep_token": None}, "its tokenizer has no cls or sep token"),
    ],
)
def test_a_model_that_no_bundle_can_hold_is_refused(
    file: str, values: dict[str, object], message: str, model_copy: Path, tmp_path: Path
) -> None:
    rewrite(model_copy / file, **values)
    with pytest.raises(BertlineError, match=message):
        export_bundle(model_copy, tmp_path / "bundle", [], TableSpec())
    assert not list(tmp_path.glob("bundle*"))
