"""Labelled rows with logits, lengths and texts, made at random, and how to feed them."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bertline.evaluation import AnyEvaluation, Evaluation, evaluation_of
from bertline.evaluation.mistakes import Text
from bertline.problems import MultiLabel, Problem, Regression, SingleLabel


@dataclass(frozen=True)
class Rows:
    """Rows as an evaluation's `add` takes them."""

    problem: Problem
    true: NDArray[Any]
    logits: NDArray[np.float32]
    tokens: NDArray[np.int64]
    texts: Sequence[Text]

    def feed(self, evaluation: AnyEvaluation, start: int, stop: int) -> None:
        """Add some of the rows, which come from lines of a.tsv."""
        evaluation.add(
            self.true[start:stop],
            self.logits[start:stop],
            self.tokens[start:stop],
            self.texts[start:stop],
            lambda row: ("a.tsv", start + row + 2),
        )

    def part(self, start: int, stop: int) -> AnyEvaluation:
        """Some of the rows, evaluated by themselves."""
        evaluation = evaluation_of(self.problem)
        self.feed(evaluation, start, stop)
        evaluation.finish()
        return evaluation

    @classmethod
    def several(cls, rows: int, labels: int = 4, seed: int = 0) -> "Rows":
        """Any number of labels a row, given rightly more often than not."""
        generator = np.random.default_rng(seed)
        true = generator.random((rows, labels)) < np.linspace(0.1, 0.6, labels)
        logits = (generator.normal(0, 1.5, (rows, labels)) + 2.0 * true - 1).astype(np.float32)
        names = tuple(f"label {n}" for n in range(labels))
        return cls(MultiLabel(names), true, logits, *_tokens_and_texts(rows, generator))

    @classmethod
    def numbers(cls, rows: int, seed: int = 0) -> "Rows":
        """Numbers 0…5 in steps of a fifth, and predictions near them."""
        generator = np.random.default_rng(seed)
        true = generator.integers(0, 26, rows) / 5
        logits = (0.7 * true + generator.normal(0, 1, rows)).astype(np.float32)[:, None]
        return cls(Regression(("score",)), true, logits, *_tokens_and_texts(rows, generator))

    @classmethod
    def single(cls, rows: int, labels: int = 2, seed: int = 0) -> "Rows":
        """As `Stream.drawn`."""
        stream = Stream.drawn(rows, labels, seed)
        return cls(SingleLabel(stream.labels), stream.true, stream.logits, stream.tokens, stream.texts)


def _tokens_and_texts(rows: int, generator: np.random.Generator) -> tuple[NDArray[np.int64], list[str]]:
    return generator.integers(3, 65, rows), [f"text {number}" for number in range(rows)]


@dataclass(frozen=True)
class Stream:
    """Rows as `Evaluation.add` takes them."""

    labels: tuple[str, ...]
    true: NDArray[np.int64]
    logits: NDArray[np.float32]
    tokens: NDArray[np.int64]
    texts: Sequence[Text]

    @classmethod
    def drawn(cls, rows: int, labels: int = 2, seed: int = 0, pairs: bool = False) -> "Stream":
        """Answers that are right more often than not; a third of the texts repeat others, with their logits."""
        generator = np.random.default_rng(seed)
        true = generator.integers(0, labels, rows)
        logits = generator.normal(0, 2, (rows, labels)).astype(np.float32)
        logits[np.arange(rows), true] += 1.5
        text_of_row = np.where(
            generator.random(rows) < 1 / 3, generator.integers(0, max(rows, 1), rows), np.arange(rows)
        )
        texts: list[Any] = [(f"text {n}", f"second {n}") if pairs else f"text {n}" for n in text_of_row.tolist()]
        tokens = generator.integers(3, 65, rows)
        names = tuple(f"label {n}" for n in range(labels))
        return cls(names, true, logits[text_of_row], tokens[text_of_row], texts)

    @property
    def predicted(self) -> NDArray[np.int64]:
        return self.logits.argmax(axis=1)

    def feed(self, evaluation: Evaluation, start: int, stop: int) -> None:
        """Add some of the rows, which come from lines of a.tsv."""
        evaluation.add(
            self.true[start:stop],
            self.logits[start:stop],
            self.tokens[start:stop],
            self.texts[start:stop],
            lambda row: ("a.tsv", start + row + 2),
        )

    def evaluated(self) -> Evaluation:
        """All rows at once."""
        evaluation = Evaluation(self.labels)
        self.feed(evaluation, 0, len(self.true))
        evaluation.finish()
        return evaluation
