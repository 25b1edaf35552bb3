"""What `benchmarks.peers.protocol` serves of `benchmarks.ways`, in bertline's own environment."""

from pathlib import Path
from typing import Any

import torch

from benchmarks import ways

PACKAGES = ("torch", "transformers", "onnxruntime")
_PLAIN = "plain.onnx"


def prepare(request: dict[str, Any]) -> None:
    """Export the plain graph."""
    ways.export_plain(Path(request["model"]), Path(request["folder"]) / _PLAIN)


def load(request: dict[str, Any]) -> ways.Way:
    """The way asked for; see benchmarks.candidates for their names."""
    torch.set_num_threads(request["threads"])
    way, model, bundle = request["way"], Path(request["model"]), Path(request["bundle"])
    if way == "notebook":
        return ways.notebook(model)
    if way == "pipeline":
        return ways.transformers_pipeline(model)
    if way == "plain":
        return ways.plain_onnx(Path(request["folder"]) / _PLAIN, bundle, request["threads"])
    return ways.pytorch_equal_lengths(model, bundle, getattr(torch, way))
