"""Proof that a graph answers as PyTorch does: on a grid of shapes, on goldens, on the user's own rows."""

import math
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np

from bertline.bundle import Manifest
from bertline.errors import BertlineError, VerificationError
from bertline.problems import REGRESSION
from bertline.tsv import TableSpec
from export.golden import SHOWN_CHARACTERS, golden_name, make_goldens, pytorch_logits
from export.reference import Reference
from infer.encode import Encoded
from infer.golden import Golden, encoded_goldens, stored_logits
from infer.parity import FP32_TOLERANCE, Limits, Parity
from infer.rows import Rows
from infer.scorer import WINDOW_ROWS, Scorer
from infer.selfcheck import batch_variance

_SEED = 42
_LARGE = 10  # of which float32 rounds to 1e-6, and a model's sums to some 1e-5


def check_grid(reference: Reference, scorer: Scorer, tolerance: float) -> float:
    """Random token ids over a grid of batch × sequence, full and ragged; returns max |Δlogit|.

    Raises VerificationError naming a shape that does not run, or the worst where one differs by over `tolerance`.
    """
    distances, largest = {}, 0.0
    for shape, rows in _grid(reference, scorer.bundle.manifest.max_length):
        types = [[0] * len(row) for row in rows]
        encoded = Encoded.from_rows(rows, types, np.zeros(len(rows), bool))
        try:
            own = scorer.runner.run_batch(encoded, np.arange(len(rows)))
        except BertlineError as error:
            raise VerificationError(f"parity: batch × sequence {shape}: {error}; no bundle was written") from None
        expected = reference.run(rows, types)
        largest = max(largest, float(np.abs(expected).max()))
        distance = float(np.abs(own - expected).max())
        distances[shape] = math.inf if math.isnan(distance) else distance
    worst = max(distances, key=distances.__getitem__)
    if distances[worst] > tolerance:
        raise VerificationError(
            f"parity: batch × sequence {worst}: max |Δlogit| {distances[worst]:.2e} against PyTorch, "
            f"allowed {tolerance:.0e}; {_unit(scorer.bundle.manifest, largest)}no bundle was written"
        )
    return distances[worst]


def proven_goldens(reference: Reference, scorer: Scorer) -> tuple[list[Golden], float]:
    """The goldens with the scorer's logits, and max |Δlogit| between each alone and in a padded batch.

    Raises VerificationError where one does not run, or padding changes its answer: there, what a row scores would
    depend on the rows beside it, and no proof of single rows would hold for a file.
    """
    try:
        goldens = make_goldens(reference, scorer)
        variance = batch_variance(scorer, goldens)
    except BertlineError as error:
        raise VerificationError(f"parity: goldens: {error}; no bundle was written") from None
    if not variance <= FP32_TOLERANCE:  # a NaN is not, either
        raise VerificationError(
            f"parity: goldens: alone and in a padded batch max |Δlogit| {variance:.2e}, allowed {FP32_TOLERANCE:.0e}: "
            "its model looks at padding in spite of attention_mask, and would score a row by the rows beside it; "
            "no bundle was written"
        )
    return goldens, variance


def compare_goldens(goldens: Sequence[Golden], scorer: Scorer) -> Parity:
    """Stored logits of the scorer's variant against PyTorch's, and the tokenizer's ids against the stored ones."""
    parity = Parity(scorer.bundle.manifest.problem)
    names = [golden_name(golden) for golden in goldens]
    parity.add(names, stored_logits(goldens, scorer.variant), pytorch_logits(goldens))
    parity.add_tokens(names, scorer.encoder.encode([golden.row for golden in goldens]), encoded_goldens(goldens))
    return parity


def compare_rows(
    files: Sequence[Path], spec: TableSpec, reference: Reference, scorer: Scorer, goldens: Sequence[Golden]
) -> Parity:
    """Rows of tables through both tokenizers and both models; the goldens show the spread of a model's numbers."""
    parity = Parity(scorer.bundle.manifest.problem)
    parity.add_agreement(stored_logits(goldens, scorer.variant), pytorch_logits(goldens))
    max_length = scorer.bundle.manifest.max_length
    for file in files:  # one by one, so that a row is named by its own file
        rows = Rows([file], spec, scorer.bundle.manifest, use_labels=True)
        for window in rows.windows(WINDOW_ROWS):
            names = [
                f"{file}, line {line}, {repr(text)[:SHOWN_CHARACTERS]}"
                for line, text in zip(window.numbers, window.texts, strict=True)
            ]
            own, expected = scorer.encoder.encode(window.texts), reference.encode(window.texts, max_length)
            parity.add_tokens(names, own, expected)
            begin = time.perf_counter()
            logits = scorer.run_tokens(own)
            parity.add_seconds(time.perf_counter() - begin)
            parity.add(names, logits, reference.logits(expected), window.labels)
    return parity


def require(parity: Parity, limits: Limits, why_other_ids: str | None = None) -> None:
    """VerificationError with the figures and the worst row, where a limit is exceeded.

    why_other_ids: what explains token ids that differ, where something does.
    """
    faults = parity.faults(limits)
    faults += [why_other_ids] if parity.token_mismatches and why_other_ids else []
    if faults:
        raise VerificationError(f"parity over {parity.rows:,} rows: {'; '.join(faults)}; no bundle was written")


def _unit(manifest: Manifest, largest: float) -> str:
    """The remedy where float32 cannot be as near as the limits want, since numbers are large in their unit."""
    if manifest.problem_type != REGRESSION or not _LARGE < largest < math.inf:
        return ""
    return f"its numbers reach {largest:,.0f}: train on the label column in a unit that keeps them below {_LARGE}; "


def _grid(reference: Reference, max_length: int) -> Iterator[tuple[str, list[list[int]]]]:
    """Shapes that exporters are known to bake in, and ragged batches, as rows of token ids."""
    tokenizer, generator = reference.tokenizer, np.random.default_rng(_SEED)
    special = set(tokenizer.all_special_ids)
    words = np.array([token for token in range(len(tokenizer)) if token not in special])

    def row(length: int) -> list[int]:
        inner = generator.choice(words, max(0, length - 2)).tolist()
        return [tokenizer.cls_token_id, *inner, tokenizer.sep_token_id]

    for batch, sequence in ((1, 2), (1, max_length), (2, 3), (3, 7), (17, max_length), (64, 13)):
        yield f"{batch}×{sequence}", [row(min(sequence, max_length)) for _ in range(batch)]
    for batch in (2, 33):
        lengths = generator.integers(2, max_length + 1, batch)
        yield f"ragged {batch}×{lengths.max()}", [row(int(length)) for length in lengths]
