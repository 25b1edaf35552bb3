"""A PyTorch classifier as an ONNX graph: standard operators, inputs by name, batch and sequence symbolic."""

import io
import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import Any

import onnx
import torch

from bertline.bundle import Tensor
from bertline.errors import VerificationError
from export.attention import key_mask

OPSET = 20  # the first with Gelu as one operator
IR = 10  # what runtimes of 2024 and later read
_TRACE_BATCH, _TRACE_SEQUENCE = 2, 9  # the example shape; neither equals a dimension of a model


class _Logits(torch.nn.Module):
    """The classifier with tensors in, logits out."""

    def __init__(self, model: torch.nn.Module) -> None:
        super().__init__()
        self.model = model

    def forward(
        self, input_ids: torch.Tensor, attention_mask: torch.Tensor, token_type_ids: torch.Tensor | None = None
    ) -> torch.Tensor:
        types = {} if token_type_ids is None else {"token_type_ids": token_type_ids}
        logits: torch.Tensor = self.model(input_ids=input_ids, attention_mask=attention_mask, **types).logits
        return logits


def export_graph(model: Any, input_names: list[str], path: Path) -> onnx.ModelProto:
    """Write the graph of a transformers classifier to `path` and return it.

    `input_names` are input_ids, attention_mask and, where the model has them, token_type_ids: int64
    (batch, sequence). Output: logits float32 (batch, labels). Raises VerificationError where the exporter cannot follow
    the model, or made a fixed axis, control flow, or an operator outside the standard domain.
    """
    ids = torch.arange(_TRACE_BATCH * _TRACE_SEQUENCE).reshape(_TRACE_BATCH, -1) % model.config.vocab_size
    mask = torch.ones_like(ids)
    mask[1, -3:] = 0  # a ragged example: a graph that ignored the mask would be caught at once
    examples = {"input_ids": ids, "attention_mask": mask, "token_type_ids": torch.zeros_like(ids)}
    attention, model.config._attn_implementation = model.config._attn_implementation, "eager"
    try:
        with torch.no_grad(), warnings.catch_warnings(), quiet(), key_mask():
            warnings.simplefilter("ignore")
            program = torch.onnx.export(
                _Logits(model).eval(),
                (),
                kwargs={name: examples[name] for name in input_names},
                dynamo=True,
                opset_version=OPSET,
                output_names=["logits"],
                dynamic_shapes={name: {0: "batch", 1: "sequence"} for name in input_names},
                verbose=False,
            )
    except torch.onnx.OnnxExporterError as error:
        raise VerificationError(
            f"PyTorch's exporter cannot follow the family {model.config.model_type!r} ({_reason(error)}); "
            "no bundle was written"
        ) from None
    finally:
        model.config._attn_implementation = attention
    assert program is not None  # dynamo=True returns the program
    proto = without_metadata(program.model_proto)
    proto.ir_version = IR
    proto.producer_name = "bertline"
    problems = _graph_problems(proto, input_names)
    if problems:
        raise VerificationError(f"the exported graph is not portable: {'; '.join(problems)}; no bundle was written")
    onnx.checker.check_model(proto, full_check=True)
    onnx.save_model(proto, path)
    return proto


def tensors(values: Any) -> tuple[Tensor, ...]:
    """The inputs or outputs of a graph, for the manifest."""
    return tuple(
        Tensor(
            value.name,
            onnx.helper.tensor_dtype_to_np_dtype(value.type.tensor_type.elem_type).name,
            tuple(axis.dim_param or axis.dim_value for axis in value.type.tensor_type.shape.dim),
        )
        for value in values
    )


def _graph_problems(proto: onnx.ModelProto, input_names: list[str]) -> list[str]:
    nodes = proto.graph.node
    problems = [f"operator {node.domain}::{node.op_type}" for node in nodes if node.domain]
    problems += [f"control flow {node.op_type}" for node in nodes if any(a.HasField("g") for a in node.attribute)]
    found = [tensor.name for tensor in tensors(proto.graph.input)]
    if sorted(found) != sorted(input_names):
        problems.append(f"inputs are {found}, not {input_names}")
    problems += [
        f"{tensor.name} has the shape {tensor.shape}"
        for tensor in tensors(proto.graph.input)
        if tensor.shape != ("batch", "sequence")
    ]
    (logits,) = tensors(proto.graph.output)
    if logits.shape[0] != "batch" or logits.dtype != "float32":
        problems.append(f"logits are {logits.dtype} {logits.shape}")
    return problems


def without_metadata(proto: onnx.ModelProto) -> onnx.ModelProto:
    """Drop what the exporter notes on each node: source lines and paths of the machine that exported."""
    graph = proto.graph
    for item in [proto, graph, *graph.node, *graph.value_info, *graph.initializer, *graph.input, *graph.output]:
        del item.metadata_props[:]
        item.doc_string = ""
    return proto


def _reason(error: Exception) -> str:
    """The first words of what stopped the exporter, which wraps them in pages of advice."""
    cause: BaseException = error
    while cause.__cause__ is not None:
        cause = cause.__cause__
    lines = [line.strip(" -") for line in str(cause).splitlines() if line.strip(" -")]
    return " ".join(lines[:2] if lines[0].endswith(":") else lines[:1]) if lines else type(cause).__name__


@contextmanager
def quiet() -> Iterator[None]:
    """No word on the screen while the block lasts: what torch logs and prints while it exports, it raises, too."""
    before = logging.root.manager.disable
    logging.disable(logging.CRITICAL)
    try:
        with redirect_stdout(io.StringIO()), redirect_stderr(io.StringIO()):
            yield
    finally:
        logging.disable(before)
