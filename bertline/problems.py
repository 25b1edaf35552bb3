"""What a model's outputs mean: one label of several, any number of labels, or a number."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import compress
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from bertline.labels import (
    SEPARATOR,
    UNWRITABLE,
    CellParser,
    LabelParser,
    LabelSetParser,
    NumberParser,
    can_stand_among_others,
)
from bertline.metrics import sigmoid, softmax

SINGLE_LABEL = "single_label_classification"  # the names are transformers', in config.json
MULTI_LABEL = "multi_label_classification"
REGRESSION = "regression"
PROBLEM_TYPES = (SINGLE_LABEL, MULTI_LABEL, REGRESSION)
HALF = 0.5  # the threshold where no other is asked for


class Problem(Protocol):
    """How logits (rows, labels) become answers, and label cells become what the answers are held against."""

    @property
    def type(self) -> str:
        """One of PROBLEM_TYPES."""

    @property
    def labels(self) -> tuple[str, ...]:
        """What the logits are called, by their index."""

    def parser(self) -> CellParser:
        """Of the label column."""

    def true(self, values: Sequence[Any]) -> NDArray[Any]:
        """The parser's values as an array whose shape and dtype are those of `decide`; for no rows, too."""

    def decide(self, logits: NDArray[np.floating]) -> NDArray[Any]:
        """The answer for each row of logits (rows, labels)."""

    def flipped(self, own: NDArray[np.floating], reference: NDArray[np.floating]) -> NDArray[np.bool_]:
        """(rows,) where two logits (rows, labels) lead to different answers, as labels; never, of numbers."""

    def cells(self, decided: NDArray[Any]) -> list[str]:
        """Answers as text: labels, which the parser reads back, or numbers with six digits, for people."""


@dataclass(frozen=True)
class SingleLabel:
    """One label of two or more: the largest logit, or of two labels with a threshold whether the second's is above."""

    labels: tuple[str, ...]
    threshold: float | None = None  # on the second label's probability, 0…1; None: the largest logit
    type: str = SINGLE_LABEL

    def parser(self) -> LabelParser:
        return LabelParser(self.labels)

    def true(self, values: Sequence[int]) -> NDArray[np.int64]:
        """(rows,) label ids."""
        return np.array(values, np.int64)

    def probabilities(self, logits: NDArray[np.floating]) -> NDArray[np.float64]:
        """(rows, labels), of which each row sums to 1."""
        return softmax(logits)

    def decide(self, logits: NDArray[np.floating]) -> NDArray[np.int64]:
        """(rows,) label ids."""
        if self.threshold in (None, HALF):  # at 0.5 without the rounding of a probability
            largest: NDArray[np.int64] = logits.argmax(axis=1)
            return largest
        return (self.probabilities(logits)[:, 1] > self.threshold).astype(np.int64)

    def flipped(self, own: NDArray[np.floating], reference: NDArray[np.floating]) -> NDArray[np.bool_]:
        different: NDArray[np.bool_] = self.decide(own) != self.decide(reference)
        return different

    def cells(self, decided: NDArray[np.int64]) -> list[str]:
        """The names of label ids (rows,)."""
        return [self.labels[label] for label in decided.tolist()]


@dataclass(frozen=True)
class MultiLabel:
    """Any number of labels, each by itself: those whose probability is above their threshold."""

    labels: tuple[str, ...]
    thresholds: tuple[float, ...] | None = None  # by label, 0…1; None: 0.5 for all
    type: str = MULTI_LABEL

    def parser(self) -> LabelSetParser:
        return LabelSetParser(self.labels)

    def true(self, values: Sequence[tuple[int, ...]]) -> NDArray[np.bool_]:
        """(rows, labels) whether the row has the label."""
        array = np.zeros((len(values), len(self.labels)), np.bool_)
        for row, ids in enumerate(values):
            array[row, list(ids)] = True
        return array

    def probabilities(self, logits: NDArray[np.floating]) -> NDArray[np.float64]:
        """(rows, labels), each by itself."""
        return sigmoid(logits)

    def decide(self, logits: NDArray[np.floating]) -> NDArray[np.bool_]:
        """(rows, labels) whether the label is given."""
        above_half: NDArray[np.bool_] = logits > 0  # without the rounding of a probability
        if self.thresholds is None:
            return above_half
        thresholds = np.array(self.thresholds)
        return np.where(thresholds == HALF, above_half, self.probabilities(logits) > thresholds)

    def flipped(self, own: NDArray[np.floating], reference: NDArray[np.floating]) -> NDArray[np.bool_]:
        different: NDArray[np.bool_] = (self.decide(own) != self.decide(reference)).any(axis=1)
        return different

    def cell(self, given: Iterable[bool | np.bool_]) -> str:
        """The labels of one row, (labels,) whether each is given, as a cell, which the parser reads back."""
        return SEPARATOR.join(compress(self.labels, given))

    def cells(self, decided: NDArray[np.bool_]) -> list[str]:
        """The same for (rows, labels)."""
        return [self.cell(row) for row in decided.tolist()]


@dataclass(frozen=True)
class Regression:
    """A number: the one logit itself."""

    labels: tuple[str, ...]  # one name
    type: str = REGRESSION

    def parser(self) -> NumberParser:
        return NumberParser()

    def true(self, values: Sequence[float]) -> NDArray[np.float64]:
        """(rows,) numbers."""
        return np.array(values, np.float64)

    def decide(self, logits: NDArray[np.floating]) -> NDArray[np.floating]:
        """(rows,) numbers."""
        return logits[:, 0]

    def flipped(self, own: NDArray[np.floating], reference: NDArray[np.floating]) -> NDArray[np.bool_]:
        return np.zeros(len(own), np.bool_)

    def cells(self, decided: NDArray[np.floating]) -> list[str]:
        """Of numbers (rows,)."""
        return [f"{number:g}" for number in decided.tolist()]


def problem_of(problem_type: str, labels: Sequence[str]) -> SingleLabel | MultiLabel | Regression:
    """The problem of a model with these outputs, at its own thresholds; ValueError for one that makes no sense."""
    fault = problem_fault(problem_type, labels)
    if fault:
        raise ValueError(fault)
    names = tuple(labels)
    if problem_type == SINGLE_LABEL:
        return SingleLabel(names)
    return MultiLabel(names) if problem_type == MULTI_LABEL else Regression(names)


def problem_fault(problem_type: str, labels: Sequence[str]) -> str | None:
    """What is wrong with such a problem, or None."""
    if problem_type not in PROBLEM_TYPES:
        return f"problem_type is {problem_type!r}, which is none of {', '.join(PROBLEM_TYPES)}"
    if problem_type == SINGLE_LABEL and len(labels) < 2:
        return "one label of one is no choice: give two or more, or train with --problem regression"
    if problem_type == REGRESSION and len(labels) != 1:
        return f"a regression model has one output, and this one has {len(labels)}"
    if bad := list(filter(UNWRITABLE.search, labels)):
        return f"the label {bad[0]!r} holds a tab, a line end or the like, which no table can; rename it in config.json"
    if problem_type == MULTI_LABEL and (bad := [name for name in labels if not can_stand_among_others(name)]):
        return (
            f"the label {bad[0]!r} of a multi-label model is empty, begins with [, holds a comma, or a space at an "
            "end; rename it in config.json"
        )
    return None


def problem_type_of(stated: str | None, outputs: int) -> str:
    """A model's problem type as transformers takes it: what config.json states, else by the number of outputs."""
    return stated or (REGRESSION if outputs == 1 else SINGLE_LABEL)
