"""Rewrites of an exported graph that compute less and give the same logits."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import onnx
import onnx_ir as ir

from export.attention_biases import key_value_biases
from export.rows import row_inputs

Use = tuple[ir.Node, int]  # a node and the index of one of its inputs
Sliced = dict[ir.Value, int]  # values of which only the first row is computed, and the axis along which
Cuts = dict[tuple[ir.Value, int], list[Use]]  # whole values and an axis, and who reads only the first row


def apply_passes(path: Path) -> tuple[str, ...]:
    """Rewrite the graph at `path`, check it, and return the names of the passes that applied."""
    model = ir.load(path)
    applied = tuple(name for name, rewrite in PASSES.items() if rewrite(model))
    if applied:
        proto = ir.to_proto(model)
        onnx.checker.check_model(proto, full_check=True)
        onnx.save_model(proto, path)
    return applied


def first_token_last_layer(model: ir.Model) -> bool:
    """Compute only the first token's row of what follows the last attention's keys and values.

    A classifier that reads the first token picks its row of the last layer's output. Row-wise operators give the same
    row whether they see the others or not, so the choice moves up through them: past the norms, the feed-forward part
    and the output projection into the attention, whose queries then are one row a sentence. Returns False, and leaves
    the graph as it is, where that path does not lead through a softmax.
    """
    for node in model.graph:
        if _picks_first_row(node):
            sliced, cuts = plan_cuts(node)
            if any(value.producer().op_type == "Softmax" for value in sliced):  # type: ignore[union-attr]
                _apply(model, sliced, cuts)
                return True
    return False


PASSES: dict[str, Callable[[ir.Model], bool]] = {
    "first_token_last_layer": first_token_last_layer,
    "key_value_biases": key_value_biases,
}


def _picks_first_row(node: ir.Node) -> bool:
    """Whether `node` is hidden_states[:, 0] of (batch, sequence, hidden)."""
    if node.op_type != "Gather" or node.attributes.get_int("axis", 0) != 1:
        return False
    hidden, index = node.inputs
    if hidden is None or hidden.shape is None or len(hidden.shape) != 3 or hidden.shape.is_static(1):
        return False
    chosen = ir.convenience.get_const_tensor(index) if index is not None else None
    return chosen is not None and chosen.size == 1 and int(chosen.numpy().item()) == 0


def plan_cuts(pick: ir.Node) -> tuple[Sliced, Cuts]:
    """Walk up from `pick` as far as nobody else reads the other rows.

    Returns the values that shrink to one row, and the whole values of which the first row must be cut out.
    """
    graph = pick.graph
    assert graph is not None and pick.inputs[0] is not None
    wanted: dict[ir.Value, dict[Use, int]] = {pick.inputs[0]: {(pick, 0): 1}}
    sliced: Sliced = {}
    cuts: Cuts = {}
    for node in reversed(graph):  # consumers come before producers
        for value in node.outputs:
            uses = wanted.pop(value, {})
            axes = set(uses.values())
            if not uses:
                continue
            alone = len(axes) == 1 and len(uses) == len(value.uses()) and not value.is_graph_output()
            inputs = row_inputs(node, next(iter(axes))) if alone else None
            if inputs is None:
                for use, axis in uses.items():
                    cuts.setdefault((value, axis), []).append(use)
                continue
            sliced[value] = next(iter(axes))
            for index, axis in inputs.items():
                source = node.inputs[index]
                assert source is not None
                wanted.setdefault(source, {})[node, index] = axis
    for value, uses in wanted.items():  # graph inputs and initializers: nothing computes them
        for use, axis in uses.items():
            cuts.setdefault((value, axis), []).append(use)
    return sliced, cuts


def _apply(model: ir.Model, sliced: Sliced, cuts: Cuts) -> None:
    graph = model.graph
    for (value, axis), uses in cuts.items():
        bounds = [int64_constant(model, f"first_row.{name}", [number]) for name, number in (("0", 0), ("1", 1))]
        axes = int64_constant(model, f"first_row.axis.{axis}", [axis])
        cut = ir.node("Slice", [value, *bounds, axes], name=f"first_row.{value.name}")
        (row,) = cut.outputs
        row.name, row.type, row.shape = f"{value.name}.first_row.{axis}", value.type, _one_row(value, axis)
        producer = value.producer()
        if producer is not None:
            graph.insert_after(producer, cut)
        else:
            graph.insert_before(graph[0], cut)
        for reader, index in uses:
            reader.replace_input_with(index, row)
    for value, axis in sliced.items():
        value.shape = _one_row(value, axis)
        node = value.producer()
        assert node is not None
        if node.op_type == "Reshape":
            # The old shape named the whole sequence. 0 copies a dimension, so that the batch stays free.
            tail = [int(size) for size in value.shape[axis + 1 :]]  # type: ignore[arg-type]
            shape = [0] * (axis + 1) + tail
            node.replace_input_with(1, int64_constant(model, "first_row.shape." + "x".join(map(str, shape)), shape))
            node.attributes.pop("allowzero", None)


def _one_row(value: ir.Value, axis: int) -> ir.Shape:
    assert value.shape is not None
    return ir.Shape([1 if number == axis else size for number, size in enumerate(value.shape)])


def int64_constant(model: ir.Model, name: str, numbers: list[int]) -> ir.Value:
    """An int64 initializer; one of that name is taken as it is."""
    if name not in model.graph.initializers:
        tensor = ir.tensor(np.array(numbers, np.int64), name=name)
        model.graph.register_initializer(
            ir.Value(name=name, shape=ir.Shape([len(numbers)]), type=ir.TensorType(tensor.dtype), const_value=tensor)
        )
    return model.graph.initializers[name]
