"""Smaller files of the same graph: weights stored in fewer bits, computed in fp32, standard operators only.

A runtime that folds constants restores the weights once, when it loads the file, and is then as fast as with fp32.
"""

from collections.abc import Callable, Iterator

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

_SMALLEST = 1024  # elements: biases and norms stay fp32, they are no weight in a file
_INT8_MAX = 127
# Weights that share a scale, along the axis that a product sums over. One scale for a whole channel of MiniLM moves
# logits twice as far on CoLA; 16 to a scale are no nearer, for the tables' share of the error remains.
GROUP = 32


def fp16_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy whose weights are float16 behind a Cast; one that float16 cannot hold stays as it is."""
    return _restored(model, _half)


def int8_weights(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy whose weights are int8 behind Cast, Mul and Reshape, symmetric, one scale for each `GROUP` of a channel.

    Rows of embedding tables are gathered as int8, each with a scale of its own, and restored after that.
    """
    return gathered_as_int8(_restored(model, _eighth))


def _restored(model: onnx.ModelProto, store: "Store") -> onnx.ModelProto:
    """A copy in which `store` says how a weight is kept and restored under its own name."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    graph = copy.graph
    channels = dict(_weights(graph))
    kept, nodes = [], []
    for tensor in graph.initializer:
        stored = store(tensor, channels[tensor.name]) if tensor.name in channels else None
        if stored is None:
            kept.append(tensor)
        else:
            kept += stored[0]
            nodes += stored[1]
    nodes += graph.node
    del graph.initializer[:], graph.node[:]
    graph.initializer.extend(kept)
    graph.node.extend(nodes)
    return copy


Stored = tuple[list[TensorProto], list[onnx.NodeProto]]
Store = Callable[[TensorProto, int | None], Stored | None]


def _weights(graph: onnx.GraphProto) -> Iterator[tuple[str, int | None]]:
    """Large fp32 initializers, and the axis of the output channels of those that are only the factor of a product."""
    large = {
        tensor.name: tensor
        for tensor in graph.initializer
        if tensor.data_type == TensorProto.FLOAT and np.prod(tensor.dims) >= _SMALLEST
    }
    axes: dict[str, set[int | None]] = {name: set() for name in large}
    for node in graph.node:
        for index, name in enumerate(node.input):
            if name in axes:
                axes[name].add(_channel_axis(node, index, len(large[name].dims)))
    for name, found in axes.items():
        yield name, found.pop() if len(found) == 1 else None


def _channel_axis(node: onnx.NodeProto, index: int, rank: int) -> int | None:
    if index != 1 or rank != 2:
        return None
    if node.op_type == "MatMul":
        return 1
    if node.op_type == "Gemm":
        return 0 if any(a.name == "transB" and a.i for a in node.attribute) else 1
    return None


def _half(tensor: TensorProto, channel_axis: int | None) -> Stored | None:
    values = numpy_helper.to_array(tensor)
    with np.errstate(over="ignore"):
        half = values.astype(np.float16)
    if not np.isfinite(half).all():
        return None
    name = f"{tensor.name}.fp16"
    return [numpy_helper.from_array(half, name)], [
        helper.make_node("Cast", [name], [tensor.name], to=TensorProto.FLOAT)
    ]


def _eighth(tensor: TensorProto, channel_axis: int | None) -> Stored | None:
    if channel_axis is None:
        return None
    values, summed = numpy_helper.to_array(tensor), 1 - channel_axis
    groups = values.shape[summed] // GROUP if values.shape[summed] % GROUP == 0 else 1
    shape = [*values.shape[:summed], groups, values.shape[summed] // groups, *values.shape[summed + 1 :]]
    quantized, scale = _symmetric(values.reshape(shape), summed + 1)
    names = {part: f"{tensor.name}.{part}" for part in ("int8", "scale", "cast", "grouped", "shape")}
    nodes = [
        helper.make_node("Cast", [names["int8"]], [names["cast"]], to=TensorProto.FLOAT),
        helper.make_node("Mul", [names["cast"], names["scale"]], [names["grouped"]]),
        helper.make_node("Reshape", [names["grouped"], names["shape"]], [tensor.name]),
    ]
    stored = {"int8": quantized, "scale": scale, "shape": np.array(values.shape, np.int64)}
    return [numpy_helper.from_array(array, names[part]) for part, array in stored.items()], nodes


def gathered_as_int8(model: onnx.ModelProto) -> onnx.ModelProto:
    """Embedding tables in int8, in place: Gather, then Cast, then Mul by the gathered rows' scales."""
    graph = model.graph
    lookups = [node for node in graph.node if node.op_type == "Gather" and not any(a.i for a in node.attribute)]
    readers: dict[str, int] = {}
    for node in graph.node:
        for name in node.input:
            readers[name] = readers.get(name, 0) + 1
    tables = {tensor.name: tensor for tensor in graph.initializer}
    for lookup in lookups:
        table = tables.get(lookup.input[0])
        if table is None or table.data_type != TensorProto.FLOAT or len(table.dims) != 2:
            continue
        if np.prod(table.dims) < _SMALLEST or readers[table.name] != 1:
            continue
        name, indices, output = table.name, lookup.input[1], lookup.output[0]
        quantized, scale = _symmetric(numpy_helper.to_array(table), 1)
        nodes = [
            helper.make_node("Gather", [f"{name}.int8", indices], [f"{output}.int8"]),
            helper.make_node("Gather", [f"{name}.scale", indices], [f"{output}.scale"]),
            helper.make_node("Cast", [f"{output}.int8"], [f"{output}.cast"], to=TensorProto.FLOAT),
            helper.make_node("Mul", [f"{output}.cast", f"{output}.scale"], [output]),
        ]
        place = list(graph.node).index(lookup)
        graph.node.remove(lookup)
        for offset, node in enumerate(nodes):
            graph.node.insert(place + offset, node)
        graph.initializer.remove(table)
        graph.initializer.append(numpy_helper.from_array(quantized, f"{name}.int8"))
        graph.initializer.append(numpy_helper.from_array(scale, f"{name}.scale"))
    return model


def _symmetric(values: NDArray[np.float32], over: int) -> tuple[NDArray[np.int8], NDArray[np.float32]]:
    """int8 of the same shape, and float32 scales (one for each slice over that axis, kept as size 1)."""
    scale = np.abs(values).max(axis=over, keepdims=True) / _INT8_MAX
    scale = np.where(scale == 0, 1, scale).astype(np.float32)  # a slice of zeros stays zeros
    return np.rint(values / scale).astype(np.int8), scale
