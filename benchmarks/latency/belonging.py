"""Whether a bundle was exported from a model folder: what is compared has to be the same model."""

import json
from pathlib import Path

import numpy as np

from benchmarks.comparison import SAME_ANSWERS
from bertline.errors import BertlineError
from export.reference import Reference
from infer.encode import Encoded
from infer.scorer import Scorer

_SEED = 42


def require_own_model(bundle: Path, reference: Reference, model_dir: Path, threads: int) -> None:
    """BertlineError where the bundle's fp32 answers otherwise than PyTorch does; `reference` is `model_dir`'s."""
    stranger = BertlineError(
        f"{bundle}: does not answer as {model_dir} does; give --model the folder that it was exported from"
    )
    config = json.loads((bundle / "config.json").read_text(encoding="utf-8"))
    vocabulary = reference.model.config.vocab_size
    if config.get("vocab_size") != vocabulary:  # ids of the one may be none of the other
        raise stranger
    scorer = Scorer.open(bundle, device="cpu", variant="fp32", threads=threads)
    length = min(8, scorer.bundle.manifest.positions)
    rows = np.random.default_rng(_SEED).integers(5, vocabulary, (2, length)).tolist()
    types = [[0] * length] * len(rows)
    own = scorer.run_tokens(Encoded.from_rows(rows, types, np.zeros(len(rows), bool)))
    expected = reference.run(rows, types)
    if own.shape != expected.shape or not np.allclose(own, expected, atol=SAME_ANSWERS):
        raise stranger
