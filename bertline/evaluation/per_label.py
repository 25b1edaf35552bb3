"""Precision, recall and F1 of each label, from counts."""

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bertline.metrics import Counts


@dataclass(frozen=True)
class LabelFigures:
    """How well one label is found; a share of nothing is 0, as with scikit-learn's zero_division=0."""

    label: str
    precision: float  # share of the rows given it that have it
    recall: float  # share of the rows that have it that are given it
    f1: float
    support: int  # rows that have it


def figures_of(labels: Sequence[str], right: Counts, given: Counts, true: Counts) -> list[LabelFigures]:
    """Of each label the counts (labels,): rows that have it and are given it, are given it, and have it."""
    precision, recall, f1 = share(right, given), share(right, true), share(2 * right, given + true)
    columns = (precision.tolist(), recall.tolist(), f1.tolist(), true.tolist())
    return [LabelFigures(*figures) for figures in zip(labels, *columns, strict=True)]


def macro_f1(figures: Sequence[LabelFigures]) -> float:
    """The mean F1 of all labels of the model, those without a row included; 0 for no labels."""
    return sum(label.f1 for label in figures) / len(figures) if figures else 0.0


def weighted_f1(figures: Sequence[LabelFigures]) -> float:
    """The mean F1, each label weighted by its support; 0 for no rows."""
    support = sum(label.support for label in figures)
    return sum(label.f1 * label.support for label in figures) / support if support else 0.0


def to_json(figures: Sequence[LabelFigures]) -> list[dict[str, Any]]:
    """`per_label` of a report."""
    return [asdict(label) for label in figures]


def share(part: Counts, whole: Counts) -> NDArray[np.float64]:
    """part / whole, element by element; 0 where the whole is."""
    shares: NDArray[np.float64] = np.divide(part, whole, out=np.zeros(np.shape(whole)), where=whole > 0)
    return shares
