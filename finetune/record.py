"""training.json: how a model was made, for whoever finds it."""

import json
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
import transformers

import bertline
from finetune.corpus import Corpus
from finetune.device import card_name
from finetune.recipe import Recipe

if TYPE_CHECKING:
    from finetune.train import Run


def training_record(
    run: "Run", recipe: Recipe, corpus: Corpus, device: str, precision: str, processes: int, model: Any
) -> str:
    """The content of training.json."""
    record = {
        "recipe": asdict(recipe),
        "precision": precision,
        "device": device,
        "processes": processes,
        "device_name": card_name(device),
        "peak_device_memory_mib": run.peak_device_memory_mib,
        "attention": model.config._attn_implementation,
        "corpus": {
            "name": corpus.name,
            "sha256": corpus.sha256,
            "rows": len(corpus.train),
            "labels": list(corpus.labels),
        },
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "epochs": [epoch.to_json() for epoch in run.epochs],
        "kept_epoch": run.kept_epoch,
        "remark": run.remark,
        "holdouts": {name: evaluation.to_json() for name, evaluation in run.holdouts.items()},
        "seconds": run.seconds,
        "rows_per_second": run.rows_per_second,
        "versions": {
            "bertline": bertline.__version__,
            "torch": torch.__version__,
            "transformers": transformers.__version__,
            "numpy": np.__version__,
        },
    }
    return json.dumps(record, indent=1, ensure_ascii=False) + "\n"
