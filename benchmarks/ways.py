"""The ways a person would score a file of sentences, each behind one call: texts in, logits out."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from bertline.model_folder import ModelFolder
from export.graph import export_graph
from export.reference import Reference
from infer.batching import plan_batches
from infer.encode import Encoder
from infer.scorer import BATCH_TOKENS
from infer.session import OnnxSession

Logits = NDArray[np.float32]
NOTEBOOK_LENGTH, ROWS = 64, 32  # the notebook's padding in tokens, and everybody's rows in a batch


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
            return _in_equal_lengths(bundle, texts, run)

    return score


def export_plain(model_dir: Path, file: Path) -> None:
    """Write the graph as it leaves the exporter."""
    reference = Reference(ModelFolder.open(model_dir))
    export_graph(reference.model, reference.input_names, file)


def plain_onnx(file: Path, bundle: Path, threads: int) -> Way:
    """ONNX Runtime on the graph of `export_plain`, CPU provider, fp32, on bertline's own batches."""
    session = OnnxSession(file, "cpu", threads)

    def run(ids: NDArray[np.int64]) -> Logits:
        arrays = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        return session.run({name: arrays[name] for name in session.inputs})

    return lambda texts: _in_equal_lengths(bundle, texts, run)


def _in_equal_lengths(bundle: Path, texts: Sequence[str], run: Callable[[NDArray[np.int64]], Logits]) -> Logits:
    encoder = Encoder(bundle / "tokenizer.json", NOTEBOOK_LENGTH)
    encoded = encoder.encode(texts)
    parts = [
        (batch, run(encoded.padded(batch, 0)["input_ids"])) for batch in plan_batches(encoded.lengths, BATCH_TOKENS)
    ]
    logits = np.empty((len(texts), parts[0][1].shape[1]), np.float32)
    for batch, values in parts:
        logits[batch] = values
    return logits
