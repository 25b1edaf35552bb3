"""A run of SharingTrainer, or of the Trainer where one process runs it, on a problem of each type: `-m … FOLDER`.

Each process writes the labels of the rows that it trained on, step by step, and the log, as `TYPE-RANK.json`.
"""

import json
import os
import sys
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers

from bertline.problems import MULTI_LABEL, REGRESSION, SINGLE_LABEL
from finetune.arguments import training_arguments
from finetune.distributed import SharingTrainer
from finetune.recipe import Recipe

ROWS, VALIDATED, BATCH, EPOCHS = 34, 13, 8, 2  # the last batches are of 2 and of 5 rows: for two processes 2 + 0, 4 + 1
RANDOM = "random masks"


def features(problem: str, rows: int) -> list[dict[str, Any]]:
    """Rows of different lengths; a regression's label is the number of the row."""
    draw = np.random.default_rng(0)
    labels = {
        SINGLE_LABEL: lambda row: int(draw.integers(3)),
        MULTI_LABEL: lambda row: draw.integers(2, size=3).astype(float).tolist(),
    }
    made = []
    for row in range(rows):
        ids = draw.integers(5, 40, size=draw.integers(3, 15)).tolist()
        made.append({"input_ids": ids, "attention_mask": [1] * len(ids), "labels": labels.get(problem, float)(row)})
    return made


def collate(batch: list[dict[str, Any]]) -> dict[str, torch.Tensor]:
    longest = max(len(feature["input_ids"]) for feature in batch)
    padded = {
        name: torch.tensor([feature[name] + [0] * (longest - len(feature[name])) for feature in batch])
        for name in ("input_ids", "attention_mask")
    }
    return padded | {"labels": torch.tensor([feature["labels"] for feature in batch])}


def summary(prediction: Any) -> dict[str, float]:
    outputs = prediction.predictions
    logits = outputs[0] if isinstance(outputs, tuple) else outputs
    return {"sum": float(logits.sum()), "rows": len(logits)}


def train(problem: str, folder: Path) -> None:
    """The run of one type; with RANDOM, of a regression with dropout."""
    kind, dropout = (REGRESSION, 0.5) if problem == RANDOM else (problem, 0.0)
    processes, rank = int(os.environ.get("WORLD_SIZE", "1")), os.environ.get("RANK", "0")
    config = transformers.BertConfig(
        vocab_size=40,
        hidden_size=16,
        intermediate_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        num_labels=1 if kind == REGRESSION else 3,
        problem_type=kind,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
        output_hidden_states=kind == MULTI_LABEL,  # some models give more than logits
    )
    torch.manual_seed(0)
    model = transformers.BertForSequenceClassification(config)
    recipe = Recipe(batch_size=BATCH // processes, learning_rate=1e-3, epochs=EPOCHS, keep="last", max_grad_norm=1.0)
    seen: list[Any] = []

    class Witness(transformers.TrainerCallback):
        """Notes what comes to the model."""

        def on_train_begin(self, args: Any, state: Any, control: Any, **others: Any) -> None:
            others["model"].register_forward_pre_hook(self.note, with_kwargs=True)

        def note(self, module: Any, arguments: Any, inputs: Any) -> None:
            if module.training:
                seen.append(inputs["labels"].tolist())

    trainer = (SharingTrainer if processes > 1 else transformers.Trainer)(
        model=model,
        args=training_arguments(recipe, folder / problem, "cpu", "fp32", validate=True),
        train_dataset=features(kind, ROWS),
        eval_dataset=features(kind, VALIDATED),
        data_collator=collate,
        compute_metrics=summary,
        callbacks=[Witness()],
    )
    trainer.remove_callback(transformers.PrinterCallback)
    trainer.train()
    log = [
        {name: entry[name] for name in ("loss", "grad_norm", "eval_loss", "eval_sum", "eval_rows") if name in entry}
        for entry in trainer.state.log_history
    ]
    (folder / f"{problem}-{rank}.json").write_text(json.dumps({"log": log, "seen": seen}))


if __name__ == "__main__":
    for problem in (SINGLE_LABEL, MULTI_LABEL, REGRESSION, RANDOM):
        train(problem, Path(sys.argv[1]))
