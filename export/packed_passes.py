"""Rewrites of a packed graph that compute less, or move less, and give the same logits."""

from collections.abc import Callable

import onnx_ir as ir
from onnx_ir.passes.common import RemoveUnusedNodesPass

from export.attention_biases import key_value_biases
from export.passes import int64_constant, plan_cuts


def apply_packed_passes(model: ir.Model) -> tuple[str, ...]:
    """Rewrite the graph in place and return the names of the passes that applied."""
    applied = tuple(name for name, rewrite in PACKED_PASSES.items() if rewrite(model))
    RemoveUnusedNodesPass()(model)
    return applied


def heads_in_place(model: ir.Model) -> bool:
    """Leave the heads where the projections put them, which is where the packed operator reads them.

    transformers brings the heads to the front, and they are brought back: two transposes undo each other, and of two
    reshapes the last one does. What is left of a reshape names its sizes, so that no operator asks for a shape.
    """
    applied = False
    for node in model.graph:
        source, before = node.inputs[0] if node.inputs else None, _producer(node, "Transpose")
        if node.op_type == "Transpose" and before is not None and before.inputs[0] is not None:
            first, second = before.attributes.get_ints("perm", ()), node.attributes.get_ints("perm", ())
            if second and [first[axis] for axis in second] == list(range(len(second))):
                node.outputs[0].replace_all_uses_with(before.inputs[0])
                applied = True
        elif node.op_type == "Reshape":
            while (before := _producer(node, "Reshape")) is not None:
                node.replace_input_with(0, before.inputs[0])
            applied |= node.inputs[0] is not source
            _name_sizes(model, node)
    RemoveUnusedNodesPass()(model)
    return applied


def first_token_last_layer(model: ir.Model) -> bool:
    """Compute only each sentence's first token of what follows the last attention.

    The same as `export.passes.first_token_last_layer`, with the sentences' beginnings for the first row. All queries
    of the last attention are computed: the packed operator takes as many queries as keys. Returns False, and leaves
    the graph as it is, where nothing can be saved.
    """
    for pick in model.graph:
        index = _first_tokens(pick)
        if index is None:
            continue
        sliced, cuts = plan_cuts(pick)
        if not sliced:
            return False
        for (value, axis), uses in cuts.items():
            cut = ir.node("Gather", [value, index], {"axis": axis}, name=f"first_tokens.{value.name}")
            (rows,) = cut.outputs
            rows.name, rows.type, rows.shape = f"{value.name}.first_tokens", value.type, _sized(value, axis, index)
            model.graph.append(cut)
            for reader, number in uses:
                reader.replace_input_with(number, rows)
        for value, axis in sliced.items():
            value.shape = _sized(value, axis, index)
        hidden = pick.inputs[0]
        assert hidden is not None
        pick.outputs[0].replace_all_uses_with(hidden)
        model.graph.remove(pick, safe=True)
        model.graph.sort()
        return True
    return False


PACKED_PASSES: dict[str, Callable[[ir.Model], bool]] = {
    "heads_in_place": heads_in_place,
    "key_value_biases": key_value_biases,
    "first_token_last_layer": first_token_last_layer,
}


def _producer(node: ir.Node, op_type: str) -> ir.Node | None:
    """What makes the first input, where that is of that type."""
    source = node.inputs[0] if node.inputs else None
    producer = source.producer() if source is not None else None
    return producer if producer is not None and producer.op_type == op_type else None


def _name_sizes(model: ir.Model, node: ir.Node) -> None:
    """The new shape as a constant, which it can be where only one size of it is symbolic."""
    shape = node.outputs[0].shape
    sizes = [size if isinstance(size, int) else -1 for size in shape] if shape is not None else []
    if sizes and sizes.count(-1) <= 1:
        node.replace_input_with(1, int64_constant(model, "shape." + "x".join(map(str, sizes)), sizes))
        node.attributes.pop("allowzero", None)


def _first_tokens(node: ir.Node) -> ir.Value | None:
    """cu_seqlens[:-1] where `node` is hidden_states[:, cu_seqlens[:-1]] of (1, tokens, hidden), else None.

    The exporter makes int64 of it on the way, and asks for one dimension, which it has; Gather needs neither.
    """
    if node.op_type != "Gather" or node.attributes.get_int("axis", 0) != 1:
        return None
    index = node.inputs[1]
    while index is not None and (maker := index.producer()) is not None and maker.op_type in ("Cast", "Reshape"):
        index = maker.inputs[0]
    begins = index.producer() if index is not None else None
    source = begins.inputs[0] if begins is not None and begins.op_type == "Slice" else None
    known = source is not None and source.is_graph_input() and source.name == "cu_seqlens"
    return index if known and index is not None and index.shape is not None and len(index.shape) == 1 else None


def _sized(value: ir.Value, axis: int, index: ir.Value) -> ir.Shape:
    assert value.shape is not None and index.shape is not None
    return ir.Shape([index.shape[0] if number == axis else size for number, size in enumerate(value.shape)])
