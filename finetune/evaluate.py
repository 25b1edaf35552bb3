"""A finished model folder judged on labelled rows: what is on disk, in fp32, as it will be exported."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch

from bertline.metrics import Evaluation
from finetune.corpus import Example
from finetune.dataset import tokenize

_BATCH_ROWS = 64


def evaluate_folder(
    folder: Path, holdouts: dict[str, Sequence[Example]], labels: tuple[str, ...], max_length: int, device: str
) -> dict[str, Evaluation]:
    """Confusion, accuracy and MCC of each holdout, in file order."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
    )
    model.to(device).eval()
    evaluations = {}
    for name, examples in holdouts.items():
        evaluation = Evaluation(labels)
        predicted = _predict(model, tokenizer, examples, max_length, device)
        evaluation.add(np.array([example.label for example in examples], np.int64), predicted)
        evaluation.finish()
        evaluations[name] = evaluation
    return evaluations


def _predict(model: Any, tokenizer: Any, examples: Sequence[Example], max_length: int, device: str) -> Any:
    """Predicted label ids (rows,), in the order of the examples."""
    features = tokenize(examples, tokenizer, max_length).features
    predicted = np.empty(len(features), np.int64)
    with torch.inference_mode():
        for rows in _batches_by_length([len(feature["input_ids"]) for feature in features]):
            batch = tokenizer.pad([features[row] for row in rows], return_tensors="pt").to(device)
            del batch["labels"]
            predicted[rows] = model(**batch).logits.argmax(dim=1).cpu().numpy()
    return predicted


def _batches_by_length(lengths: list[int]) -> Iterator[list[int]]:
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    for start in range(0, len(order), _BATCH_ROWS):
        yield order[start : start + _BATCH_ROWS]
