"""Configurations of Triton Inference Server for a bundle: its graph, its tokenizer, and both as one model."""

import json
from collections.abc import Iterable, Mapping
from pathlib import Path

from bertline.bundle import Manifest, Tensor

MOST_ROWS = 32  # in one batch
PREFERRED_ROWS = (8, 16, 32)
QUEUE_DELAY_MICROSECONDS = 1000
TEXTS = ("text", "pair")  # what the tokenizing model takes: one text, or two
_TYPES = {"int64": "TYPE_INT64", "float32": "TYPE_FP32"}


def write_configs(bundle: Path, manifest: Manifest, target: Path) -> None:
    """Write `repository/<model>/config.pbtxt` of the three models into a copied consumer."""
    for name, text in configs(manifest).items():
        file = target / "repository" / name / "config.pbtxt"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")


def configs(manifest: Manifest) -> dict[str, str]:
    """config.pbtxt by model. Every padded variant has fp32's inputs and outputs, so that they serve each of them."""
    fp32 = manifest.variants["fp32"]
    texts = [_tensor(name, "TYPE_STRING", [1]) for name in TEXTS[: len(manifest.text_columns)]]
    inputs, outputs = ([_tensor_of(tensor) for tensor in tensors] for tensors in (fp32.inputs, fp32.outputs))
    ids, logits = ([tensor.name for tensor in tensors] for tensors in (fp32.inputs, fp32.outputs))
    steps = (
        _step("bertline_tokenizer", TEXTS[: len(manifest.text_columns)], ids),
        _step("bertline_model", ids, logits),
    )
    batching = _list("preferred_batch_size:", map(str, PREFERRED_ROWS))
    delay = f"max_queue_delay_microseconds: {QUEUE_DELAY_MICROSECONDS}"
    return {
        "bertline": _config(
            "bertline",
            'platform: "ensemble"',
            _list("input", texts),
            _list("output", outputs),
            f"ensemble_scheduling {{ {_list('step', steps)} }}",
            *_parameters(
                {
                    "labels": json.dumps(manifest.labels),
                    "problem_type": manifest.problem_type,
                    "text_columns": json.dumps(manifest.text_columns),
                    "max_length": str(manifest.max_length),
                }
            ),
        ),
        "bertline_model": _config(
            "bertline_model",
            'backend: "onnxruntime"',
            _list("input", inputs),
            _list("output", outputs),
            "instance_group [ { kind: KIND_CPU count: 1 } ]",
            f"dynamic_batching {{ {batching} {delay} }}",
        ),
        "bertline_tokenizer": _config(
            "bertline_tokenizer",
            'backend: "python"',
            _list("input", texts),
            _list("output", inputs),
            "instance_group [ { kind: KIND_CPU count: 1 } ]",
            "dynamic_batching { }",
            *_parameters({"max_length": str(manifest.max_length), "pad_id": str(manifest.tokenizer.pad_id)}),
        ),
    }


def _config(name: str, *lines: str) -> str:
    return "\n".join([f"name: {json.dumps(name)}", lines[0], f"max_batch_size: {MOST_ROWS}", *lines[1:]]) + "\n"


def _tensor_of(tensor: Tensor) -> str:
    """Without its first axis, the batch."""
    sizes = [size if isinstance(size, int) else -1 for size in tensor.shape[1:]]
    return _tensor(tensor.name, _TYPES[tensor.dtype], sizes)


def _tensor(name: str, kind: str, sizes: Iterable[int]) -> str:
    return f"{{ name: {json.dumps(name)} data_type: {kind} {_list('dims:', map(str, sizes))} }}"


def _step(model: str, inputs: Iterable[str], outputs: Iterable[str]) -> str:
    """One model of the ensemble; tensors between the models keep their names."""
    maps = [
        f"{way}_map {{ key: {json.dumps(name)} value: {json.dumps(name)} }}"
        for way, names in (("input", inputs), ("output", outputs))
        for name in names
    ]
    return f"{{ model_name: {json.dumps(model)} model_version: -1 {' '.join(maps)} }}"


def _parameters(values: Mapping[str, str]) -> Iterable[str]:
    for key, value in values.items():
        yield f"parameters {{ key: {json.dumps(key)} value: {{ string_value: {json.dumps(value)} }} }}"


def _list(field: str, items: Iterable[str]) -> str:
    """Messages on a line each, numbers on one."""
    items = list(items)
    if items[0].startswith("{"):
        return f"{field} [\n  " + ",\n  ".join(items) + "\n]"
    return f"{field} [ {', '.join(items)} ]"
