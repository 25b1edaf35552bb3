"""Classification metrics from a confusion matrix, with numpy alone; equal to scikit-learn's."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
MCC_BATCH_ROWS = 32  # the notebook shows MCC by batches of 32 rows
MAX_BATCHES_KEPT = 512  # enough for a picture; a longer file must not grow the memory


def confusion_matrix(true: NDArray[np.integer], predicted: NDArray[np.integer], labels: int) -> Counts:
    """Counts (labels, labels) int64: rows are true label ids, columns predicted ones."""
    cells = true.astype(np.int64) * labels + predicted
    return np.bincount(cells, minlength=labels * labels).reshape(labels, labels)


def accuracy(confusion: Counts) -> float:
    """Share of rows on the diagonal; 0 for no rows."""
    total = int(confusion.sum())
    return int(np.trace(confusion)) / total if total else 0.0


def matthews(confusion: Counts) -> float:
    """Matthews correlation for two or more labels, in −1…1; 0 where a denominator is 0 (Gorodkin 2004)."""
    # Python integers: products of counts overflow int64 from some billions of rows on.
    true, predicted = confusion.sum(axis=1).tolist(), confusion.sum(axis=0).tolist()
    total, correct = sum(true), int(np.trace(confusion))
    covariance = correct * total - sum(t * p for t, p in zip(true, predicted, strict=True))
    spread_true = total * total - sum(t * t for t in true)
    spread_predicted = total * total - sum(p * p for p in predicted)
    denominator = math.sqrt(spread_true * spread_predicted)  # one root: perfect labels give 1.0 and not 0.999…
    return covariance / denominator if denominator else 0.0


def mcc_difference_interval(
    rows: Mapping[tuple[int, int, int], int], labels: int, resamples: int = 1000, seed: int = 42
) -> tuple[float, float]:
    """95% bootstrap interval of MCC(own) − MCC(reference), both on the same rows.

    `rows` counts (true, own, reference) label ids. Rows of equal ids are alike, so drawing rows with replacement is
    one multinomial draw of these counts (Efron's percentile interval).
    """
    cells = np.array(list(rows), np.int64)  # (cells, 3)
    counts = np.array(list(rows.values()), np.int64)
    draws = np.random.default_rng(seed).multinomial(counts.sum(), counts / counts.sum(), resamples)
    differences = []
    for draw in draws:
        confusions = np.zeros((2, labels, labels), np.int64)
        for side in (0, 1):
            np.add.at(confusions[side], (cells[:, 0], cells[:, 1 + side]), draw)
        differences.append(matthews(confusions[0]) - matthews(confusions[1]))
    low, high = np.percentile(differences, [2.5, 97.5])
    return float(low), float(high)


@dataclass
class Evaluation:
    """Metrics of a stream of labelled rows, in constant memory: feed it with `add`, in file order."""

    labels: tuple[str, ...]
    confusion: Counts = field(init=False)
    batch_mcc: list[float] = field(default_factory=list, init=False)  # the first 512 batches of 32 rows
    _open_true: list[int] = field(default_factory=list, init=False)
    _open_predicted: list[int] = field(default_factory=list, init=False)

    def __post_init__(self) -> None:
        self.confusion = np.zeros((len(self.labels), len(self.labels)), np.int64)

    def add(self, true: NDArray[np.integer], predicted: NDArray[np.integer]) -> None:
        """Count rows; both arrays are label ids (rows,)."""
        self.confusion += confusion_matrix(true, predicted, len(self.labels))
        # What no batch will hold is not kept: a large window's rows would be in every line of a journal.
        wanted = max(0, (MAX_BATCHES_KEPT - len(self.batch_mcc)) * MCC_BATCH_ROWS - len(self._open_true))
        self._open_true += true[:wanted].tolist()
        self._open_predicted += predicted[:wanted].tolist()
        while len(self._open_true) >= MCC_BATCH_ROWS and len(self.batch_mcc) < MAX_BATCHES_KEPT:
            self._close_batch()

    def state(self) -> dict[str, Any]:
        """All that was counted, as JSON values, for `restored`."""
        return {
            "confusion": self.confusion.tolist(),
            "batch_mcc": list(self.batch_mcc),
            "open": [list(self._open_true), list(self._open_predicted)],
        }

    @classmethod
    def restored(cls, labels: tuple[str, ...], state: Mapping[str, Any]) -> "Evaluation":
        """An evaluation that goes on from a `state`."""
        evaluation = cls(labels)
        evaluation.confusion = np.array(state["confusion"], np.int64)
        evaluation.batch_mcc = list(state["batch_mcc"])
        evaluation._open_true, evaluation._open_predicted = (list(ids) for ids in state["open"])
        return evaluation

    def finish(self) -> None:
        """Count the last batch, which may be shorter than 32 rows."""
        if self._open_true and len(self.batch_mcc) < MAX_BATCHES_KEPT:
            self._close_batch()

    def _close_batch(self) -> None:
        true, self._open_true = self._open_true[:MCC_BATCH_ROWS], self._open_true[MCC_BATCH_ROWS:]
        predicted, self._open_predicted = self._open_predicted[:MCC_BATCH_ROWS], self._open_predicted[MCC_BATCH_ROWS:]
        self.batch_mcc.append(matthews(confusion_matrix(np.array(true), np.array(predicted), len(self.labels))))

    @classmethod
    def of_report(cls, metrics: Mapping[str, Any]) -> "Evaluation":
        """The evaluation that a report's `metrics` came from."""
        state = {"confusion": metrics["confusion"], "batch_mcc": metrics["mcc_per_32_rows"], "open": [[], []]}
        return cls.restored(tuple(metrics["labels"]), state)

    @property
    def rows(self) -> int:
        return int(self.confusion.sum())

    @property
    def accuracy(self) -> float:
        return accuracy(self.confusion)

    @property
    def mcc(self) -> float:
        return matthews(self.confusion)

    def summary(self) -> str:
        """One line: rows, the share of each label but the first (with two, the positives), accuracy, MCC."""
        counts = self.confusion.sum(axis=1).tolist()  # by true label
        shares = "".join(
            f", {count:,} labelled {label} ({count / max(1, self.rows):.1%})"
            for label, count in list(zip(self.labels, counts, strict=True))[1:]
        )
        return f"{self.rows:,} rows{shares}, accuracy {self.accuracy:.4f}, MCC {self.mcc:.4f}"

    def to_json(self) -> dict[str, object]:
        """The `metrics` of a report: accuracy, mcc, confusion (rows true, columns predicted), labels."""
        return {
            "rows": self.rows,
            "accuracy": self.accuracy,
            "mcc": self.mcc,
            "confusion": self.confusion.tolist(),
            "labels": list(self.labels),
            "mcc_per_32_rows": self.batch_mcc,
        }
