"""The matrix products of a graph, told apart by structure: what int8 may compute, and what stays in fp32."""

from dataclasses import dataclass

import onnx
import onnx_ir as ir


@dataclass(frozen=True)
class Product:
    """A product of the hidden states with a weight."""

    node: str
    group: str  # the tensor it reads: products of one tensor share its quantization
    size: int  # elements of the weight, which are multiply-adds a row
    first_row_only: bool  # computed for the first token alone, so next to free


@dataclass(frozen=True)
class Products:
    """Names of nodes, in the graph's order."""

    linear: tuple[Product, ...]  # hidden states (batch, sequence, width) times a weight
    attention: tuple[str, ...]  # of two activations
    heads: tuple[str, ...]  # of one row a text: what follows the pick of the first token, or a pooling

    @property
    def int8(self) -> frozenset[str]:
        """The nodes that int8 may compute."""
        return frozenset(product.node for product in self.linear)


def find_products(model: onnx.ModelProto) -> Products:
    """Every MatMul and Gemm of a classifier whose shapes are known, as `export_graph` writes it."""
    linear, attention, heads = [], [], []
    for node in ir.from_proto(model).graph:
        if node.op_type not in ("MatMul", "Gemm") or node.domain:
            continue
        name, (left, right) = node.name or "", node.inputs[:2]
        assert left is not None and right is not None  # both are required
        weight = right.const_value
        if weight is None:
            attention.append(name)
        elif left.shape is None or len(left.shape) < 3:
            heads.append(name)
        else:
            linear.append(Product(name, left.name or "", int(weight.size), left.shape[1] == 1))
    return Products(tuple(linear), tuple(attention), tuple(heads))
