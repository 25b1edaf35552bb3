"""How two ways to run a model compare over rows of text, and what a variant may lose."""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bertline.bundle import Gate
from bertline.evaluation.moments import Moments
from bertline.metrics import METRIC_NAMES
from bertline.problems import REGRESSION, Problem
from infer.cpus import cpu_name
from infer.encode import Encoded
from infer.quality import NumberQuality, SeveralQuality, SingleQuality, quality_of
from infer.scorer import Scorer
from infer.variants import BF16, CUDA_FP16
from infer.versions import runtime_versions

FP32_TOLERANCE = 1e-4  # max |Δlogit|
CUDA_FP16_TOLERANCE = 5e-3  # max |Δlogit|


@dataclass(frozen=True)
class Limits:
    """What a variant may differ by from PyTorch fp32."""

    max_flips: float = 0.0  # share of the rows, 0…1
    max_mcc_drop: float = 0.0  # of the MCC, or of what a problem of another kind goes by: micro F1, Pearson
    # Of numbers, 1 - concordance: it needs no labels, and sees an offset or a scale, as Pearson does not.
    max_discordance: float = 0.0
    max_abs_logit: float = math.inf
    max_batch_variance: float = math.inf  # max |Δlogit| of a row, alone and in any batch


FP32_DISCORDANCE = 1e-4  # of numbers so small that FP32_TOLERANCE would say nothing
# Where none flips, no metric of labels drops; and a correlation moves with any rounding.
FP32_LIMITS = Limits(max_mcc_drop=math.inf, max_abs_logit=FP32_TOLERANCE, max_discordance=FP32_DISCORDANCE)
INVARIANT_WITHIN = 1e-5  # max |Δlogit| of one row, alone and in any batch
MAX_MCC_DROP = 0.01
_MAX_FLIPS = {"int8": 0.01, CUDA_FP16: 0.002}
_MOVING = ("int8", BF16, CUDA_FP16)  # whose rounding may depend on the batch: measured and stated, not limited


def limits_of(variant: str, max_flips: float | None = None, max_mcc_drop: float = MAX_MCC_DROP) -> Limits:
    """What a way to run may lose. fp32 may flip nothing, and move logits by 1e-4.

    max_flips: share of the rows; None: 0.01 for int8, 0.002 for cuda-fp16, 0.005 for others. max_mcc_drop: also of
    what numbers may lack to a concordance of 1.
    """
    variance = math.inf if variant in _MOVING else INVARIANT_WITHIN
    if variant == "fp32":
        return replace(FP32_LIMITS, max_batch_variance=variance)
    flips = _MAX_FLIPS.get(variant, 0.005) if max_flips is None else max_flips
    return Limits(flips, max_mcc_drop, max_discordance=max_mcc_drop, max_batch_variance=variance)


@dataclass
class Parity:
    """A running comparison of logits with those of a reference over rows of text."""

    problem: Problem
    against: str = "PyTorch"  # the reference, in words
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
    quality: SingleQuality | SeveralQuality | NumberQuality = field(init=False)  # on labelled rows
    _agreement: Moments = field(default_factory=Moments)  # of numbers with the reference's, where both are finite

    def __post_init__(self) -> None:
        self.quality = quality_of(self.problem)

    def add(
        self,
        names: Sequence[str],
        own: NDArray[np.float32],
        reference: NDArray[np.float32],
        labels: Sequence[Any] = (),
    ) -> None:
        """Compare logits (rows, labels); `names` say what a row is called, `labels` what is true, where it is known."""
        distance = np.abs(own - reference)
        distance = np.where(np.isnan(distance), np.inf, distance)
        worst = int(distance.max(axis=1).argmax())
        if float(distance.max()) > self.max_abs_logit or not self.worst:
            self.max_abs_logit, self.worst = float(distance.max()), names[worst]
        self._sum_abs += float(distance.sum())
        self.rows += len(own)
        flipped = np.flatnonzero(self.problem.flipped(own, reference))
        if flipped.size and not self.flips:
            self.first_flip = names[int(flipped[0])]
        self.flips += len(flipped)
        if labels:
            self.quality.add(labels, own, reference)
        self.add_agreement(own, reference)

    def add_agreement(self, own: NDArray[np.float32], reference: NDArray[np.float32]) -> None:
        """Count logits (rows, labels) for the concordance alone; those of labels have none.

        A difference is large or small against the spread of a model's numbers, which few or like rows do not show and
        goldens do.
        """
        if self.problem.type == REGRESSION:
            known = np.isfinite(own[:, 0]) & np.isfinite(reference[:, 0])
            self._agreement.add(reference[known, 0].astype(np.float64), own[known, 0].astype(np.float64))

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
    def quality_drop(self) -> float:
        """By how much the quality is below PyTorch's; 0 where the rows have no labels, or PyTorch's is undefined.

        Where only the variant's is undefined, its numbers are all alike, say, it has lost all that there was.
        """
        own, reference = self.quality.own, self.quality.reference
        return 0.0 if reference is None else reference - (own or 0.0)

    @property
    def concordance(self) -> float | None:
        """Lin's, of numbers with the reference's; None of labels, and of fewer than two rows."""
        return self._agreement.concordance

    def faults(self, limits: Limits) -> list[str]:
        """What goes beyond the limits, each with its figures."""
        faults = []
        if self.token_mismatches:
            faults.append(f"{self.token_mismatches} rows get other token ids (first: {self.first_mismatch})")
        if self.flips > limits.max_flips * self.rows:
            allowed = f", allowed {limits.max_flips:.1%} of the rows" if limits.max_flips else ""
            faults.append(f"{self.flips} labels flip{allowed} (first: {self.first_flip})")
        if math.isinf(self.max_abs_logit):
            faults.append(f"a logit is no number (worst: {self.worst})")
        elif self.max_abs_logit > limits.max_abs_logit:
            faults.append(
                f"max |Δlogit| {self.max_abs_logit:.2e}, allowed {limits.max_abs_logit:.0e} (worst: {self.worst})"
            )
        if self.concordance is not None and 1 - self.concordance > limits.max_discordance:
            faults.append(
                f"1 - concordance with {self.against} is {1 - self.concordance:.1e}, allowed "
                f"{limits.max_discordance:g} (worst: {self.worst})"
            )
        if self.quality_drop > limits.max_mcc_drop:
            faults.append(
                f"{METRIC_NAMES[self.quality.metric]} drops by {self.quality_drop:.4f}, allowed {limits.max_mcc_drop:g}"
            )
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
        ]
        if self.problem.type != REGRESSION:
            parts.append(f"{self.flips} flips")
        elif self.concordance is not None:
            parts.append(f"concordance {self.concordance:.4f}")
        own, reference = self.quality.own, self.quality.reference
        if own is not None and reference is not None:
            parts.append(f"{METRIC_NAMES[self.quality.metric]} {own:.4f} ({self.against} {reference:.4f})")
        parts += [f"{self.rows / self._seconds:,.0f} rows/s"] if self._seconds else []
        return ", ".join(parts)

    @property
    def mean_abs_logit(self) -> float:
        """Over all rows and labels."""
        return self._sum_abs / max(1, self.rows * len(self.problem.labels))

    def gate(self, scorer: Scorer, limits: Limits) -> Gate:
        """The comparison as the manifest records it."""
        gate = self.gate_on(scorer.device, scorer.provider, scorer.choice.precision, limits)
        return gate if scorer.device == "cpu" else replace(gate, gpu=scorer.device_name)

    def gate_on(self, device: str, provider: str, precision: str, limits: Limits) -> Gate:
        """The comparison as the manifest records it, of what no scorer ran."""
        quality, single = self.quality, isinstance(self.quality, SingleQuality)
        return Gate(
            device=device,
            provider=provider,
            precision=precision,
            rows=self.rows,
            max_abs_logit=self.max_abs_logit,
            mean_abs_logit=self.mean_abs_logit,
            flips=self.flips,
            mcc=quality.own if single else None,
            mcc_reference=quality.reference if single else None,
            passed=not self.faults(limits),
            cpu=cpu_name(),
            versions=runtime_versions(),
            mcc_difference=quality.difference_interval if isinstance(quality, SingleQuality) else None,
            batch_variance=self.batch_variance,
            rows_per_second=self.rows / self._seconds if self._seconds else None,
            metric=None if single else quality.metric,
            quality=None if single else quality.own,
            quality_reference=None if single else quality.reference,
            concordance=self.concordance,
        )
