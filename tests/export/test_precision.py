"""Smaller files: near the same logits, standard operators, and nothing left in fp32 that weighs."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from export.precision import fp16_weights, int8_weights
from tests import tiny

Make = Callable[[onnx.ModelProto], onnx.ModelProto]
VARIANTS = [(fp16_weights, 3e-3, 0.55), (int8_weights, 0.05, 0.35)]  # max |Δlogit|, share of the bytes


@pytest.fixture(scope="module", params=tiny.FAMILIES)
def model(request: pytest.FixtureRequest, graph_of: Callable[[str], Path]) -> onnx.ModelProto:
    return onnx.load(graph_of(request.param))


def logits(model: onnx.ModelProto, **options: object) -> NDArray[np.float32]:
    session = onnxruntime.InferenceSession(model.SerializeToString())
    ids = np.random.default_rng(0).integers(5, 90, (4, 9))
    arrays = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    found: NDArray[np.float32] = session.run(["logits"], {i.name: arrays[i.name] for i in session.get_inputs()})[0]
    return found


@pytest.mark.parametrize(("make", "tolerance", "share"), VARIANTS)
def test_logits_are_near_and_the_file_is_smaller(
    make: Make, tolerance: float, share: float, model: onnx.ModelProto
) -> None:
    before = model.SerializeToString()
    smaller = make(model)
    onnx.checker.check_model(smaller, full_check=True)
    assert model.SerializeToString() == before  # a copy was changed
    assert {node.domain for node in smaller.graph.node} == {""}
    assert 0 < np.abs(logits(smaller) - logits(model)).max() < tolerance
    weights = sum(len(t.raw_data) for t in model.graph.initializer)
    assert sum(len(t.raw_data) for t in smaller.graph.initializer) < share * weights


@pytest.mark.parametrize(("make", "tolerance", "share"), VARIANTS)
def test_equal_models_give_equal_bytes(make: Make, tolerance: float, share: float, model: onnx.ModelProto) -> None:
    assert make(model).SerializeToString() == make(model).SerializeToString()


@pytest.mark.parametrize(("make", "tolerance", "share"), VARIANTS)
def test_onnxruntime_restores_the_weights_when_it_loads(
    make: Make, tolerance: float, share: float, model: onnx.ModelProto, tmp_path: Path
) -> None:
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    onnxruntime.InferenceSession(make(model).SerializeToString(), options)
    optimized = onnx.load(tmp_path / "optimized.onnx").graph
    constants = {tensor.name for tensor in optimized.initializer}
    assert not [node.name for node in optimized.node if node.op_type == "Cast" and node.input[0] in constants]


def product(weight: NDArray[np.float32], width: int) -> onnx.ModelProto:
    """x (rows, width) times a weight."""
    value = helper.make_tensor_value_info
    graph = helper.make_graph(
        [helper.make_node("MatMul", ["x", "weight"], ["logits"])],
        "product",
        [value("x", TensorProto.FLOAT, ["rows", width])],
        [value("logits", TensorProto.FLOAT, ["rows", weight.shape[1]])],
        [numpy_helper.from_array(weight, "weight")],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 20)], ir_version=10)


def test_a_weight_that_float16_cannot_hold_stays_fp32() -> None:
    weight = np.zeros((32, 32), np.float32)
    weight[0, 0] = 1e6
    assert fp16_weights(product(weight, 32)) == product(weight, 32)


@pytest.mark.parametrize(("width", "groups"), [(96, 3), (40, 1)])
def test_each_group_of_a_channel_has_its_scale_and_zeros_stay_zeros(width: int, groups: int) -> None:
    weight = np.random.default_rng(0).normal(size=(width, 32)).astype(np.float32)
    weight *= np.logspace(-4, 4, width, dtype=np.float32)[:, None]
    weight[:, 5] = 0
    model = int8_weights(product(weight, width))
    rows = np.eye(width, dtype=np.float32)
    restored = onnxruntime.InferenceSession(model.SerializeToString()).run(["logits"], {"x": rows})[0]
    largest = np.abs(weight.reshape(groups, -1, 32)).max(axis=1, keepdims=True)
    assert np.all(np.abs(restored - weight).reshape(groups, -1, 32) <= largest / 254 * 1.001)
    assert not restored[:, 5].any()
