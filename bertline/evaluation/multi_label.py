"""How well a model gives any number of labels, in constant memory."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bertline.evaluation.lengths import Lengths
from bertline.evaluation.mistakes import DIGITS, Mistakes, Place, Text
from bertline.evaluation.per_label import LabelFigures, figures_of, macro_f1, to_json, weighted_f1
from bertline.evaluation.scores import Scores
from bertline.metrics import NORMAL_95, Counts
from bertline.problems import HALF, MultiLabel


@dataclass
class MultiLabelEvaluation:
    """Metrics of a stream of labelled rows: feed it with `add`, in order.

    As with `Evaluation`, how the rows are cut into pieces changes nothing.
    """

    labels: tuple[str, ...]
    thresholds: tuple[float, ...] | None = None  # as of `MultiLabel`
    rows: int = field(default=0, init=False)
    right_rows: int = field(default=0, init=False)  # whose labels are all as they should be
    counts: Counts = field(init=False)  # (labels, 2, 2): of each label, has it not or has it, is not or is given it
    squares: Counts = field(init=False)  # (3,) over the rows, Σa², Σab and Σb² of a, b as in `micro_f1_interval`
    scores: list[Scores] = field(init=False)  # by label
    lengths: Lengths = field(default_factory=Lengths, init=False)  # right rows are those above
    mistakes: Mistakes = field(default_factory=Mistakes, init=False)

    def __post_init__(self) -> None:
        self.counts, self.squares = np.zeros((len(self.labels), 2, 2), np.int64), np.zeros(3, np.int64)
        self.scores = [Scores() for _ in self.labels]

    @property
    def problem(self) -> MultiLabel:
        return MultiLabel(self.labels, self.thresholds)

    def add(
        self,
        true: NDArray[np.bool_],
        logits: NDArray[np.floating],
        tokens: NDArray[np.integer],
        texts: Sequence[Text],
        place: Place = lambda row: (None, None),
    ) -> None:
        """Count rows: whether they have a label (rows, labels), logits (rows, labels), tokens (rows,) and texts.

        `place` gives file and line of the row at an index of these.
        """
        problem, first = self.problem, self.rows + 1
        given, probabilities = problem.decide(logits), problem.probabilities(logits)
        wrong = true != given
        right = ~wrong.any(axis=1)
        self.rows += len(true)
        self.right_rows += int(right.sum())
        for has, gets in ((0, 0), (0, 1), (1, 0), (1, 1)):
            self.counts[:, has, gets] += ((true == has) & (given == gets)).sum(axis=0)
        both = true.sum(axis=1, dtype=np.int64) + given.sum(axis=1)
        twice = 2 * (true & given).sum(axis=1, dtype=np.int64)
        self.squares += np.array([twice @ twice, twice @ both, both @ both])
        for label, scores in enumerate(self.scores):
            scores.add(probabilities[:, label], true[:, label], logits[:, label] > 0)
        self.lengths.add(tokens, right)
        # What was said of a label that is wrong, by its probability; of a row the surest.
        sure = np.where(wrong, np.where(given, probabilities, 1 - probabilities), np.nan)
        weights = np.where(right, np.nan, np.fmax.reduce(sure, axis=1, initial=np.nan)).round(DIGITS)
        self.mistakes.add(first, weights, lambda row: (problem.cell(true[row]), problem.cell(given[row])), texts, place)

    def finish(self) -> None:
        """Nothing is left open here, as a batch is in `Evaluation`."""

    def merge(self, later: "MultiLabelEvaluation") -> None:
        """As if the rows of `later`, an evaluation of the same problem, had been added behind."""
        self.mistakes.merge(later.mistakes, self.rows)
        self.rows += later.rows
        self.right_rows += later.right_rows
        self.counts, self.squares = self.counts + later.counts, self.squares + later.squares
        for own, other in zip(self.scores, later.scores, strict=True):
            own.merge(other)
        self.lengths.merge(later.lengths)

    def state(self) -> dict[str, Any]:
        """All that was counted, as JSON values, for `restore`."""
        return {
            "rows": self.rows,
            "right_rows": self.right_rows,
            "counts": self.counts.tolist(),
            "squares": self.squares.tolist(),
            "scores": [scores.counts.tolist() for scores in self.scores],
            "lengths": self.lengths.counts.tolist(),
            "mistakes": self.mistakes.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state`; ValueError, KeyError or TypeError where it is none of this problem."""
        self.rows, self.right_rows = int(state["rows"]), int(state["right_rows"])
        self.counts = np.array(state["counts"], np.int64).reshape(len(self.labels), 2, 2)
        self.squares = np.array(state["squares"], np.int64).reshape(3)
        self.scores = [Scores.restored(counts) for _, counts in zip(self.labels, state["scores"], strict=True)]
        self.lengths.counts = np.array(state["lengths"], np.int64)
        self.mistakes.restore(state["mistakes"])

    @property
    def micro_f1(self) -> float:
        """F1 over all labels of all rows; 0 where no row has a label or is given one."""
        twice, both = self._twice_and_both
        return twice / both if both else 0.0

    @property
    def micro_f1_interval(self) -> tuple[float, float] | None:
        """95%; None for fewer than two rows, and where the F1 is 0 by definition.

        The F1 is Σa / Σb over rows, of a twice the labels rightly given, b those given and those true: a ratio, whose
        variance follows from its linearization (Cochran 1977, section 6.4), rows being what is drawn and not labels.
        """
        twice, both = self._twice_and_both
        if self.rows < 2 or not both:
            return None
        ratio, (aa, ab, bb) = twice / both, self.squares.tolist()
        variance = max(0.0, aa - 2 * ratio * ab + ratio * ratio * bb) * self.rows / (self.rows - 1)
        reach = NORMAL_95 * math.sqrt(variance) / both
        return max(0.0, ratio - reach), min(1.0, ratio + reach)

    @property
    def _twice_and_both(self) -> tuple[int, int]:
        given, true = self.counts[:, :, 1].sum(), self.counts[:, 1].sum()
        return 2 * int(self.counts[:, 1, 1].sum()), int(given + true)

    @property
    def per_label(self) -> list[LabelFigures]:
        """Precision, recall and F1 of each label."""
        return figures_of(
            self.labels, self.counts[:, 1, 1], self.counts[:, :, 1].sum(axis=1), self.counts[:, 1].sum(axis=1)
        )

    @property
    def subset_accuracy(self) -> float:
        """Share of the rows whose labels are all as they should be; 0 for no rows."""
        return self.right_rows / self.rows if self.rows else 0.0

    @property
    def hamming_loss(self) -> float:
        """Share of the labels, over all rows, that are not as they should be; 0 for no rows."""
        wrong = int(self.counts[:, 0, 1].sum() + self.counts[:, 1, 0].sum())
        return wrong / (self.rows * len(self.labels)) if self.rows else 0.0

    @property
    def main_metric(self) -> tuple[str, float | None]:
        """The figure to go by, with its name in `to_json`."""
        return "micro_f1", self.micro_f1

    @property
    def unscored(self) -> int:
        """Labels of rows whose logits are no numbers: they stand in no curve."""
        return self.rows * len(self.labels) - sum(int(scores.counts.sum()) for scores in self.scores)

    @property
    def used_thresholds(self) -> tuple[float, ...]:
        """By label, 0.5 where no other was asked for."""
        return self.thresholds or (HALF,) * len(self.labels)

    def best_thresholds(self) -> list[tuple[float, float]]:
        """For each label the threshold of its highest F1 on these rows, and that F1."""
        return [scores.best_f1() for scores in self.scores]

    def summary(self) -> str:
        """One line: rows, labels a row, micro and macro F1."""
        labels = int(self.counts[:, 1].sum())
        return (
            f"{self.rows:,} rows with {labels / max(1, self.rows):.2f} of {len(self.labels)} labels each, "
            f"micro F1 {self.micro_f1:.4f}, macro F1 {macro_f1(self.per_label):.4f}"
        )

    def to_json(self) -> dict[str, object]:
        """The `metrics` of a report."""
        interval, per_label = self.micro_f1_interval, self.per_label
        return {
            "rows": self.rows,
            "micro_f1": self.micro_f1,
            "micro_f1_interval": list(interval) if interval else None,
            "macro_f1": macro_f1(per_label),
            "weighted_f1": weighted_f1(per_label),
            "subset_accuracy": self.subset_accuracy,
            "hamming_loss": self.hamming_loss,
            "labels": list(self.labels),
            "thresholds": list(self.used_thresholds),
            "per_label": to_json(per_label),
            "best_thresholds": [
                {"label": label, "threshold": threshold, "f1": f1}
                for label, (threshold, f1) in zip(self.labels, self.best_thresholds(), strict=True)
            ],
            "subset_accuracy_by_length": [part.to_json() for part in self.lengths.bins()],
            "most_confident_mistakes": self.mistakes.state(),
        }
