"""A finished model folder judged on labelled rows: what is on disk, in fp32, as it will be exported."""

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from bertline.evaluation import AnyEvaluation, evaluation_of
from bertline.problems import Problem
from finetune.corpus import Example
from finetune.dataset import tokenize

_BATCH_ROWS = 64


def evaluate_folder(
    folder: Path, holdouts: dict[str, Sequence[Example]], problem: Problem, max_length: int, device: str
) -> dict[str, AnyEvaluation]:
    """The evaluation of each holdout, in file order."""
    from transformers import AutoModelForSequenceClassification, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    model = AutoModelForSequenceClassification.from_pretrained(
        folder, local_files_only=True, use_safetensors=True, dtype=torch.float32
    )
    model.to(device).eval()
    evaluations = {}
    for name, examples in holdouts.items():
        evaluation = evaluation_of(problem)
        true = problem.true([example.label for example in examples])
        logits, tokens = _run(model, tokenizer, examples, max_length, problem, device)
        texts = [example.text if example.pair is None else (example.text, example.pair) for example in examples]
        evaluation.add(true, logits, tokens, texts)
        evaluation.finish()
        evaluations[name] = evaluation
    return evaluations


def _run(
    model: Any, tokenizer: Any, examples: Sequence[Example], max_length: int, problem: Problem, device: str
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Logits (rows, labels) and lengths in tokens (rows,), in the order of the examples."""
    features = tokenize(examples, tokenizer, max_length, problem).features
    lengths = [len(feature["input_ids"]) for feature in features]
    logits = np.empty((len(features), model.config.num_labels), np.float32)
    with torch.inference_mode():
        for rows in _batches_by_length(lengths):
            batch = tokenizer.pad([features[row] for row in rows], return_tensors="pt").to(device)
            del batch["labels"]
            logits[rows] = model(**batch).logits.cpu().numpy()
    return logits, np.array(lengths, np.int64)


def _batches_by_length(lengths: list[int]) -> Iterator[list[int]]:
    order = sorted(range(len(lengths)), key=lengths.__getitem__)
    for start in range(0, len(order), _BATCH_ROWS):
        yield order[start : start + _BATCH_ROWS]
