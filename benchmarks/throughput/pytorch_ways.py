"""What `benchmarks.peers.protocol` serves of `benchmarks.throughput.ways`, in bertline's own environment."""

from pathlib import Path
from typing import Any

import torch

from benchmarks.throughput import ways

PACKAGES = ("torch", "transformers")


def load(request: dict[str, Any]) -> ways.Way:
    """`notebook`, `pipeline`, or a dtype of PyTorch's."""
    torch.set_num_threads(request["threads"])
    way, model = request["way"], Path(request["model"])
    if way == "notebook":
        return ways.notebook(model)
    if way == "pipeline":
        return ways.transformers_pipeline(model)
    return ways.pytorch_equal_lengths(model, Path(request["bundle"]), getattr(torch, way))
