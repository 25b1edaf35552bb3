"""Classification metrics with numpy alone, equal to scikit-learn's, and how far to trust them."""

import math
from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]
NORMAL_95 = 1.959963984540054  # 95% of a normal distribution lie within so many standard deviations
METRIC_NAMES = {  # metrics as people know them, by their name in reports
    "accuracy": "accuracy",
    "mcc": "MCC",
    "f1": "F1",
    "micro_f1": "micro F1",
    "macro_f1": "macro F1",
    "pearson": "Pearson",
    "spearman": "Spearman",
}


def in_words(figure: float | None, form: str = ".4f") -> str:
    """A metric with four digits, which an error in the labels' own units has as `.4g`; None is one undefined."""
    return "undefined" if figure is None else format(figure, form)


_CELLS_AT_ONCE = 2**20  # of resampled confusion matrices; 200 labels must not fill the memory


def softmax(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Probabilities (rows, labels) float64 from logits (rows, labels); NaN for a row with a NaN or +∞ in it."""
    columns = np.ascontiguousarray(logits.T, np.float64)  # labels are few: along rows, numpy takes three times as long
    with np.errstate(invalid="ignore"):
        shifted = np.exp(columns - columns.max(axis=0))
    probabilities: NDArray[np.float64] = (shifted / shifted.sum(axis=0)).T
    return probabilities


def sigmoid(logits: NDArray[np.floating]) -> NDArray[np.float64]:
    """Probabilities float64 of logits of any shape, each by itself."""
    with np.errstate(over="ignore"):  # exp of a large number is ∞, and the probability then rightly 0
        probabilities: NDArray[np.float64] = 1 / (1 + np.exp(-logits.astype(np.float64)))
    return probabilities


def confusion_matrix(true: NDArray[np.integer], predicted: NDArray[np.integer], labels: int) -> Counts:
    """Counts (labels, labels) int64: rows are true label ids, columns predicted ones."""
    cells = true.astype(np.int64) * labels + predicted
    return np.bincount(cells, minlength=labels * labels).reshape(labels, labels)


def accuracy(confusion: Counts) -> float:
    """Share of rows on the diagonal; 0 for no rows."""
    total = int(confusion.sum())
    return int(np.trace(confusion)) / total if total else 0.0


def f1(confusion: Counts) -> float:
    """F1 of the second of two labels, in 0…1; 0 where neither has it a row nor is it predicted."""
    right, both = int(confusion[1, 1]), int(confusion[1].sum() + confusion[:, 1].sum())
    return 2 * right / both if both else 0.0


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


def mcc_interval(confusion: Counts, resamples: int = 1000, seed: int = 42) -> tuple[float, float] | None:
    """95% bootstrap interval of the MCC, or None where it is 0 by definition: no two true, or no two predicted labels.

    Rows of one cell are alike, so drawing rows with replacement is one multinomial draw of the cells (Efron's
    percentile interval). Of rows without a mistake every draw is without one, too: the interval is then a point.
    """
    if (confusion.sum(axis=1) > 0).sum() < 2 or (confusion.sum(axis=0) > 0).sum() < 2:
        return None
    labels, generator = len(confusion), np.random.default_rng(seed)
    cells = np.flatnonzero(confusion)
    counts = confusion.ravel()[cells]
    step = max(1, _CELLS_AT_ONCE // confusion.size)
    parts = []
    for start in range(0, resamples, step):
        draws = np.zeros((min(step, resamples - start), confusion.size), np.int64)
        draws[:, cells] = generator.multinomial(counts.sum(), counts / counts.sum(), len(draws))
        parts.append(_matthews_of_each(draws.reshape(-1, labels, labels)))
    low, high = np.percentile(np.concatenate(parts), [2.5, 97.5])
    return float(low), float(high)


def _matthews_of_each(confusions: Counts) -> NDArray[np.float64]:
    """`matthews` of confusions (many, labels, labels), in float64: as near as an interval needs it."""
    true, predicted = confusions.sum(axis=2).astype(np.float64), confusions.sum(axis=1).astype(np.float64)
    total, correct = true.sum(axis=1), np.trace(confusions, axis1=1, axis2=2).astype(np.float64)
    covariance = correct * total - (true * predicted).sum(axis=1)
    spread = (total**2 - (true**2).sum(axis=1)) * (total**2 - (predicted**2).sum(axis=1))
    matthews: NDArray[np.float64] = np.divide(covariance, np.sqrt(spread), out=np.zeros_like(total), where=spread > 0)
    return matthews


def wilson_interval(right: int, rows: int) -> tuple[float, float]:
    """95% interval of a share, `right` of `rows` (Wilson 1927): honest for few rows and near 0 and 1, too."""
    if not rows:
        return 0.0, 1.0
    share, square = right / rows, NORMAL_95 * NORMAL_95
    centre = share + square / (2 * rows)
    reach = NORMAL_95 * math.sqrt(share * (1 - share) / rows + square / (4 * rows * rows))
    # Rounding must not leave the share itself outside.
    low, high = (centre - reach) / (1 + square / rows), (centre + reach) / (1 + square / rows)
    return max(0.0, min(low, share)), min(1.0, max(high, share))


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
