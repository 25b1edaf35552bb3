"""The packed graph against PyTorch, by onnx's reference evaluator: four families, ragged batches, two precisions."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from bertline.errors import VerificationError
from bertline.model_folder import ModelFolder
from export.graph import IR, OPSET, tensors
from export.packed import OPERATOR, PackedGraph, packed_graph
from export.packed_half import half_precision
from export.packed_reference import PackedReference
from export.reference import Reference
from infer.encode import Encoded
from infer.packing import pack
from tests import tiny

LENGTHS = ((1,), (tiny.POSITIONS,), (2,), (2, 5, tiny.POSITIONS, 1, 33), (7, 7, 7), tuple(range(1, 30, 3)))


@pytest.fixture(scope="module", params=tiny.FAMILIES)
def family(request: pytest.FixtureRequest, with_biases: Callable[[str], Reference]) -> tuple[Reference, PackedGraph]:
    reference = with_biases(request.param)
    return reference, packed_graph(reference.model, reference.input_names)


def batch(reference: Reference, lengths: tuple[int, ...]) -> Encoded:
    """Random tokens, the padding's and both types among them; no row begins with a marker: nothing relies on it."""
    generator = np.random.default_rng(sum(lengths))
    ids = [generator.integers(0, len(reference.tokenizer), length).tolist() for length in lengths]
    return Encoded.from_rows(
        ids, [generator.integers(0, 2, length).tolist() for length in lengths], np.zeros(len(ids), bool)
    )


def distances(reference: Reference, model: onnx.ModelProto, first_position: int) -> list[float]:
    evaluator = PackedReference(model, first_position)
    found = []
    for lengths in LENGTHS:
        rows = batch(reference, lengths)
        own = evaluator.run_rows(rows, np.arange(len(lengths)))
        assert own.dtype == np.float32 and own.shape == (len(lengths), 2)
        found.append(float(np.abs(own - reference.run(rows.input_ids, rows.token_type_ids)).max()))
    return found


def test_both_precisions_are_near_pytorch(family: tuple[Reference, PackedGraph]) -> None:
    reference, graph = family
    single = distances(reference, graph.model, graph.first_position)
    half = distances(reference, half_precision(graph.model), graph.first_position)
    print(f"{reference.model.config.model_type}: max |Δlogit| fp32 {max(single):.1e}, fp16 {max(half):.1e}")
    assert max(single) <= 1e-5
    assert 1e-6 < max(half) <= 5e-3


def test_the_graph_is_what_cuda_runs(family: tuple[Reference, PackedGraph]) -> None:
    reference, graph = family
    model = graph.model
    assert [(entry.domain, entry.version) for entry in sorted(model.opset_import, key=lambda e: e.domain)] == [
        ("", OPSET),
        ("com.microsoft", 1),
    ]
    assert (model.ir_version, list(model.functions)) == (IR, [])
    foreign = [node for node in model.graph.node if node.domain]
    assert [node.op_type for node in foreign] == [OPERATOR] * 2
    assert not {"Shape", "Softmax", "Concat", "Expand"} & {node.op_type for node in model.graph.node}
    assert not [n for n in model.graph.node if n.op_type == "Transpose" and len(n.attribute[0].ints) == 4]
    assert graph.passes == ("heads_in_place", "key_value_biases", "first_token_last_layer")
    inputs = {tensor.name: (tensor.dtype, tensor.shape) for tensor in tensors(model.graph.input)}
    types = {"token_type_ids"} & set(reference.input_names)
    assert inputs == {name: ("int32", (1, "tokens")) for name in {"input_ids", "position_ids"} | types} | {
        "token_offset": ("int32", ("batch", "longest")),
        "cu_seqlens": ("int32", ("batch + 1",)),
    }
    (logits,) = tensors(model.graph.output)
    assert (logits.name, logits.dtype, logits.shape) == ("logits", "float32", ("batch", 2))
    content = model.SerializeToString()
    assert not [trace for trace in (b"site-packages", b".py", b"/tmp", str(Path.home()).encode()) if trace in content]


def test_biases_of_keys_are_dropped_and_those_of_values_moved(family: tuple[Reference, PackedGraph]) -> None:
    _, graph = family
    makers = {name: node for node in graph.model.graph.node for name in node.output}
    for node in graph.model.graph.node:
        if node.op_type == OPERATOR:
            flat = [makers[name] for name in node.input[:3]]
            assert [maker.op_type for maker in flat] == ["Reshape"] * 3
            assert [makers[maker.input[0]].op_type for maker in flat] == ["Add", "MatMul", "MatMul"]


def test_onnxruntime_knows_the_operator_and_lacks_only_its_kernel(family: tuple[Reference, PackedGraph]) -> None:
    _, graph = family
    for model in (graph.model, half_precision(graph.model)):
        with pytest.raises(Exception, match=f"NOT_IMPLEMENTED.*{OPERATOR}"):
            onnxruntime.InferenceSession(model.SerializeToString(), providers=["CPUExecutionProvider"])


def test_onnxruntime_fuses_the_rest(family: tuple[Reference, PackedGraph], tmp_path: Path) -> None:
    """With an operator in attention's place that the CPU has: the fusions are the same for CUDA."""
    _, graph = family
    model, options = onnx.ModelProto(), onnxruntime.SessionOptions()
    model.CopyFrom(graph.model)
    for node in model.graph.node:
        if node.op_type == OPERATOR:
            del node.input[3:], node.attribute[:]
            node.domain, node.op_type = "", "Sum"
    options.optimized_model_filepath = str(tmp_path / "fused.onnx")
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    fused = [node.op_type for node in onnx.load(tmp_path / "fused.onnx").graph.node]
    assert fused.count("SkipLayerNormalization") >= 4 and fused.count("BiasGelu") >= 2  # of two layers
    assert "LayerNormalization" not in fused


def test_wrong_offsets_and_positions_are_noticed(family: tuple[Reference, PackedGraph]) -> None:
    reference, graph = family
    rows = batch(reference, (6, 3, 9))
    evaluator = PackedReference(graph.model, graph.first_position)
    feeds = pack(rows, np.arange(3), graph.first_position)
    exact = evaluator.run_feeds(feeds)
    sabotage = {
        "cu_seqlens": np.array([0, 5, 9, 18], np.int32),
        "position_ids": np.roll(feeds["position_ids"], 1),
        "token_offset": np.sort(feeds["token_offset"], axis=None).reshape(3, 9),
    }
    for name, wrong in sabotage.items():
        assert np.abs(evaluator.run_feeds(feeds | {name: wrong}) - exact).max() > 1e-3, name


def test_the_model_is_left_as_it_was(family: tuple[Reference, PackedGraph]) -> None:
    reference, _ = family
    assert reference.model.config._attn_implementation != "bertline_packed"
    assert not [name for name, _ in reference.model.named_modules() if name.endswith("layers")]


def test_what_has_another_attention_is_refused(model_dir: Path) -> None:
    reference = Reference(ModelFolder.open(model_dir))
    for setting, value, message in (
        ("model_type", "deberta-v2", r"no packed graph is known for the family 'deberta-v2', only for bert, .*cuda$"),
        ("position_embedding_type", "relative_key", "its positions are 'relative_key'.*run fp32 with --device cuda"),
        ("is_decoder", True, "it is a decoder"),
    ):
        config = type(reference.model.config).from_dict(reference.model.config.to_dict())
        object.__setattr__(config, setting, value)
        model = type("Model", (), {"config": config})
        with pytest.raises(VerificationError, match=message):
            packed_graph(model, reference.input_names)


def test_a_weight_that_float16_cannot_hold_is_named(family: tuple[Reference, PackedGraph]) -> None:
    _, graph = family
    model = onnx.ModelProto()
    model.CopyFrom(graph.model)
    tensor = next(tensor for tensor in model.graph.initializer if tensor.data_type == onnx.TensorProto.FLOAT)
    array = onnx.numpy_helper.to_array(tensor).copy()
    array.flat[0] = 1e6
    tensor.CopyFrom(onnx.numpy_helper.from_array(array, tensor.name))
    with pytest.raises(VerificationError, match=f"{tensor.name} is too large for float16"):
        half_precision(model)
