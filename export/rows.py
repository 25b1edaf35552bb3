"""Which operators compute each row of their output from the same row of their inputs."""

import onnx_ir as ir

# One output element from the elements at the same place: unary, binary and variadic, with broadcasting.
_ELEMENTWISE = frozenset(
    "Add And Cast Clip Div Erf Exp Gelu Identity Mul Neg Not Or Pow Relu Sigmoid Sqrt Sub Tanh Where".split()
)


def row_inputs(node: ir.Node, axis: int) -> dict[int, int] | None:
    """What of `node`'s inputs the first row along `axis` of its output needs.

    Input indices to the axis of which one row suffices; inputs that are left out are needed whole. None where rows do
    not stand for themselves, or nothing is known of the node.
    """
    if node.domain or len(node.outputs) != 1 or any(value is None or value.shape is None for value in node.inputs):
        return None
    output = node.outputs[0].shape
    if output is None:
        return None
    if node.op_type in _ELEMENTWISE:
        return _elementwise(node, axis, len(output))
    rule = _RULES.get(node.op_type)
    return rule(node, axis, len(output)) if rule else None


def _elementwise(node: ir.Node, axis: int, rank: int) -> dict[int, int]:
    rows = {}
    for index in range(len(node.inputs)):
        shape = _shape(node, index)
        own = axis - (rank - len(shape))  # shapes are aligned at their ends
        if own >= 0 and shape[own] != 1:
            rows[index] = own
    return rows


def _layer_normalization(node: ir.Node, axis: int, rank: int) -> dict[int, int] | None:
    return {0: axis} if axis < node.attributes.get_int("axis", -1) % rank else None


def _softmax(node: ir.Node, axis: int, rank: int) -> dict[int, int] | None:
    return {0: axis} if axis != node.attributes.get_int("axis", -1) % rank else None


def _matmul(node: ir.Node, axis: int, rank: int) -> dict[int, int] | None:
    """Rows of a product are those of its first factor; a batch axis stands for itself if the second has none."""
    left, right = _shape(node, 0), _shape(node, 1)
    if len(left) != rank or axis == rank - 1 or (axis < rank - 2 and len(right) > 2):
        return None
    return {0: axis}


def _transpose(node: ir.Node, axis: int, rank: int) -> dict[int, int]:
    return {0: node.attributes.get_ints("perm", range(rank)[::-1])[axis]}


def _reshape(node: ir.Node, axis: int, rank: int) -> dict[int, int] | None:
    """Rows stay rows where all axes up to theirs are kept and what follows has a fixed size."""
    before, after = _shape(node, 0), node.outputs[0].shape
    assert after is not None
    kept = len(before) > axis and all(_same(before[number], after[number]) for number in range(axis + 1))
    return (
        {0: axis} if kept and all(isinstance(size, int) for size in (*before[axis + 1 :], *after[axis + 1 :])) else None
    )


def _same(one: object, other: object) -> bool:
    unknown = isinstance(one, ir.SymbolicDim) and one.value is None
    return one == other and not unknown


def _shape(node: ir.Node, index: int) -> ir.Shape:
    value = node.inputs[index]
    assert value is not None and value.shape is not None  # row_inputs has looked
    return value.shape


_RULES = {
    "LayerNormalization": _layer_normalization,
    "MatMul": _matmul,
    "Reshape": _reshape,
    "Softmax": _softmax,
    "Transpose": _transpose,
}
