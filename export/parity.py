"""Proof that a graph answers as PyTorch does: on a grid of shapes, on goldens, on the user's own rows."""

import math
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bertline.bundle import Gate
from bertline.errors import BertlineError, VerificationError
from bertline.metrics import Evaluation, mcc_difference_interval
from bertline.tsv import TableSpec
from export.reference import Reference
from infer.cpus import cpu_name
from infer.encode import Encoded
from infer.golden import Golden
from infer.rows import Rows
from infer.scorer import WINDOW_ROWS, Scorer
from infer.versions import runtime_versions

FP32_TOLERANCE = 1e-4  # max |Δlogit|


@dataclass(frozen=True)
class Limits:
    """What a variant may differ by from PyTorch fp32."""

    max_flips: float = 0.0  # share of the rows, 0…1
    max_mcc_drop: float = 0.0
    max_abs_logit: float = math.inf
    max_batch_variance: float = math.inf  # max |Δlogit| of a row, alone and in any batch


FP32_LIMITS = Limits(max_abs_logit=FP32_TOLERANCE)
_SEED = 42
_SHOWN_CHARACTERS = 80  # of a text, in an error


@dataclass
class Parity:
    """A running comparison of logits with PyTorch's over rows of text."""

    labels: tuple[str, ...]
    rows: int = 0
    max_abs_logit: float = 0.0
    worst: str = ""  # where the largest difference is
    flips: int = 0
    first_flip: str = ""
    token_mismatches: int = 0
    first_mismatch: str = ""
    batch_variance: float | None = None  # as infer.selfcheck measures it
    _sum_abs: float = 0.0
    _seconds: float = 0.0  # that the session took for `rows`
    _by_labels: Counter[tuple[int, int, int]] = field(default_factory=Counter)  # true, own, reference label ids
    _own: Evaluation = field(init=False)
    _reference: Evaluation = field(init=False)

    def __post_init__(self) -> None:
        self._own, self._reference = Evaluation(self.labels), Evaluation(self.labels)

    def add(
        self,
        names: Sequence[str],
        own: NDArray[np.float32],
        reference: NDArray[np.float32],
        labels: Sequence[int] = (),
    ) -> None:
        """Compare logits (rows, labels); `names` say what a row is called, `labels` are ids where there are any."""
        distance = np.abs(own - reference)
        distance = np.where(np.isnan(distance), np.inf, distance)
        worst = int(distance.max(axis=1).argmax())
        if float(distance.max()) > self.max_abs_logit or not self.worst:
            self.max_abs_logit, self.worst = float(distance.max()), names[worst]
        self._sum_abs += float(distance.sum())
        self.rows += len(own)
        predicted, expected = own.argmax(axis=1), reference.argmax(axis=1)
        flipped = np.flatnonzero(predicted != expected)
        if flipped.size and not self.flips:
            self.first_flip = names[int(flipped[0])]
        self.flips += len(flipped)
        if labels:
            true = np.array(labels, np.int64)
            self._own.add(true, predicted)
            self._reference.add(true, expected)
            self._by_labels.update(zip(labels, predicted.tolist(), expected.tolist(), strict=True))

    def add_tokens(self, names: Sequence[str], own: Encoded, expected: Encoded) -> None:
        """Compare token ids and token types, row by row."""
        own_rows = zip(own.input_ids, own.token_type_ids, strict=True)
        expected_rows = zip(expected.input_ids, expected.token_type_ids, strict=True)
        differing = [name for name, a, b in zip(names, own_rows, expected_rows, strict=True) if a != b]
        if differing and not self.token_mismatches:
            self.first_mismatch = differing[0]
        self.token_mismatches += len(differing)

    def add_seconds(self, seconds: float) -> None:
        """Time that the session took for rows given to `add`."""
        self._seconds += seconds

    @property
    def mcc_drop(self) -> float:
        """MCC of PyTorch minus that of the variant; 0 where the rows have no labels."""
        return self._reference.mcc - self._own.mcc

    def faults(self, limits: Limits) -> list[str]:
        """What goes beyond the limits, each with its figures."""
        faults = []
        if self.token_mismatches:
            faults.append(f"{self.token_mismatches} rows get other token ids (first: {self.first_mismatch})")
        if self.flips > limits.max_flips * self.rows:
            allowed = f", allowed {limits.max_flips:.1%} of the rows" if limits.max_flips else ""
            faults.append(f"{self.flips} labels flip{allowed} (first: {self.first_flip})")
        if self.max_abs_logit > limits.max_abs_logit:
            faults.append(
                f"max |Δlogit| {self.max_abs_logit:.2e}, allowed {limits.max_abs_logit:.0e} (worst: {self.worst})"
            )
        if self.mcc_drop > limits.max_mcc_drop:
            faults.append(f"MCC drops by {self.mcc_drop:.4f}, allowed {limits.max_mcc_drop:g}")
        if (self.batch_variance or 0.0) > limits.max_batch_variance:
            faults.append(
                f"a row's logits move by {self.batch_variance:.1e} with the batch, allowed "
                f"{limits.max_batch_variance:.0e}"
            )
        return faults

    def figures(self) -> str:
        """One line for the screen."""
        parts = [
            f"{self.rows:,} rows",
            f"max |Δlogit| {self.max_abs_logit:.1e}",
            f"mean {self.mean_abs_logit:.1e}",
            f"{self.flips} flips",
        ]
        parts += [f"MCC {self._own.mcc:.4f} (PyTorch {self._reference.mcc:.4f})"] if self._own.rows else []
        parts += [f"{self.rows / self._seconds:,.0f} rows/s"] if self._seconds else []
        return ", ".join(parts)

    @property
    def mean_abs_logit(self) -> float:
        """Over all rows and labels."""
        return self._sum_abs / max(1, self.rows * len(self.labels))

    def gate(self, scorer: Scorer, limits: Limits) -> Gate:
        """The comparison as the manifest records it."""
        labelled = self._own.rows > 0
        return Gate(
            device=scorer.session.device,
            provider=scorer.session.provider,
            precision=scorer.choice.precision,
            rows=self.rows,
            max_abs_logit=self.max_abs_logit,
            mean_abs_logit=self.mean_abs_logit,
            flips=self.flips,
            mcc=self._own.mcc if labelled else None,
            mcc_reference=self._reference.mcc if labelled else None,
            passed=not self.faults(limits),
            cpu=cpu_name(),
            versions=runtime_versions(),
            mcc_difference=mcc_difference_interval(self._by_labels, len(self.labels)) if labelled else None,
            batch_variance=self.batch_variance,
            rows_per_second=self.rows / self._seconds if self._seconds else None,
        )


def check_grid(reference: Reference, scorer: Scorer, tolerance: float) -> float:
    """Random token ids over a grid of batch × sequence, full and ragged; returns max |Δlogit|.

    Raises VerificationError naming a shape that does not run, or the worst where one differs by over `tolerance`.
    """
    distances = {}
    for shape, rows in _grid(reference, scorer.bundle.manifest.max_length):
        types = [[0] * len(row) for row in rows]
        try:
            own = scorer.session.run(scorer.feeds(rows, types))
        except BertlineError as error:
            raise VerificationError(f"parity: batch × sequence {shape}: {error}; no bundle was written") from None
        distance = float(np.abs(own - reference.run(rows, types)).max())
        distances[shape] = math.inf if math.isnan(distance) else distance
    worst = max(distances, key=distances.__getitem__)
    if distances[worst] > tolerance:
        raise VerificationError(
            f"parity: batch × sequence {worst}: max |Δlogit| {distances[worst]:.2e} against PyTorch, "
            f"allowed {tolerance:.0e}; no bundle was written"
        )
    return distances[worst]


def compare_goldens(goldens: Sequence[Golden], scorer: Scorer) -> Parity:
    """Stored logits of the scorer's variant against PyTorch's, and the tokenizer's ids against the stored ones."""
    parity = Parity(scorer.labels)
    own = np.array([golden.logits[scorer.variant] for golden in goldens], np.float32)
    expected = np.array([golden.logits["pytorch"] for golden in goldens], np.float32)
    names = [f"golden {repr(golden.row)[:_SHOWN_CHARACTERS]}" for golden in goldens]
    parity.add(names, own, expected)
    stored = [list(golden.input_ids) for golden in goldens]
    types = [list(golden.token_type_ids) for golden in goldens]
    hugging_face = Encoded.from_rows(stored, types, np.zeros(len(stored), bool))
    parity.add_tokens(names, scorer.encoder.encode([golden.row for golden in goldens]), hugging_face)
    return parity


def compare_rows(files: Sequence[Path], spec: TableSpec, reference: Reference, scorer: Scorer) -> Parity:
    """Rows of tables through both tokenizers and both models."""
    parity = Parity(scorer.labels)
    max_length = scorer.bundle.manifest.max_length
    for file in files:  # one by one, so that a row is named by its own file
        rows = Rows([file], spec, scorer.bundle.manifest, use_labels=True)
        for window in rows.windows(WINDOW_ROWS):
            names = [
                f"{file}, line {line}, {repr(text)[:_SHOWN_CHARACTERS]}"
                for line, text in zip(window.numbers, window.texts, strict=True)
            ]
            own, expected = scorer.encoder.encode(window.texts), reference.encode(window.texts, max_length)
            parity.add_tokens(names, own, expected)
            begin = time.perf_counter()
            logits = scorer.run_tokens(own)
            parity.add_seconds(time.perf_counter() - begin)
            parity.add(names, logits, reference.logits(expected), window.labels)
    return parity


def require(parity: Parity, limits: Limits) -> None:
    """VerificationError with the figures and the worst row, where a limit is exceeded."""
    faults = parity.faults(limits)
    if faults:
        raise VerificationError(f"parity over {parity.rows:,} rows: {'; '.join(faults)}; no bundle was written")


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
