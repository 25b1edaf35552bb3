"""int8: the products it may compute are found by structure, and as many of them are kept as the limits allow."""

import shutil
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest
from numpy.typing import NDArray
from onnx import numpy_helper

import export.int8
from bertline.problems import SingleLabel
from export.calibration import Calibration
from export.int8 import FP32_SHARES, quantize
from export.nncf import smooth_quantized
from export.passes import apply_passes
from export.precision import gathered_as_int8
from export.products import Products, find_products
from export.qdq import int8_only_in, unsigned_activations
from infer.encode import Encoded
from infer.parity import Limits
from tests import tiny

Logits = NDArray[np.float32]
TWO = SingleLabel(("0", "1"))


def passed(graph: Path, folder: Path) -> onnx.ModelProto:
    """That graph after all passes."""
    path = Path(shutil.copy(graph, folder / "model.onnx"))
    apply_passes(path)
    return onnx.load(path)


@pytest.fixture(scope="module", params=("bert", "distilbert"))
def model(
    request: pytest.FixtureRequest, graph_of: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> onnx.ModelProto:
    return passed(graph_of(request.param), tmp_path_factory.mktemp(request.param))


@pytest.fixture(scope="module")
def products(model: onnx.ModelProto) -> Products:
    return find_products(model)


@pytest.fixture(scope="module")
def quantized(model: onnx.ModelProto, products: Products) -> onnx.ModelProto:
    return smooth_quantized(model, [feeds(model, seed) for seed in range(8)], products.int8, 0.85)


def feeds(model: onnx.ModelProto, seed: int = 0, rows: int = 1) -> dict[str, NDArray[np.int64]]:
    ids = np.random.default_rng(seed).integers(5, 90, (rows, 9))
    arrays = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
    return {value.name: arrays[value.name] for value in model.graph.input}


def logits(model: onnx.ModelProto) -> Logits:
    """By the operators one by one, as the graph has them."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    session = onnxruntime.InferenceSession(model.SerializeToString(), options)
    found: Logits = session.run(["logits"], feeds(model, 99, 6))[0]
    return found


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_products_are_told_apart_by_structure(family: str, graph_of: Callable[[str], Path], tmp_path: Path) -> None:
    model = passed(graph_of(family), tmp_path)
    products = find_products(model)
    # Two layers of query, key, value, output and two of feed-forward; ELECTRA may widen its embeddings first.
    assert len(products.linear) in (12, 13) and (len(products.attention), len(products.heads)) == (4, 2)
    assert sum(product.first_row_only for product in products.linear) == 4
    assert [product.size for product in products.linear].count(32 * 64) == 4
    readers = [product.group for product in products.linear]
    assert len(set(readers)) == len(readers) - 3, "query, key and value of the first, key and value of the last layer"
    every = {node.name for node in model.graph.node if node.op_type in ("MatMul", "Gemm")}
    assert every == {*products.int8, *products.attention, *products.heads}


def test_a_weight_that_products_share_is_stored_for_each_of_them(
    model: onnx.ModelProto, products: Products, quantized: onnx.ModelProto
) -> None:
    shared = onnx.ModelProto.FromString(quantized.SerializeToString())
    steps = {node.output[0]: node for node in shared.graph.node if node.op_type == "DequantizeLinear"}
    first, second = [node for node in shared.graph.node if node.name in products.int8][:2]
    read_before = steps[second.input[1]].input[0]
    second.input[1] = first.input[1]
    untied = int8_only_in(products.int8, shared, model)
    steps = {node.output[0]: node for node in untied.graph.node if node.op_type == "DequantizeLinear"}
    pair = [steps[node.input[1]] for node in untied.graph.node if node.name in (first.name, second.name)]
    assert not set(pair[0].input) & set(pair[1].input), "neither weight nor scale nor zero point is shared"
    stored = {tensor.name: numpy_helper.to_array(tensor) for tensor in untied.graph.initializer}
    for own, other in zip(pair[0].input, pair[1].input, strict=True):
        assert np.array_equal(stored[own], stored[other])
    assert read_before not in stored
    onnxruntime.InferenceSession(unsigned_activations(untied).SerializeToString())  # which shared ones stop


def test_only_those_products_are_quantized_and_logits_stay_near(
    model: onnx.ModelProto, quantized: onnx.ModelProto, products: Products
) -> None:
    made = {node.output[0]: node.op_type for node in quantized.graph.node}
    reading = {
        node.name
        for node in quantized.graph.node
        if [made.get(name) for name in node.input[:2]] == ["DequantizeLinear", "DequantizeLinear"]
    }
    assert reading == products.int8
    assert 0 < np.abs(logits(quantized) - logits(model)).mean() < 0.2


def test_unsigned_activations_are_the_same_values(quantized: onnx.ModelProto) -> None:
    assert np.array_equal(logits(unsigned_activations(quantized)), logits(quantized))


def test_products_taken_back_are_those_of_fp32(
    model: onnx.ModelProto, quantized: onnx.ModelProto, products: Products
) -> None:
    assert np.array_equal(logits(int8_only_in((), quantized, model)), logits(model))
    part = int8_only_in(products.int8 - {products.linear[0].node}, quantized, model)
    onnx.checker.check_model(part, full_check=True)
    assert not np.array_equal(logits(part), logits(quantized))


def test_onnxruntime_computes_each_product_in_int8_and_restores_no_weight(
    model: onnx.ModelProto, quantized: onnx.ModelProto, products: Products, tmp_path: Path
) -> None:
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    ready = gathered_as_int8(unsigned_activations(int8_only_in(products.int8, quantized, model)))
    onnx.checker.check_model(ready, full_check=True)
    onnxruntime.InferenceSession(ready.SerializeToString(), options, providers=["CPUExecutionProvider"])
    kinds = [node.op_type for node in onnx.load(tmp_path / "optimized.onnx").graph.node]
    assert kinds.count("MatMulIntegerToFloat") == len(products.linear) and "DequantizeLinear" not in kinds


# --- the choice -------------------------------------------------------------------------------------------------------


class Fake:
    """Logits of a graph, from how many of its products read int8; and which graphs were asked for all rows."""

    def __init__(self, model: onnx.ModelProto, rows: int) -> None:
        self.fp32 = model
        self.rows = rows
        self.seen: list[int] = []

    def __call__(self, model: onnx.ModelProto, encoded: Encoded) -> Logits:
        steps = sum(node.op_type == "DequantizeLinear" for node in model.graph.node) // 2
        if len(encoded.input_ids) == self.rows:
            self.seen.append(steps)
        base = np.tile(np.array([[0.0, 1.0]], np.float32), (len(encoded.input_ids), 1))
        base[:, 0] += 0.2 * steps
        return base


@pytest.fixture
def calibration() -> Iterator[Calibration]:
    def encoded(rows: int) -> Encoded:
        ids = [[0, 5 + row % 20, 7, 2] for row in range(rows)]
        return Encoded.from_rows(ids, [[0] * 4] * rows, np.zeros(rows, bool))

    yield Calibration(encoded(4), encoded(200))


def test_the_search_stops_at_the_first_candidate_that_holds(
    model: onnx.ModelProto, quantized: onnx.ModelProto, calibration: Calibration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export.int8, "smooth_quantized", lambda *arguments: quantized)
    said: list[str] = []
    fake = Fake(model, 200)
    made = quantize(model, calibration, TWO, Limits(max_flips=0.01), fake, said.append)
    assert made.quantization is not None
    tried = made.quantization["candidates"]
    shares: Sequence[float] = [candidate["fp32_share"] for candidate in tried]
    assert list(shares) == sorted(shares) and shares[0] == 0 and len(said) == len(tried)
    assert [candidate["held"] for candidate in tried] == [False] * (len(tried) - 1) + [True]
    assert 1 < len(tried) < len(FP32_SHARES) and "not enough" in said[0] and "not enough" not in said[-1]


def test_where_no_candidate_holds_the_most_careful_one_goes_to_the_gate(
    model: onnx.ModelProto, quantized: onnx.ModelProto, calibration: Calibration, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export.int8, "smooth_quantized", lambda *arguments: quantized)
    made = quantize(model, calibration, TWO, Limits(max_flips=-1.0), Fake(model, 200), lambda line: None)
    assert made.quantization is not None
    assert [candidate["held"] for candidate in made.quantization["candidates"]] == [False] * len(FP32_SHARES)
