"""bertline's own batches for whatever computes: what batching alone is worth."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from infer.batching import plan_batches
from infer.encode import Encoder
from infer.runners import Logits
from infer.scorer import BATCH_TOKENS

NOTEBOOK_LENGTH, ROWS = 64, 32  # the notebook's padding in tokens, and everybody's rows in a batch


def in_equal_lengths(bundle: Path, texts: Sequence[str], run: Callable[[NDArray[np.int64]], Logits]) -> Logits:
    """Logits (rows, labels) float32, in order; `run` gets token ids (batch, sequence) int64."""
    encoder = Encoder(bundle / "tokenizer.json", NOTEBOOK_LENGTH)
    encoded = encoder.encode(texts)
    parts = [
        (batch, run(encoded.padded(batch, 0)["input_ids"])) for batch in plan_batches(encoded.lengths, BATCH_TOKENS)
    ]
    logits = np.empty((len(texts), parts[0][1].shape[1]), np.float32)
    for batch, values in parts:
        logits[batch] = values
    return logits
