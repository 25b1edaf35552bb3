"""Which products int8 may compute is chosen by what each choice is expected to cost on rows like those that choose."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bertline.evaluation.moments import concordance
from bertline.problems import MultiLabel, Problem, Regression
from export.products import Product, Products
from infer.parity import Limits

Logits = NDArray[np.float32]
# Of what the gate allows. Of rows that a model was trained on, fewer flip than of others: on CoLA two thirds as many.
MARGIN = 0.5
_NEIGHBOURS = 50  # rows that are about as near to flipping


@dataclass(frozen=True)
class Candidate:
    """A choice of products that stay in fp32, and what it did to the rows that choose."""

    fp32_share: float  # of the encoder's multiply-adds, 0…1
    fp32_products: tuple[str, ...]  # names of nodes
    rows: int
    flips: int
    expected_flips: float  # share of the rows, 0…1; what the choice is made by where there are labels
    concordance: float | None  # with fp32's numbers; what it is made by where the model predicts numbers
    max_abs_logit: float
    mean_abs_logit: float
    held: bool  # the limit, with its margin


def measured(
    problem: Problem,
    left_out: tuple[Product, ...],
    products: Products,
    logits: Logits,
    reference: Logits,
    limits: Limits,
) -> Candidate:
    """The candidate that leaves those products in fp32, by its logits and those of fp32, both (rows, labels)."""
    distance = np.abs(logits - reference)
    flips = expected_flips(problem, logits, reference)
    agreement, lost, allowed = None, flips, limits.max_flips
    if isinstance(problem, Regression):  # what the gate goes by as well; of one row, and of what is no number, none
        agreement = concordance(reference[:, 0], logits[:, 0]) or 0.0
        lost, allowed = 1 - agreement, limits.max_discordance
    return Candidate(
        fp32_share=_cost(left_out) / max(1, _cost(products.linear)),
        fp32_products=tuple(product.node for product in left_out),
        rows=len(logits),
        flips=int(problem.flipped(logits, reference).sum()),
        expected_flips=flips,
        concordance=agreement,
        max_abs_logit=float(distance.max()),
        mean_abs_logit=float(distance.mean()),
        held=lost <= MARGIN * allowed,
    )


def expected_flips(problem: Problem, logits: Logits, reference: Logits) -> float:
    """Share of rows, 0…1, whose answer flips if a row's error might as well have been that of a row as near to it.

    Both are (rows, labels). It has the mean of a count of flips and less of its noise: a count of 10 is give or take
    3, too coarse to choose by. Among all rows errors could not be exchanged: clear cases move less.
    """
    if isinstance(problem, Regression):
        return 0.0
    if isinstance(problem, MultiLabel):  # a label each: which of them is near to its border differs from row to row
        parts = [(logits[:, [label]], reference[:, [label]]) for label in range(len(problem.labels))]
        stays = [1 - _chances(problem, own, fp32, np.abs(fp32[:, 0])) for own, fp32 in parts]
        return float(np.mean(1 - np.prod(stays, axis=0)))
    best = np.partition(reference, -2, axis=1)
    return float(np.mean(_chances(problem, logits, reference, best[:, -1] - best[:, -2])))


def _chances(problem: Problem, logits: Logits, reference: Logits, margins: Logits) -> NDArray[np.float64]:
    """(rows,) the chance, 0…1, that a row flips with an error of the rows whose margin (rows,), in logits, is near."""
    order = np.argsort(margins)
    sorted_reference, errors = reference[order], (logits - reference)[order]
    window = min(_NEIGHBOURS, len(order))
    first = np.clip(np.arange(len(order)) - window // 2, 0, len(order) - window)
    flips = [problem.flipped(sorted_reference + errors[first + number], sorted_reference) for number in range(window)]
    chances = np.empty(len(order))
    chances[order] = np.mean(flips, axis=0)
    return chances


def described(candidate: Candidate, products: Products) -> str:
    """One line for the screen."""
    kept = len(candidate.fp32_products)
    cost = (
        f"{candidate.flips} flips, expected {candidate.expected_flips:.2%}"
        if candidate.concordance is None
        else f"concordance with fp32 {candidate.concordance:.4f}"
    )
    return (
        f"{len(products.linear) - kept} of {len(products.linear)} products, {candidate.fp32_share:.0%} of the work in "
        f"fp32: {candidate.rows:,} rows, max |Δlogit| {candidate.max_abs_logit:.1e}, mean "
        f"{candidate.mean_abs_logit:.1e}, {cost}{'' if candidate.held else '; not enough'}"
    )


def _cost(products: Sequence[Product]) -> int:
    """Multiply-adds a token; those of the first token alone count for nothing."""
    return sum(product.size for product in products if not product.first_row_only)
