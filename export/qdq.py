"""Rewrites of a graph that NNCF quantized, so that every runtime computes its products in int8, at once."""

from collections.abc import Collection, Iterator

import numpy as np
import onnx
from onnx import TensorProto, numpy_helper

_TO_UNSIGNED = 128


def int8_only_in(nodes: Collection[str], quantized: onnx.ModelProto, original: onnx.ModelProto) -> onnx.ModelProto:
    """A copy of the quantized graph in which all but `nodes` read what they read in the fp32 graph.

    Products that share a weight, as ALBERT's layers do, get a copy each: onnxruntime loads no other graph.
    """
    before = {node.name: node.input for node in original.graph.node if node.name not in nodes}
    copy = onnx.ModelProto()
    copy.CopyFrom(quantized)
    graph = copy.graph
    for node in graph.node:
        if node.name in before:
            node.input[:] = before[node.name]
    # NNCF smooths weights in place, those of products that it is told to leave alone too.
    whole = {tensor.name for tensor in original.graph.initializer}
    added = [tensor for tensor in graph.initializer if tensor.name not in whole]
    del graph.initializer[:]
    graph.initializer.extend([*original.graph.initializer, *added])
    _drop_unread(graph)
    _untie(graph)
    return copy


def unsigned_activations(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy whose activations are uint8 where they were int8; their values are the same.

    onnxruntime on x86-64 has kernels for uint8 by int8. It rewrites int8 activations itself, but not those that
    several products read: query, key and value would run in fp32, and restore their weights with every batch.
    """
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph
    steps = {node.output[0]: node for node in graph.node if node.op_type == "QuantizeLinear"}
    users = [node for node in graph.node if node.op_type == "DequantizeLinear" and node.input[0] in steps]
    tensors = {tensor.name: tensor for tensor in graph.initializer}
    zero_points = {node.input[2] for node in (*steps.values(), *users)}
    for name in zero_points:
        zero_point = numpy_helper.to_array(tensors[name])
        if zero_point.dtype == np.int8:
            moved = (zero_point.astype(np.int16) + _TO_UNSIGNED).astype(np.uint8)
            tensors[name].CopyFrom(numpy_helper.from_array(moved, name))
    for value in graph.value_info:
        if value.name in steps.keys() | zero_points and value.type.tensor_type.elem_type == TensorProto.INT8:
            value.type.tensor_type.elem_type = TensorProto.UINT8
    return copy


def _untie(graph: onnx.GraphProto) -> None:
    """Give each product that reads an int8 weight which others read, too, its own weight, scale and zero point."""
    stored = {tensor.name: tensor for tensor in graph.initializer}
    for node in [node for node in graph.node if node.op_type == "DequantizeLinear" and node.input[0] in stored]:
        readers = [reader for reader in graph.node if node.output[0] in reader.input]
        for number, reader in enumerate(readers[1:], 1):
            own = onnx.NodeProto.FromString(node.SerializeToString())
            own.name, own.output[0] = f"{node.name}.{number}", f"{node.output[0]}.{number}"
            for place, name in enumerate(node.input):
                tensor = onnx.TensorProto.FromString(stored[name].SerializeToString())
                tensor.name = own.input[place] = f"{name}.{number}"
                graph.initializer.append(tensor)
            graph.node.insert(list(graph.node).index(node) + number, own)
            reader.input[:] = [own.output[0] if name == node.output[0] else name for name in reader.input]


def _drop_unread(graph: onnx.GraphProto) -> None:
    """Remove nodes, initializers and shapes that nothing reads any more."""
    kept = list(_read(graph))[::-1]
    del graph.node[:]
    graph.node.extend(kept)
    names = {name for node in kept for name in (*node.input, *node.output)}
    for held in (graph.initializer, graph.value_info):
        still = [item for item in held if item.name in names]
        del held[:]
        held.extend(still)


def _read(graph: onnx.GraphProto) -> Iterator[onnx.NodeProto]:
    """Nodes that lead to an output, the last first."""
    wanted = {value.name for value in graph.output}
    for node in reversed(graph.node):
        if wanted.intersection(node.output):
            wanted.update(node.input)
            yield onnx.NodeProto.FromString(node.SerializeToString())
