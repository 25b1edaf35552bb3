"""Graph passes compute less and give the same logits, or leave a graph alone."""

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnx_ir as ir
import onnxruntime
import pytest
import torch

from bertline.bundle import Bundle
from bertline.model_folder import ModelFolder
from export.graph import export_graph
from export.passes import apply_passes, first_token_last_layer
from export.reference import Reference
from infer.batching import pad
from tests import tiny

NAMES = ["input_ids", "attention_mask", "token_type_ids"]
SHAPES = ([2], [3, 3, 3], [9, 4, 2, 7], [tiny.POSITIONS, 5])  # tokens of each row


def export(folder: Path, model: Any, names: list[str]) -> Path:
    path = folder / "model.onnx"
    export_graph(model, names, path)
    return path


def distance(path: Path, reference: Reference) -> float:
    """max |Δlogit| against PyTorch over whole and ragged batches."""
    session, generator, worst = onnxruntime.InferenceSession(path), np.random.default_rng(0), 0.0
    for lengths in SHAPES:
        rows = [generator.integers(5, 90, length).tolist() for length in lengths]
        types = [[0] * length for length in lengths]
        arrays = {
            "input_ids": pad(rows, int(reference.model.config.pad_token_id)),
            "attention_mask": pad([[1] * length for length in lengths], 0),
            "token_type_ids": pad(types, 0),
        }
        (own,) = session.run(["logits"], {tensor.name: arrays[tensor.name] for tensor in session.get_inputs()})
        worst = max(worst, float(np.abs(own - reference.run(rows, types)).max()))
    return worst


def rows_by_layer(path: Path) -> list[bool]:
    """Whether each layer's attention has one query a sentence, by the shapes that follow from the graph."""
    graph = onnx.shape_inference.infer_shapes(onnx.load(path), data_prop=True).graph
    shapes = {value.name: value.type.tensor_type.shape.dim for value in graph.value_info}
    return [shapes[node.output[0]][2].dim_value == 1 for node in graph.node if node.op_type == "Softmax"]


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_only_the_first_tokens_row_goes_through_the_last_layer(family: str, tmp_path: Path) -> None:
    reference = Reference(ModelFolder.open(tiny.write_model(tmp_path / family, family)))
    path = export(tmp_path, reference.model, reference.input_names)
    assert not any(rows_by_layer(path))
    assert apply_passes(path) == ("first_token_last_layer",)
    layers = rows_by_layer(path)
    assert layers == [False] * (len(layers) - 1) + [True] and len(layers) > 1
    assert distance(path, reference) < 1e-5


def test_a_second_time_there_is_nothing_to_do(bundle: Path, tmp_path: Path) -> None:
    path = tmp_path / "model.onnx"
    path.write_bytes((bundle / "onnx" / "model.onnx").read_bytes())
    before = path.read_bytes()
    assert apply_passes(path) == () and path.read_bytes() == before


def test_the_manifest_names_the_pass(bundle: Path) -> None:
    assert Bundle.open(bundle).manifest.variants["fp32"].passes == ("first_token_last_layer",)


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
    path = export(tmp_path, classifier(copy.deepcopy(reference.model)), NAMES)
    before = path.read_bytes()
    assert apply_passes(path) == () and path.read_bytes() == before


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
    assert not first_token_last_layer(model)
