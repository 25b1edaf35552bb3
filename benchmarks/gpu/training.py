"""Fine-tuning time: the real `bertline finetune` on the table, from random weights of BERT-base's dimensions."""

import json
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.gpu.bench import Bench
from bertline.errors import BertlineError
from bertline.tsv import TableSpec
from finetune.recipe import problem_word


def measure_training(bench: Bench) -> dict[str, Any]:
    """Seconds of each epoch and in all, by a process of its own with the command's own recipe."""
    with TemporaryDirectory() as name:
        base, output = Path(name) / "base", Path(name) / "model"
        config = _write_base(bench, base)
        command = [sys.executable, "-m", "bertline", "finetune", str(bench.table), "--model", str(base), "-q"]
        command += ["-o", str(output), "--epochs", str(bench.plan.epochs), "--device", bench.device]
        command += [*table_options(bench.spec), "--problem", problem_word(bench.bundle.manifest.problem_type)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=bench.clock.seconds_left)
        if done.returncode:
            reason = done.stderr.strip().removeprefix("bertline: ")
            raise BertlineError(reason or f"fine-tuning ended with {done.returncode}")
        record = json.loads((output / "training.json").read_text(encoding="utf-8"))
    epochs = [epoch["training_seconds"] for epoch in record["epochs"]]
    return {
        "rows": record["corpus"]["rows"],
        "dimensions": {word: config[word] for word in ("hidden_size", "num_hidden_layers", "intermediate_size")},
        "precision": record["precision"],
        "batch_size": record["recipe"]["batch_size"],
        "epoch_seconds": epochs,
        "median_epoch_seconds": float(np.median(epochs)),
        "seconds": record["seconds"],
    }


def _write_base(bench: Bench, folder: Path) -> dict[str, Any]:
    """A checkpoint with random weights and the model folder's tokenizer; returns its config."""
    from transformers import BertConfig, BertForSequenceClassification

    tokenizer = bench.reference.tokenizer
    config = BertConfig(vocab_size=len(tokenizer), pad_token_id=tokenizer.pad_token_id, **bench.plan.training)
    BertForSequenceClassification(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return dict(config.to_dict())


def table_options(spec: TableSpec) -> list[str]:
    """The command line's options that describe a table so."""
    options = ["--header" if spec.header else "--no-header"]
    options += ["--columns", ",".join(spec.columns)] if spec.columns else []
    named = {"--text-column": spec.text_column, "--pair-column": spec.pair_column, "--label-column": spec.label_column}
    return options + [word for option, column in named.items() if column for word in (option, column)]
