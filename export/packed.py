"""A PyTorch classifier as a packed graph: sentences end to end, no padding, one attention operator of CUDA's."""

import copy
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import onnx
import onnx_ir as ir
import torch
from torch.export import Dim
from transformers.masking_utils import ALL_MASK_ATTENTION_FUNCTIONS
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from bertline.errors import VerificationError
from export.graph import IR, OPSET, quiet, tensors, without_metadata
from export.packed_model import FAMILIES, PackedLogits, first_position, no_mask
from export.packed_passes import apply_packed_passes

DOMAINS = ("", "com.microsoft")
OPERATOR = "PackedMultiHeadAttention"
_ATTENTION = "bertline_packed"
_LENGTHS = (2, 5, 4)  # tokens of the example's sentences; no size equals a dimension of a model


@dataclass(frozen=True)
class PackedGraph:
    """A packed graph in float32, and what its runner must know."""

    model: onnx.ModelProto
    passes: tuple[str, ...]
    first_position: int  # as infer.packing.pack takes it


def packed_graph(model: Any, input_names: list[str]) -> PackedGraph:
    """The packed graph of a transformers classifier; `input_names` are those of its padded graph.

    Inputs, all int32: input_ids, token_type_ids (where the padded graph has them) and position_ids (1, tokens),
    token_offset (batch, longest), cu_seqlens (batch + 1,), as infer.packing.pack makes them. Output: logits float32
    (batch, labels). The only operator outside the standard domain is com.microsoft.PackedMultiHeadAttention, which
    attention becomes by transformers' own AttentionInterface. Raises VerificationError for a family that is not
    known to be made of such attention, and where the exporter made anything else.
    """
    config = model.config
    _refuse_other_attention(config)
    wrapper = PackedLogits(copy.deepcopy(model), _ATTENTION, "token_type_ids" in input_names)
    examples = _examples(config.vocab_size, "token_type_ids" in input_names)
    tokens, batch, longest = Dim("tokens"), Dim("batch"), Dim("longest")
    axes = {name: {1: tokens} for name in ("input_ids", "token_type_ids", "position_ids")} | {
        "token_offset": {0: batch, 1: longest},
        "cu_seqlens": {0: batch + 1},
    }
    with torch.no_grad(), warnings.catch_warnings(), quiet(), _packed_attention():
        warnings.simplefilter("ignore")
        program = torch.onnx.export(
            wrapper.eval(),
            (),
            kwargs=examples,
            dynamo=True,
            opset_version=OPSET,
            output_names=["logits"],
            dynamic_shapes={name: axes[name] for name in examples},
            verbose=False,
        )
    assert program is not None  # dynamo=True returns the program
    rewritten = ir.from_proto(without_metadata(program.model_proto))
    passes = apply_packed_passes(rewritten)
    proto = without_metadata(ir.to_proto(rewritten))
    proto.ir_version = IR
    proto.producer_name = "bertline"
    problems = _problems(proto, list(examples), config.num_hidden_layers)
    if problems:
        raise VerificationError(f"the packed graph is not what CUDA runs: {'; '.join(problems)}")
    onnx.checker.check_model(proto, full_check=True)
    return PackedGraph(proto, passes, first_position(config))


def _refuse_other_attention(config: Any) -> None:
    """VerificationError for a model whose attention is not known to be softmax(query · key) · value and no more."""
    others = "on CUDA, run fp32 with --device cuda"
    if config.model_type not in FAMILIES:
        raise VerificationError(
            f"no packed graph is known for the family {config.model_type!r}, only for {', '.join(FAMILIES)}; {others}"
        )
    positions = getattr(config, "position_embedding_type", None) or "absolute"
    if positions != "absolute":
        raise VerificationError(f"its positions are {positions!r}, and packed attention knows none; {others}")
    if getattr(config, "is_decoder", False):
        raise VerificationError(f"it is a decoder, and packed attention sees the whole sentence; {others}")


@contextmanager
def _packed_attention() -> Iterator[None]:
    """While the block lasts, transformers knows the packed operator as an attention, which wants no mask."""
    ALL_ATTENTION_FUNCTIONS[_ATTENTION] = _attend  # local entries, as in export.attention
    ALL_MASK_ATTENTION_FUNCTIONS[_ATTENTION] = no_mask
    try:
        yield
    finally:
        del ALL_ATTENTION_FUNCTIONS[_ATTENTION]
        del ALL_MASK_ATTENTION_FUNCTIONS[_ATTENTION]


def _attend(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    scaling: float,
    token_offset: torch.Tensor,
    cu_seqlens: torch.Tensor,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """query, key and value (1, heads, tokens, width) to (1, tokens, heads, width)."""
    _, heads, tokens, width = query.shape
    flat = [states.transpose(1, 2).reshape(tokens, heads * width) for states in (query, key, value)]
    attended = torch.onnx.ops.symbolic(
        f"com.microsoft::{OPERATOR}",
        [*flat, None, token_offset, cu_seqlens],
        {"num_heads": heads, "scale": float(scaling)},
        dtype=query.dtype,
        shape=(tokens, heads * width),
        version=1,
    )
    return attended.reshape(1, tokens, heads, width), None


def _examples(vocabulary: int, types: bool) -> dict[str, torch.Tensor]:
    """Three sentences end to end, int32."""
    batch, longest, tokens = len(_LENGTHS), max(_LENGTHS), sum(_LENGTHS)
    real = torch.arange(longest) < torch.tensor(_LENGTHS)[:, None]
    offsets = torch.arange(batch * longest).reshape(batch, longest)
    examples = {
        "input_ids": (torch.arange(tokens) % vocabulary)[None],
        "position_ids": torch.cat([torch.arange(length) for length in _LENGTHS])[None],
        "token_offset": torch.cat([offsets[real], offsets[~real]]).reshape(batch, longest),
        "cu_seqlens": torch.tensor([0, *_LENGTHS]).cumsum(0),
    }
    if types:
        examples["token_type_ids"] = torch.zeros(1, tokens)
    return {name: tensor.to(torch.int32) for name, tensor in examples.items()}


def _problems(proto: onnx.ModelProto, input_names: list[str], layers: int) -> list[str]:
    """What is not as `packed_graph` promises."""
    nodes = proto.graph.node
    foreign = [f"{node.domain}.{node.op_type}" for node in nodes if node.domain]
    problems = [f"operator {name}" for name in sorted(set(foreign) - {f"com.microsoft.{OPERATOR}"})]
    problems += [f"control flow {node.op_type}" for node in nodes if any(a.HasField("g") for a in node.attribute)]
    if len(foreign) != layers or any(node.op_type == "Softmax" for node in nodes):
        problems.append(f"{len(foreign)} of {layers} layers have packed attention")
    shapes: dict[str, tuple[int | str, ...]] = {"token_offset": ("batch", "longest"), "cu_seqlens": ("batch + 1",)}
    wanted = {name: ("int32", shapes.get(name, (1, "tokens"))) for name in input_names}
    found = {tensor.name: (tensor.dtype, tensor.shape) for tensor in tensors(proto.graph.input)}
    problems += [f"input {name} is {found.get(name)}" for name in wanted if found.get(name) != wanted[name]]
    problems += [f"input {name} is not known" for name in found if name not in wanted]
    (logits,) = tensors(proto.graph.output)
    if logits.shape[0] != "batch" or logits.dtype != "float32":
        problems.append(f"logits are {logits.dtype} {logits.shape}")
    return problems
