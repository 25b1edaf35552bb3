"""A packed graph that ONNX Runtime's CPU provider can run: the packed operator as a function of standard ones.

So the whole way of a packed run, memory, offsets and shapes included, is tested where there is no CUDA device.
"""

from pathlib import Path

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from bertline.bundle import Bundle
from infer.encode import Encoder
from infer.providers import CPU_PROVIDER
from infer.scorer import Scorer
from infer.session import OnnxSession
from infer.variants import CUDA_FP16, Choice

_DOMAIN = "bertline.test"


def packed_on_cpu(source: Path, target: Path) -> Path:
    """`source`, a packed graph, with its attention spelled out; float16 within it stays."""
    model = onnx.load(source)
    for number, node in enumerate(model.graph.node):
        if node.op_type != "PackedMultiHeadAttention":
            continue
        heads = next(attribute.i for attribute in node.attribute if attribute.name == "num_heads")
        scale = next(attribute.f for attribute in node.attribute if attribute.name == "scale")
        name = f"Attention{number}"
        model.functions.append(_attention(name, heads, scale))
        query, key, value, _, _, bounds = node.input
        node.CopyFrom(helper.make_node(name, [query, key, value, bounds], list(node.output), domain=_DOMAIN))
    keep = [entry for entry in model.opset_import if entry.domain == ""]
    del model.opset_import[:]
    model.opset_import.extend([*keep, helper.make_opsetid(_DOMAIN, 1)])
    onnx.save_model(model, target)
    return target


def packed_scorer(bundle: Path | Bundle, folder: Path, batch_tokens: int = 512, *, graphs: bool = False) -> Scorer:
    """A scorer of the bundle's packed variant, on the CPU; its graph is written into `folder`.

    graphs: run as with CUDA graphs, at addresses that stay the same; nothing is recorded.
    """
    if not isinstance(bundle, Bundle):
        bundle = Bundle.open(bundle)
    variant = bundle.manifest.variants[CUDA_FP16]
    session = OnnxSession(packed_on_cpu(bundle.path / variant.file, folder / "packed_on_cpu.onnx"))
    session.graphs = graphs
    encoder = Encoder(bundle.path / "tokenizer.json", bundle.manifest.max_length)
    return Scorer(bundle, Choice(CUDA_FP16, variant, CPU_PROVIDER, None), session, encoder, batch_tokens)


def _attention(name: str, heads: int, scale: float) -> onnx.FunctionProto:
    """Attention of tokens that lie between the same two bounds, over all tokens at once; tokens behind the last bound
    get what is no number, as memory that no kernel wrote may hold."""
    nodes = []

    def node(operator: str, inputs: list[str], output: str, **attributes: object) -> str:
        nodes.append(helper.make_node(operator, inputs, [output], **attributes))
        return output

    def constant(value: np.ndarray, output: str) -> str:
        return node("Constant", [], output, value=numpy_helper.from_array(value))

    shape = constant(np.array([0, heads, -1], np.int64), "shape")
    for source in ("query", "key", "value"):  # (tokens, heads · width) to (heads, tokens, width), in float32
        node("Cast", [source], f"{source}_32", to=TensorProto.FLOAT)
        node("Reshape", [f"{source}_32", shape], f"{source}_split")
        node("Transpose", [f"{source}_split"], f"{source}_heads", perm=[1, 0, 2])
    node("Transpose", ["key_heads"], "key_turned", perm=[0, 2, 1])
    node("MatMul", ["query_heads", "key_turned"], "products")
    node("Mul", ["products", constant(np.array(scale, np.float32), "scale")], "scores")
    # The sentence of a token: how many bounds, the first apart, are at or before it.
    node("Shape", ["query"], "sizes", end=1)
    zero, one = constant(np.array(0, np.int64), "zero"), constant(np.array(1, np.int64), "one")
    node("Squeeze", ["sizes"], "tokens")
    node("Range", [zero, "tokens", one], "places")
    node("Cast", ["bounds"], "bounds_64", to=TensorProto.INT64)
    node("Unsqueeze", ["places", constant(np.array([1], np.int64), "last")], "column")
    node("LessOrEqual", ["bounds_64", "column"], "passed")
    node("Cast", ["passed"], "counted", to=TensorProto.INT64)
    node("ReduceSum", ["counted", constant(np.array([1], np.int64), "axis")], "sentence", keepdims=0)
    node("Unsqueeze", ["sentence", constant(np.array([0], np.int64), "first")], "sentence_row")
    node("Unsqueeze", ["sentence", "last"], "sentence_column")
    node("Equal", ["sentence_row", "sentence_column"], "together")
    node("Where", ["together", "scores", constant(np.array(-np.inf, np.float32), "never")], "masked")
    node("Softmax", ["masked"], "weights", axis=-1)
    node("ReduceMax", ["bounds_64"], "end", keepdims=1)
    node("GreaterOrEqual", ["places", "end"], "behind")
    node("Unsqueeze", ["behind", constant(np.array([1, 2], np.int64), "axes")], "spare")  # (tokens, 1, 1)
    node("Transpose", ["spare"], "spare_values", perm=[1, 0, 2])
    node("Where", ["spare_values", constant(np.array(0, np.float32), "nothing"), "value_heads"], "values")
    node("MatMul", ["weights", "values"], "attended")
    node("Transpose", ["attended"], "attended_tokens", perm=[1, 0, 2])
    node("Where", ["spare", constant(np.array(np.nan, np.float32), "no_number"), "attended_tokens"], "result")
    node("Reshape", ["result", constant(np.array([0, -1], np.int64), "flat")], "joined")
    node("CastLike", ["joined", "query"], "output")
    opset = [helper.make_opsetid("", 20)]
    return helper.make_function(_DOMAIN, name, ["query", "key", "value", "bounds"], ["output"], nodes, opset)
