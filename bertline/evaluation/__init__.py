"""How well a model did on labelled rows, counted as they come: figures, curves and mistakes, in constant memory."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bertline.evaluation.batches import Batches
from bertline.evaluation.lengths import Lengths
from bertline.evaluation.mistakes import Mistakes, Place, Text
from bertline.evaluation.scores import SHOWN, Scores, best_of
from bertline.metrics import Counts, accuracy, confusion_matrix, matthews, mcc_interval, softmax

HISTOGRAM_BINS = 20
MAX_NAMED = 6  # labels in the summary
_DIGITS = 6  # of figures in lists, which nobody compares to the last bit


@dataclass
class Evaluation:
    """Metrics of a stream of labelled rows: feed it with `add`, in order, then `finish` it.

    How the rows are cut into pieces, and whether a `state` was stored and restored between them, changes nothing.
    """

    labels: tuple[str, ...]
    confusion: Counts = field(init=False)
    batches: Batches = field(default_factory=Batches, init=False)
    scores: Scores = field(init=False)
    lengths: Lengths = field(default_factory=Lengths, init=False)
    mistakes: Mistakes = field(default_factory=Mistakes, init=False)

    def __post_init__(self) -> None:
        self.confusion = np.zeros((len(self.labels), len(self.labels)), np.int64)
        self.scores = Scores(len(self.labels))

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
        predicted, probabilities = logits.argmax(axis=1), softmax(logits)
        first = self.rows + 1
        self.confusion += confusion_matrix(true, predicted, len(self.labels))
        self.batches.add(true, predicted)
        self.scores.add(true, predicted, probabilities)
        self.lengths.add(tokens, true == predicted)
        self.mistakes.add(first, self.labels, true, predicted, probabilities, texts, place)

    def finish(self) -> None:
        """Count the last batch, which may be shorter than 32 rows."""
        self.batches.finish()

    def state(self) -> dict[str, Any]:
        """All that was counted, as JSON values, for `restored`."""
        return {
            "confusion": self.confusion.tolist(),
            "batches": self.batches.state(),
            "scores": self.scores.counts.tolist(),
            "lengths": self.lengths.counts.tolist(),
            "mistakes": self.mistakes.state(),
        }

    @classmethod
    def restored(cls, labels: tuple[str, ...], state: Mapping[str, Any]) -> "Evaluation":
        """An evaluation that goes on from a `state`."""
        evaluation = cls(labels)
        evaluation.confusion = np.array(state["confusion"], np.int64)
        evaluation.batches = Batches.restored(state["batches"])
        evaluation.scores.counts = np.array(state["scores"], np.int64)
        evaluation.lengths.counts = np.array(state["lengths"], np.int64)
        evaluation.mistakes = Mistakes.restored(state["mistakes"])
        return evaluation

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
        spread, interval = self.batches.spread(), self.mcc_interval
        return {
            "rows": self.rows,
            "accuracy": self.accuracy,
            "mcc": self.mcc,
            "mcc_interval": list(interval) if interval else None,
            "confusion": self.confusion.tolist(),
            "labels": list(self.labels),
            "mcc_per_32_rows": self.batches.mcc,
            "mcc_per_32_rows_spread": asdict(spread) if spread else None,
            "score_histogram": self._histogram(),
            **self._curve(),
            "accuracy_by_length": [
                {**asdict(part), "accuracy": part.accuracy, "interval": list(part.interval)}
                for part in self.lengths.bins()
            ],
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
