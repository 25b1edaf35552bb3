"""A packed graph in float16, as CUDA's fast kernels want it."""

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from bertline.errors import VerificationError


def half_precision(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy whose weights and values are float16, but for the last product, which gives float32 logits.

    The graph is closed: integers go in, and every other type in it follows from its weights. What float16 could hurt
    and does not: products and norms add up in float32 (LayerNormalization says so by its stash_type), softmax is
    within the attention operator, which keeps scores in float32. What is rounded are the values between operators:
    about three decimal digits, up to 65,504; what a norm is given, the sum of a layer's input and output, is of the
    order of 10 in BERT and its kin, and an overflow would show as a logit that is no number. The last product has two
    rows or so of weights: in float32 it costs nothing, and a logit of 4 to 8 is not rounded to steps of 0.004.
    Raises VerificationError where a weight is too large for float16, or the graph ends otherwise.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph
    last = graph.node[-1]
    if last.op_type != "Gemm" or list(last.output) != ["logits"]:
        raise VerificationError(f"the packed graph ends in {last.op_type}, not in the product that gives the logits")
    kept = set(last.input[1:])
    for tensor in graph.initializer:
        if tensor.name not in kept:
            _to_half(tensor, tensor.name)
    for value in graph.value_info:
        if value.name not in kept and value.type.tensor_type.elem_type == TensorProto.FLOAT:
            value.type.tensor_type.elem_type = TensorProto.FLOAT16
    for node in graph.node:
        for attribute in node.attribute:
            if attribute.name == "to" and attribute.i == TensorProto.FLOAT:
                attribute.i = TensorProto.FLOAT16
            elif attribute.HasField("t"):
                _to_half(attribute.t, node.name)
    widened = f"{last.input[0]}.float32"
    cast = helper.make_node("Cast", [last.input[0]], [widened], name=widened, to=TensorProto.FLOAT)
    last.input[0] = widened
    graph.node.insert(len(graph.node) - 1, cast)
    onnx.checker.check_model(copy, full_check=True)
    return copy


def _to_half(tensor: TensorProto, name: str) -> None:
    """A float32 tensor in place as float16, others as they are."""
    if tensor.data_type != TensorProto.FLOAT:
        return
    with np.errstate(over="ignore"):
        half = numpy_helper.to_array(tensor).astype(np.float16)
    if not np.isfinite(half).all():
        raise VerificationError(f"the weight {name} is too large for float16; on CUDA, run fp32 with --device cuda")
    tensor.CopyFrom(numpy_helper.from_array(half, tensor.name))
