"""How well a model tells one label of several, in constant memory."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bertline.evaluation.batches import Batches, spread_of
from bertline.evaluation.lengths import Lengths
from bertline.evaluation.mistakes import DIGITS, Mistakes, Place, Text
from bertline.evaluation.per_label import LabelFigures, figures_of, macro_f1, to_json, weighted_f1
from bertline.evaluation.scores import HISTOGRAM_BINS, SHOWN, Scores, best_of
from bertline.metrics import Counts, accuracy, confusion_matrix, matthews, mcc_interval
from bertline.problems import SingleLabel

MAX_NAMED = 6  # labels in the summary
_DIGITS = 6  # of figures in lists, which nobody compares to the last bit


@dataclass
class Evaluation:
    """Metrics of a stream of labelled rows: feed it with `add`, in order, then `finish` it.

    How the rows are cut into pieces changes nothing, nor whether a `state` was stored and restored between them, or
    the pieces were evaluated apart and merged.
    """

    labels: tuple[str, ...]
    threshold: float | None = None  # as of `SingleLabel`
    confusion: Counts = field(init=False)
    batches: Batches = field(default_factory=Batches, init=False)
    scores: Scores = field(default_factory=Scores, init=False)
    lengths: Lengths = field(default_factory=Lengths, init=False)
    mistakes: Mistakes = field(default_factory=Mistakes, init=False)

    def __post_init__(self) -> None:
        self.confusion = np.zeros((len(self.labels), len(self.labels)), np.int64)

    def add(
        self,
        true: NDArray[np.integer],
        logits: NDArray[np.floating],
        tokens: NDArray[np.integer],
        texts: Sequence[Text],
        place: Place = lambda row: (None, None),
    ) -> None:
        """Count rows: label ids (rows,), logits (rows, labels), lengths in tokens (rows,) and texts.

        `place` gives file and line of the row at an index of these.
        """
        problem = SingleLabel(self.labels, self.threshold)
        predicted, probabilities = problem.decide(logits), problem.probabilities(logits)
        first, right, sure = self.rows + 1, true == predicted, probabilities[np.arange(len(true)), predicted]
        self.confusion += confusion_matrix(true, predicted, len(self.labels))
        self.batches.add(true, predicted)
        if len(self.labels) == 2:
            self.scores.add(probabilities[:, 1], true, logits[:, 1] > logits[:, 0])
        else:
            self.scores.add(sure, right)
        self.lengths.add(tokens, right)
        weights = np.where(right, np.nan, sure.round(DIGITS))
        names = self.labels
        self.mistakes.add(first, weights, lambda row: (names[true[row]], names[predicted[row]]), texts, place)

    def merge(self, later: "Evaluation") -> None:
        """As if the rows of `later`, an evaluation of the same problem, had been added behind."""
        self.mistakes.merge(later.mistakes, self.rows)
        self.confusion = self.confusion + later.confusion
        self.batches.merge(later.batches)
        self.scores.merge(later.scores)
        self.lengths.merge(later.lengths)

    def finish(self) -> None:
        """Count the last batch, which may be shorter than 32 rows."""
        self.batches.finish()

    def state(self) -> dict[str, Any]:
        """All that was counted, as JSON values, for `restore`."""
        return {
            "confusion": self.confusion.tolist(),
            "batches": self.batches.state(),
            "scores": self.scores.counts.tolist(),
            "lengths": self.lengths.counts.tolist(),
            "mistakes": self.mistakes.state(),
        }

    def restore(self, state: Mapping[str, Any]) -> None:
        """Go on from a `state`; ValueError, KeyError or TypeError where it is none of this problem."""
        self.confusion = np.array(state["confusion"], np.int64).reshape(len(self.labels), len(self.labels))
        self.batches = Batches.restored(state["batches"])
        self.scores = Scores.restored(state["scores"])
        self.lengths.counts = np.array(state["lengths"], np.int64)
        self.mistakes.restore(state["mistakes"])

    @property
    def rows(self) -> int:
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        return accuracy(self.confusion)

    @property
    def mcc(self) -> float:
        return matthews(self.confusion)

    @property
    def mcc_interval(self) -> tuple[float, float] | None:
        """95%, by bootstrap; None where the MCC is 0 by definition."""
        return mcc_interval(self.confusion)

    @property
    def main_metric(self) -> tuple[str, float | None]:
        """The figure to go by, with its name in `to_json`."""
        return "mcc", self.mcc

    @property
    def per_label(self) -> list[LabelFigures]:
        """Precision, recall and F1 of each label."""
        return figures_of(
            self.labels, self.confusion.diagonal(), self.confusion.sum(axis=0), self.confusion.sum(axis=1)
        )

    @property
    def unscored(self) -> int:
        """Rows whose logits give no probability, NaN among them: they stand in no curve."""
        return self.rows - int(self.scores.counts.sum())

    def summary(self) -> str:
        """One line: rows, the share of each label but the first (with two, the positives), accuracy, MCC.

        Where there are many labels, only their number.
        """
        counts = self.confusion.sum(axis=1).tolist()  # by true label
        shares = "".join(
            f", {count:,} labelled {label} ({count / max(1, self.rows):.1%})"
            for label, count in list(zip(self.labels, counts, strict=True))[1:]
        )
        if len(self.labels) > MAX_NAMED:
            shares = f" of {len(self.labels)} labels"
        return f"{self.rows:,} rows{shares}, accuracy {self.accuracy:.4f}, MCC {self.mcc:.4f}"

    def to_json(self) -> dict[str, object]:
        """The `metrics` of a report; of the confusion matrix, rows are true and columns predicted labels."""
        batch_mcc, interval, per_label = self.batches.mcc, self.mcc_interval, self.per_label
        spread = spread_of(batch_mcc, self.batches.undefined)
        return {
            "rows": self.rows,
            "accuracy": self.accuracy,
            "mcc": self.mcc,
            "mcc_interval": list(interval) if interval else None,
            "macro_f1": macro_f1(per_label),
            "weighted_f1": weighted_f1(per_label),
            "threshold": self.threshold,
            "confusion": self.confusion.tolist(),
            "labels": list(self.labels),
            "per_label": to_json(per_label),
            "mcc_per_32_rows": batch_mcc,
            "mcc_per_32_rows_spread": asdict(spread) if spread else None,
            "score_histogram": self._histogram(),
            **self._curve(),
            "accuracy_by_length": [part.to_json() for part in self.lengths.bins()],
            "most_confident_mistakes": self.mistakes.state(),
        }

    def _histogram(self) -> dict[str, object]:
        two = len(self.labels) == 2
        groups = [f"labelled {label}" for label in self.labels] if two else ["wrong", "right"]
        return {
            "score": f"probability of {self.labels[1]}" if two else "probability of the predicted label",
            "edges": self.scores.edges(HISTOGRAM_BINS),
            "rows": dict(zip(groups, self.scores.histogram(HISTOGRAM_BINS).tolist(), strict=True)),
        }

    def _curve(self) -> dict[str, object]:
        if len(self.labels) == 2:
            curve = self.scores.threshold_curve()
            shown = curve[SHOWN - 1 :: SHOWN]
            return {
                "best_threshold": best_of(curve)._asdict(),
                "threshold_curve": {
                    "threshold": [point.threshold for point in shown],
                    "mcc": [round(point.mcc, _DIGITS) for point in shown],
                    "accuracy": [round(point.accuracy, _DIGITS) for point in shown],
                    "f1": [round(point.f1, _DIGITS) for point in shown],
                },
            }
        covered = self.scores.coverage_curve()[::SHOWN]
        return {
            "coverage_curve": {
                "threshold": [point.threshold for point in covered],
                "coverage": [round(point.coverage, _DIGITS) for point in covered],
                "accuracy": [None if p.accuracy is None else round(p.accuracy, _DIGITS) for p in covered],
            },
        }
