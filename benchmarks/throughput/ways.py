"""PyTorch's ways to score a file of sentences, each behind one call: texts in, logits out."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.throughput.equal_lengths import NOTEBOOK_LENGTH, ROWS, in_equal_lengths
from bertline.model_folder import ModelFolder
from export.reference import Reference
from infer.runners import Logits


class Way(Protocol):
    """Scores texts, in order; logits are (rows, labels) float32."""

    def __call__(self, texts: Sequence[str]) -> Logits: ...


def notebook(model_dir: Path) -> Way:
    """PyTorch fp32 eager, every row padded to 64 tokens, 32 rows a batch, in file order."""
    reference = Reference(ModelFolder.open(model_dir))

    def score(texts: Sequence[str]) -> Logits:
        parts = []
        with torch.inference_mode():
            for start in range(0, len(texts), ROWS):
                batch = reference.tokenizer(
                    list(texts[start : start + ROWS]),
                    padding="max_length",
                    truncation=True,
                    max_length=NOTEBOOK_LENGTH,
                    return_tensors="pt",
                )
                parts.append(reference.model(**{name: batch[name] for name in reference.input_names}).logits.numpy())
        return np.concatenate(parts)

    return score


def transformers_pipeline(model_dir: Path) -> Way:
    """transformers' own pipeline: PyTorch fp32, 32 rows a batch padded to its longest, in file order."""
    from transformers import pipeline

    reference = Reference(ModelFolder.open(model_dir))
    run = pipeline(
        "text-classification", model=reference.model, tokenizer=reference.tokenizer, device="cpu", batch_size=ROWS
    )
    labels = reference.model.config.id2label

    def score(texts: Sequence[str]) -> Logits:
        rows = run(list(texts), top_k=None, function_to_apply="none", truncation=True, max_length=NOTEBOOK_LENGTH)
        by_name = [{entry["label"]: entry["score"] for entry in row} for row in rows]
        return np.array([[row[labels[number]] for number in range(len(labels))] for row in by_name], np.float32)

    return score


def pytorch_equal_lengths(model_dir: Path, bundle: Path, dtype: torch.dtype) -> Way:
    """PyTorch eager in the dtype given, on bertline's own batches: what batching alone is worth."""
    model: Any = Reference(ModelFolder.open(model_dir)).model.to(dtype)

    def run(ids: NDArray[np.int64]) -> Logits:
        tensor = torch.from_numpy(ids)
        logits: Logits = model(input_ids=tensor, attention_mask=torch.ones_like(tensor)).logits.float().numpy()
        return logits

    def score(texts: Sequence[str]) -> Logits:
        with torch.inference_mode():
            return in_equal_lengths(bundle, texts, run)

    return score
