"""A graph pass: attention without the biases of its keys and values, which need no operator of their own."""

from typing import NamedTuple

import numpy as np
import onnx_ir as ir
from numpy.typing import NDArray

_HEADS_FIRST = (0, 2, 1, 3)  # (batch, sequence, heads, width) to (batch, heads, sequence, width), and back
_KEYS_LAST = (0, 2, 3, 1)


class _Linear(NamedTuple):
    """Add(MatMul(x, weight), bias) with constants."""

    add: ir.Node
    product: ir.Value
    weight: NDArray[np.float32]  # (inputs, outputs)
    bias: NDArray[np.float32]  # (outputs,)


def key_value_biases(model: ir.Model) -> bool:
    """Drop the bias of the keys, and move that of the values into the output projection's.

    A key's bias adds the same number, query · bias, to a query's score with every key, and softmax does not see what
    all scores share. The weights that softmax gives sum to 1, so a value's bias b comes out of attention as b, and
    the output projection makes b · weight of it, which its own bias takes up. Two element-wise sums over all tokens
    a layer are saved. Returns False where no attention has that form; a layer that has not keeps its biases.
    """
    applied = False
    for softmax in [node for node in model.graph if node.op_type == "Softmax"]:
        keys, values = _key_projection(softmax), _value_projections(softmax)
        if keys is not None:
            _bypass(model, keys)
        if values is not None:
            _bypass(model, values[0])
            _add_to_bias(model, *values)
        applied |= keys is not None or values is not None
    for packed in [node for node in model.graph if node.op_type == "PackedMultiHeadAttention"]:
        applied |= _without_biases(model, packed)
    return applied


def _without_biases(model: ir.Model, packed: ir.Node) -> bool:
    """The same for the operator that takes queries, keys and values (tokens, heads · width) and does all the rest."""
    keys, values = _flat_projection(packed.inputs[1]), _flat_projection(packed.inputs[2])
    output = _output_projection(packed.outputs[0])
    if output is None or values is None or output.weight.shape[0] != values.bias.size:
        values = output = None
    if keys is not None:
        _bypass(model, keys)
    if values is not None and output is not None:
        _bypass(model, values)
        _add_to_bias(model, values, output)
    return keys is not None or values is not None


def _key_projection(softmax: ir.Node) -> _Linear | None:
    """What makes the keys of which `softmax` weighs the scores, provided that nothing else reads them."""
    scores = softmax.inputs[0]
    if scores is None or scores.shape is None:
        return None
    if softmax.attributes.get_int("axis", -1) % len(scores.shape) != len(scores.shape) - 1:
        return None
    node = _sole_producer(scores)
    while node is not None and node.op_type in ("Add", "Mul", "Div"):
        # A mask is added to scores, a constant scales them: both keep what is the same for all keys the same.
        left, right = node.inputs
        if node.op_type != "Add" and not _is_one_number(right):
            return None
        node = _sole_producer(left)
    keys = _sole_producer(node.inputs[1]) if node is not None and node.op_type == "MatMul" else None
    return _projection_of_heads(keys, _KEYS_LAST)


def _value_projections(softmax: ir.Node) -> tuple[_Linear, _Linear] | None:
    """What makes the values that `softmax` weighs, and the output projection that reads their sums."""
    weighted = _sole_reader(softmax.outputs[0], "MatMul")
    if weighted is None or weighted.inputs[0] is not softmax.outputs[0]:
        return None
    values = _projection_of_heads(_sole_producer(weighted.inputs[1]), _HEADS_FIRST)
    transpose = _sole_reader(weighted.outputs[0], "Transpose")
    if values is None or transpose is None or tuple(transpose.attributes.get_ints("perm", ())) != _HEADS_FIRST:
        return None
    output = _output_projection(transpose.outputs[0])
    if output is None or output.weight.shape[0] != values.bias.size:
        return None
    return values, output


def _output_projection(attended: ir.Value) -> _Linear | None:
    """What alone reads the weighted sums, all heads of a token side by side."""
    reshape = _sole_reader(attended, "Reshape")
    product = _sole_reader(reshape.outputs[0], "MatMul") if reshape is not None else None
    add = _sole_reader(product.outputs[0], "Add") if product is not None else None
    return _linear(add.outputs[0]) if add is not None else None


def _flat_projection(value: ir.Value | None) -> _Linear | None:
    """The projection that an input (tokens, heads · width) of the packed operator is, where nothing else reads it."""
    reshape = _sole_producer(value)
    if reshape is None or reshape.op_type != "Reshape" or _sole_producer(reshape.inputs[0]) is None:
        return None
    return _linear(reshape.inputs[0]) if reshape.inputs[0] is not None else None


def _projection_of_heads(transpose: ir.Node | None, order: tuple[int, ...]) -> _Linear | None:
    """The projection that `transpose` brings into `order` after its outputs were split into heads."""
    if transpose is None or transpose.op_type != "Transpose":
        return None
    if tuple(transpose.attributes.get_ints("perm", ())) != order:
        return None
    reshape = _sole_producer(transpose.inputs[0])
    if reshape is None or reshape.op_type != "Reshape" or reshape.inputs[0] is None:
        return None
    heads = reshape.outputs[0].shape
    linear = _linear(reshape.inputs[0]) if _sole_producer(reshape.inputs[0]) is not None else None
    if linear is None or heads is None or len(heads) != 4:
        return None
    split = [size for size in heads[2:] if isinstance(size, int)]
    return linear if len(split) == 2 and split[0] * split[1] == linear.bias.size else None


def _linear(value: ir.Value) -> _Linear | None:
    add = value.producer()
    if add is None or add.op_type != "Add":
        return None
    for product, bias in (add.inputs, add.inputs[::-1]):
        matmul = _sole_producer(product)
        numbers = _numbers(bias)
        if product is None or matmul is None or matmul.op_type != "MatMul" or numbers is None or numbers.ndim != 1:
            continue
        weight = _numbers(matmul.inputs[1])
        if weight is not None and weight.ndim == 2 and weight.shape[1] == numbers.size:
            return _Linear(add, product, weight, numbers)
    return None


def _bypass(model: ir.Model, linear: _Linear) -> None:
    linear.add.outputs[0].replace_all_uses_with(linear.product)
    biases = [value for value in linear.add.inputs if value is not linear.product]
    model.graph.remove(linear.add, safe=True)
    _drop_unread(model, biases)


def _add_to_bias(model: ir.Model, values: _Linear, output: _Linear) -> None:
    """The output projection's new bias, as an initializer of its own: the old one may be shared with other layers."""
    (index,) = [number for number, value in enumerate(output.add.inputs) if value is not output.product]
    old = output.add.inputs[index]
    assert old is not None
    moved = values.bias.astype(np.float64) @ output.weight.astype(np.float64)
    tensor = ir.tensor((output.bias + moved).astype(output.bias.dtype), name=f"{output.product.name}.bias_with_values")
    bias = ir.Value(name=tensor.name, shape=old.shape, type=old.type, const_value=tensor)
    model.graph.register_initializer(bias)
    output.add.replace_input_with(index, bias)
    _drop_unread(model, [old])


def _drop_unread(model: ir.Model, values: list[ir.Value | None]) -> None:
    for value in values:
        if value is not None and value.is_initializer() and not value.uses() and value.name is not None:
            model.graph.initializers.pop(value.name)


def _sole_producer(value: ir.Value | None) -> ir.Node | None:
    """The node that makes `value`, where only one node reads it."""
    alone = value is not None and len(value.uses()) == 1 and not value.is_graph_output()
    return value.producer() if value is not None and alone else None


def _sole_reader(value: ir.Value, op_type: str) -> ir.Node | None:
    """The node that reads `value`, where it is the only one and of that type."""
    readers = [use.node for use in value.uses()]
    alone = len(readers) == 1 and not value.is_graph_output()
    return readers[0] if alone and readers[0].op_type == op_type else None


def _numbers(value: ir.Value | None) -> NDArray[np.float32] | None:
    tensor = ir.convenience.get_const_tensor(value) if value is not None else None
    return tensor.numpy() if tensor is not None else None


def _is_one_number(value: ir.Value | None) -> bool:
    tensor = ir.convenience.get_const_tensor(value) if value is not None else None
    return tensor is not None and tensor.size == 1
