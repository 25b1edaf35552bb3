"""The exported graph: standard operators, symbolic axes, and nothing of the machine that exported it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from transformers import BertConfig, BertForSequenceClassification

import export.graph
from bertline.errors import VerificationError
from export.graph import IR, OPSET, export_graph, tensors
from export.reference import Reference

NAMES = ["input_ids", "attention_mask", "token_type_ids"]


@pytest.fixture(scope="module")
def proto(bundle: Path) -> onnx.ModelProto:
    return onnx.load(bundle / "onnx" / "model.onnx")


def test_operators_are_standard_and_the_version_is_fixed(proto: onnx.ModelProto) -> None:
    assert {node.domain for node in proto.graph.node} == {""}
    assert [(entry.domain, entry.version) for entry in proto.opset_import] == [("", OPSET)]
    assert (proto.ir_version, list(proto.functions)) == (IR, [])


def test_inputs_and_output_have_names_and_symbolic_axes(proto: onnx.ModelProto) -> None:
    inputs = tensors(proto.graph.input)
    assert sorted(tensor.name for tensor in inputs) == sorted(NAMES)
    assert {(tensor.dtype, tensor.shape) for tensor in inputs} == {("int64", ("batch", "sequence"))}
    (logits,) = tensors(proto.graph.output)
    assert (logits.name, logits.dtype, logits.shape) == ("logits", "float32", ("batch", 2))


def test_nothing_of_this_machine_is_in_the_graph(proto: onnx.ModelProto) -> None:
    items = [proto, proto.graph, *proto.graph.node, *proto.graph.value_info, *proto.graph.initializer]
    assert not any(item.doc_string or item.metadata_props for item in items)
    content = proto.SerializeToString()
    for trace in (b"site-packages", b".py", b"/work", b"/tmp", str(Path.home()).encode()):
        assert trace not in content


def test_a_model_whose_padding_id_is_the_last_one_exports(tmp_path: Path) -> None:
    sizes = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 1, "num_attention_heads": 2}
    config = BertConfig(vocab_size=60, pad_token_id=59, max_position_embeddings=32, num_labels=3, **sizes)
    model = BertForSequenceClassification(config).eval()
    attention = model.config._attn_implementation
    export_graph(model, NAMES, tmp_path / "model.onnx")
    assert model.config._attn_implementation == attention
    feeds = {name: np.ones((3, 5), np.int64) for name in NAMES}
    (logits,) = onnxruntime.InferenceSession(tmp_path / "model.onnx").run(["logits"], feeds)
    with torch.inference_mode():
        expected = model(**{name: torch.from_numpy(array) for name, array in feeds.items()}).logits
    assert np.abs(logits - expected.numpy()).max() < 1e-5


def fixed_axis(proto: onnx.ModelProto) -> None:
    proto.graph.input[0].type.tensor_type.shape.dim[1].dim_value = 9


def foreign_operator(proto: onnx.ModelProto) -> None:
    proto.graph.node[0].domain = "com.microsoft"


def control_flow(proto: onnx.ModelProto) -> None:
    branch = onnx.helper.make_graph([], "branch", [], [])
    proto.graph.node.append(onnx.helper.make_node("If", ["x"], ["y"], then_branch=branch, else_branch=branch))


def lost_input(proto: onnx.ModelProto) -> None:
    del proto.graph.input[0]


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (fixed_axis, r"has the shape \('batch', 9\)"),
        (foreign_operator, "operator com.microsoft::"),
        (control_flow, "control flow If"),
        (lost_input, "inputs are"),
    ],
)
def test_a_graph_that_is_not_portable_is_refused(
    change: Callable[[onnx.ModelProto], None],
    problem: str,
    proto: onnx.ModelProto,
    reference: Reference,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def exported(*arguments: Any, **options: Any) -> Any:
        program = type("Program", (), {"model_proto": onnx.ModelProto()})
        program.model_proto.CopyFrom(proto)
        change(program.model_proto)
        return program

    monkeypatch.setattr(export.graph.torch.onnx, "export", exported)
    with pytest.raises(VerificationError, match=f"the exported graph is not portable: .*{problem}"):
        export_graph(reference.model, NAMES, tmp_path / "model.onnx")
    assert not (tmp_path / "model.onnx").exists()
