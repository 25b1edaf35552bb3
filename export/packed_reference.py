"""A packed graph on the CPU: onnx's reference evaluator, with what it lacks written in numpy.

onnxruntime has no CPU kernel for the packed operator. The evaluator runs the graph node by node as the standard
defines it, slowly. Products, norms and GELU are computed here as CUDA's kernels do: sums in float32, rounded once to
the type of the output. numpy would add float16 numbers without BLAS, and the evaluator's own norm would square them.
"""

from collections.abc import Iterator
from typing import Any

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx.reference import ReferenceEvaluator
from onnx.reference.op_run import OpRun

from infer.encode import Encoded
from infer.packing import Feeds, pack

PROVIDER = "reference evaluator"
_BATCH_TOKENS = 1024  # the evaluator keeps every intermediate value: about 0.8 MiB a token for BERT-base in float32

Array = NDArray[Any]


class PackedReference:
    """A packed graph that can be run; `first_position` is as `infer.packing.pack` takes it."""

    def __init__(self, model: onnx.ModelProto, first_position: int) -> None:
        self._evaluator = ReferenceEvaluator(_widened(model), new_ops=OPERATORS)
        self._first_position = first_position

    def run(self, encoded: Encoded) -> NDArray[np.float32]:
        """Logits (rows, labels) float32, neighbours together in ragged batches."""
        return np.concatenate([self.run_rows(encoded, rows) for rows in _batches(encoded.lengths)])

    def run_rows(self, encoded: Encoded, rows: NDArray[np.int64]) -> NDArray[np.float32]:
        """Logits (rows, labels) float32 of those rows as one batch."""
        return self.run_feeds(pack(encoded, rows, self._first_position))

    def run_feeds(self, feeds: Feeds) -> NDArray[np.float32]:
        """Logits (batch, labels) float32 of one packed batch; arrays that the graph has no input for are left out."""
        with np.errstate(over="ignore", invalid="ignore"):  # an overflow shows as a logit that is no number
            logits: NDArray[np.float32] = self._evaluator.run(
                ["logits"], {name: feeds[name] for name in self._evaluator.input_names}
            )[0]
        return logits


def _widened(model: onnx.ModelProto) -> onnx.ModelProto:
    """A copy whose factors are float32 from the start, with the same values: else every product widens them again."""
    copy = onnx.ModelProto()
    copy.CopyFrom(model)
    factors = {node.input[1] for node in copy.graph.node if node.op_type in ("MatMul", "Gemm")}
    for tensor in copy.graph.initializer:
        if tensor.name in factors and tensor.data_type == onnx.TensorProto.FLOAT16:
            values = onnx.numpy_helper.to_array(tensor).astype(np.float32)
            tensor.CopyFrom(onnx.numpy_helper.from_array(values, tensor.name))
    return copy


def _batches(lengths: NDArray[np.int64]) -> Iterator[NDArray[np.int64]]:
    """Neighbouring rows that begin within the same stretch of tokens."""
    stretch = (np.cumsum(lengths) - lengths) // _BATCH_TOKENS
    yield from np.split(np.arange(len(lengths)), np.flatnonzero(np.diff(stretch)) + 1)


class PackedMultiHeadAttention(OpRun):
    """Attention of each sentence's tokens among themselves, after ONNX Runtime's ContribOperators.md."""

    op_domain = "com.microsoft"

    def _run(
        self,
        query: Array,
        key: Array,
        value: Array,
        bias: Array | None,
        token_offset: NDArray[np.int32],
        cu_seqlens: NDArray[np.int32],
        *,
        num_heads: int,
        scale: float | None = None,
    ) -> tuple[Array]:
        """query, key and value are (tokens, heads · width), as is the output, of their type.

        Tokens are put where token_offset says, as the kernels do that pad. A sentence is cut to the second size of
        token_offset; what is beyond gets zeros: the kernels do not complain either.
        """
        if bias is not None:
            raise NotImplementedError("PackedMultiHeadAttention with a bias")
        tokens, hidden = query.shape
        batch, longest = token_offset.shape
        places = token_offset.reshape(-1)[:tokens]
        padded = []
        for array in (query, key, value):
            room = np.zeros((batch * longest, hidden), np.float32)
            room[places] = array
            padded.append(room.reshape(batch, longest, num_heads, -1).transpose(0, 2, 1, 3))
        factor = scale or (hidden // num_heads) ** -0.5
        attended = np.zeros((batch, longest, hidden), np.float32)
        for sentence, length in enumerate(np.minimum(np.diff(cu_seqlens), longest)):
            q, k, v = (array[sentence, :, :length] for array in padded)  # (heads, length, width)
            scores = q @ k.transpose(0, 2, 1) * np.float32(factor)
            weights = np.exp(scores - scores.max(axis=-1, keepdims=True, initial=-np.inf))
            result = weights @ v / weights.sum(axis=-1, keepdims=True)
            attended[sentence, :length] = result.transpose(1, 0, 2).reshape(length, hidden)
        return (attended.reshape(-1, hidden)[places].astype(query.dtype),)


class MatMul(OpRun):
    """The standard product, summed in float32."""

    op_domain = ""

    def _run(self, a: Array, b: Array) -> tuple[Array]:
        return (np.matmul(_single(a), _single(b)).astype(a.dtype),)


class Gemm(OpRun):
    """The standard product with a bias, summed in float32."""

    op_domain = ""

    def _run(
        self, a: Array, b: Array, c: Array | None = None, alpha: float = 1.0, beta: float = 1.0, **how: int
    ) -> tuple[Array]:
        left = _single(a).T if how.get("transA") else _single(a)
        right = _single(b).T if how.get("transB") else _single(b)
        product = np.float32(alpha) * (left @ right)
        return ((product if c is None else product + np.float32(beta) * _single(c)).astype(a.dtype),)


class LayerNormalization(OpRun):
    """The standard norm over the last axis, in float32 as its stash_type says."""

    op_domain = ""

    def _run(
        self,
        x: Array,
        scale: Array,
        bias: Array | None = None,
        axis: int = -1,
        epsilon: float = 1e-5,
        stash_type: int = 1,
    ) -> tuple[Array]:
        if axis % x.ndim != x.ndim - 1 or stash_type != onnx.TensorProto.FLOAT:
            raise NotImplementedError(f"LayerNormalization over axis {axis} with stash_type {stash_type}")
        centred = _single(x) - _single(x).mean(axis=-1, keepdims=True)
        deviation = np.sqrt(np.square(centred).mean(axis=-1, keepdims=True) + np.float32(epsilon))
        result = centred / deviation * _single(scale)
        return ((result if bias is None else result + _single(bias)).astype(x.dtype),)


class Gelu(OpRun):
    """The standard GELU, in float32; numpy has no error function, and the evaluator's takes one number at a time."""

    op_domain = ""

    def _run(self, x: Array, approximate: str = "none") -> tuple[Array]:
        result = torch.nn.functional.gelu(torch.from_numpy(_single(x)), approximate=approximate)
        return (result.numpy().astype(x.dtype),)


OPERATORS = [PackedMultiHeadAttention, MatMul, Gemm, LayerNormalization, Gelu]


def _single(array: Array) -> NDArray[np.float32]:
    return array.astype(np.float32, copy=False)
