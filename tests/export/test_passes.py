"""Graph passes compute less and give the same logits, or leave a graph alone."""

import copy
import shutil
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime
import pytest
import torch

from bertline.bundle import Bundle
from export.attention_biases import key_value_biases
from export.graph import export_graph, tensors
from export.passes import PASSES, apply_passes, first_token_last_layer
from export.reference import Reference
from infer.batching import pad
from tests import tiny

NAMES = ["input_ids", "attention_mask", "token_type_ids"]
SHAPES = ([2], [3, 3, 3], [9, 4, 2, 7], [tiny.POSITIONS, 5])  # tokens of each row


def apply_alone(rewrite: Callable[[ir.Model], bool], path: Path) -> bool:
    """One pass on the graph at `path`, which is checked and written if it applied."""
    model = ir.load(path)
    if not rewrite(model):
        return False
    proto = ir.to_proto(model)
    onnx.checker.check_model(proto, full_check=True)
    onnx.save_model(proto, path)
    return True


def batches(pad_id: int) -> Iterator[tuple[list[list[int]], dict[str, Any]]]:
    """Rows of token ids, whole and ragged, and the arrays that a graph takes for them."""
    generator = np.random.default_rng(0)
    for lengths in SHAPES:
        rows = [generator.integers(5, 90, length).tolist() for length in lengths]
        ones, zeros = ([[number] * length for length in lengths] for number in (1, 0))
        yield (
            rows,
            {
                "input_ids": pad(rows, pad_id),
                "attention_mask": pad(ones, 0),
                "token_type_ids": pad(zeros, 0),
            },
        )


def run(path: Path, pad_id: int) -> list[Any]:
    """The logits of each batch, (rows, labels) float32."""
    session = onnxruntime.InferenceSession(path)
    names = [tensor.name for tensor in session.get_inputs()]
    return [session.run(["logits"], {name: arrays[name] for name in names})[0] for _, arrays in batches(pad_id)]


def distance(path: Path, reference: Reference) -> float:
    """max |Δlogit| against PyTorch over whole and ragged batches."""
    pad_id, worst = int(reference.model.config.pad_token_id), 0.0
    for own, (rows, _) in zip(run(path, pad_id), batches(pad_id), strict=True):
        theirs = reference.run(rows, [[0] * len(row) for row in rows])
        worst = max(worst, float(np.abs(own - theirs).max()))
    return worst


def rows_by_layer(path: Path) -> list[bool]:
    """Whether each layer's attention has one query a sentence, by the shapes that follow from the graph."""
    graph = onnx.shape_inference.infer_shapes(onnx.load(path), data_prop=True).graph
    shapes = {value.name: value.type.tensor_type.shape.dim for value in graph.value_info}
    return [shapes[node.output[0]][2].dim_value == 1 for node in graph.node if node.op_type == "Softmax"]


@pytest.fixture
def exported(
    family: str, with_biases: Callable[[str], Reference], graph_of: Callable[[str], Path], tmp_path: Path
) -> tuple[Reference, Path]:
    """The family's model, and its graph to rewrite."""
    return with_biases(family), Path(shutil.copy(graph_of(family), tmp_path / "model.onnx"))


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_only_the_first_tokens_row_goes_through_the_last_layer(exported: tuple[Reference, Path]) -> None:
    reference, path = exported
    assert not any(rows_by_layer(path))
    assert apply_alone(first_token_last_layer, path)
    layers = rows_by_layer(path)
    assert layers == [False] * (len(layers) - 1) + [True] and len(layers) > 1
    assert distance(path, reference) < 1e-5


def test_a_second_time_there_is_nothing_to_do(bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes((bundle / "onnx" / "model.onnx").read_bytes())
    before = path.read_bytes()
    assert apply_passes(path) == () and path.read_bytes() == before


def test_the_manifest_names_the_passes(bundle: Path) -> None:
    assert Bundle.open(bundle).manifest.variants["fp32"].passes == tuple(PASSES)


class MeanOfTokens(torch.nn.Module):
    """A classifier that reads every token's row."""

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.body, self.head, self.config = model.bert, model.classifier, model.config

    def forward(self, **inputs: torch.Tensor) -> Any:
        hidden = self.body(**inputs).last_hidden_state
        return type("Output", (), {"logits": self.head(hidden.mean(dim=1))})


class SecondToken(MeanOfTokens):
    def forward(self, **inputs: torch.Tensor) -> Any:
        return type("Output", (), {"logits": self.head(self.body(**inputs).last_hidden_state[:, 1])})


class FirstTokenAndMean(MeanOfTokens):
    def forward(self, **inputs: torch.Tensor) -> Any:
        hidden = self.body(**inputs).last_hidden_state
        return type("Output", (), {"logits": self.head(hidden[:, 0] + hidden.mean(dim=1))})


@pytest.mark.parametrize("classifier", [MeanOfTokens, SecondToken, FirstTokenAndMean])
def test_a_model_that_reads_other_tokens_is_left_alone(
    classifier: Callable[[Any], torch.nn.Module], reference: Reference, tmp_path: Path
) -> None:
    path = tmp_path / "model.onnx"
    export_graph(classifier(copy.deepcopy(reference.model)), NAMES, path)
    before = onnx.load(path).graph.node
    assert not apply_alone(first_token_last_layer, path) and onnx.load(path).graph.node == before


def operators(path: Path) -> Counter[str]:
    return Counter(node.op_type for node in onnx.load(path).graph.node)


@pytest.mark.parametrize("first", [(), (first_token_last_layer,)], ids=["alone", "after the first token's"])
@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_keys_and_values_lose_their_biases(
    family: str, first: tuple[Callable[[ir.Model], bool], ...], exported: tuple[Reference, Path]
) -> None:
    reference, path = exported
    for rewrite in first:
        assert apply_alone(rewrite, path)
    before, inputs = operators(path), tensors(onnx.load(path).graph.input)
    pad_id = int(reference.model.config.pad_token_id)
    logits = run(path, pad_id)
    assert apply_alone(key_value_biases, path)
    after = operators(path)
    assert before - after == Counter(Add=2 * before["Softmax"]) and after - before == Counter()
    graph = onnx.load(path).graph
    assert tensors(graph.input) == inputs
    assert {tensor.name for tensor in graph.initializer} <= {name for node in graph.node for name in node.input}
    changes = [float(np.abs(new - old).max()) for new, old in zip(run(path, pad_id), logits, strict=True)]
    print(f"{family}: max |Δlogit| {max(changes):.1e}, mean {np.mean(changes):.1e}")
    assert max(changes) < 1e-5 and distance(path, reference) < 1e-5
    assert not apply_alone(key_value_biases, path)


def attention_of(softmax_axis: int, keys_are_read: bool) -> ir.Model:
    """One attention whose keys' bias counts: softmax over the queries, or keys that leave the graph as well."""
    number, value = onnx.helper.make_tensor, onnx.helper.make_tensor_value_info
    node, floats = onnx.helper.make_node, onnx.TensorProto.FLOAT
    nodes = [
        node("MatMul", ["hidden", "weight"], ["product"]),
        node("Add", ["product", "bias"], ["keys"]),
        node("Reshape", ["keys", "shape"], ["split"]),
        node("Transpose", ["split"], ["last"], perm=[0, 2, 3, 1]),
        node("MatMul", ["queries", "last"], ["scores"]),
        node("Softmax", ["scores"], ["weights"], axis=softmax_axis),
    ]
    outputs = [value("weights", floats, ["batch", 2, "queries", "sequence"])]
    outputs += [value("keys", floats, ["batch", "sequence", 4])] if keys_are_read else []
    inputs = [
        value("hidden", floats, ["batch", "sequence", 4]),
        value("queries", floats, ["batch", 2, "queries", 2]),
    ]
    constants = [
        number("weight", floats, [4, 4], range(16)),
        number("bias", floats, [4], range(4)),
        number("shape", onnx.TensorProto.INT64, [4], [0, 0, 2, 2]),
    ]
    graph = onnx.helper.make_graph(nodes, "attention", inputs, outputs, constants)
    proto = onnx.helper.make_model(graph, opset_imports=[onnx.helper.make_opsetid("", 20)])
    return ir.from_proto(onnx.shape_inference.infer_shapes(proto))


@pytest.mark.parametrize("axis, keys_are_read, applies", [(-1, False, True), (2, False, False), (-1, True, False)])
def test_a_bias_that_counts_is_kept(axis: int, keys_are_read: bool, applies: bool) -> None:
    assert key_value_biases(attention_of(axis, keys_are_read)) is applies


def test_a_graph_without_attention_is_left_alone() -> None:
    pick = onnx.helper.make_node("Gather", ["hidden", "zero"], ["logits"], axis=1)
    zero = onnx.helper.make_tensor("zero", onnx.TensorProto.INT64, [], [0])
    value = onnx.helper.make_tensor_value_info
    graph = onnx.helper.make_graph(
        [pick],
        "picks",
        [value("hidden", onnx.TensorProto.FLOAT, ["batch", "sequence", 4])],
        [value("logits", onnx.TensorProto.FLOAT, ["batch", 4])],
        [zero],
    )
    model = ir.from_proto(onnx.helper.make_model(graph))
    before = ir.to_proto(model)
    assert not any(rewrite(model) for rewrite in PASSES.values()) and ir.to_proto(model) == before
