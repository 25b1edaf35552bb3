"""An evaluation of numbers as a section of a report."""

import numpy as np
from numpy.typing import NDArray

from bertline.axes import number
from bertline.evaluation.charts import Interval, grouped_histogram, interval_chart
from bertline.evaluation.number_charts import grid_chart
from bertline.evaluation.regression import RegressionEvaluation
from bertline.evaluation.shared_blocks import length_label, mistakes_table
from bertline.report import Block, Chart, Section

GRID_CELLS = 25  # along each axis
ERROR_BINS = 20


def regression_section(title: str, evaluation: RegressionEvaluation) -> Section:
    """Figures with their interval, true against predicted numbers, errors, lengths, and the largest errors."""
    blocks: list[Block] = [f"{evaluation.summary()}.", _trust(evaluation)]
    known = np.isfinite(evaluation.predicted)
    true, predicted = evaluation.true[known], evaluation.predicted[known].astype(np.float64)
    if len(true):
        blocks += [_grid(evaluation, true, predicted), _errors(predicted - true)]
    blocks.append(_length_chart(evaluation))
    return Section(title, [*blocks, *mistakes_table(evaluation.mistakes.rows, "error", "Largest errors")])


def _trust(evaluation: RegressionEvaluation) -> str:
    if evaluation.unscored:
        return f"{evaluation.unscored:,} predictions are no numbers, so that there are no figures for all rows."
    if evaluation.pearson is None:
        return "A correlation needs two rows, and numbers that differ on both sides."
    if not (interval := evaluation.pearson_interval):
        return "An interval of the correlation needs four rows."
    return (
        f"With other rows of the same kind Pearson's correlation might as well be {interval[0]:.3f} to "
        f"{interval[1]:.3f} (95%, by Fisher's transformation); so compare models on the same rows. It says how well "
        "the numbers rise and fall together; the errors say how far off they are."
    )


def _grid(evaluation: RegressionEvaluation, true: NDArray[np.float64], predicted: NDArray[np.float64]) -> Chart:
    low, high = float(min(true.min(), predicted.min())), float(max(true.max(), predicted.max()))
    if low == high:
        low, high = low - (abs(low) or 1.0), high + (abs(high) or 1.0)
    edges = np.linspace(low, high, GRID_CELLS + 1)
    counts = np.histogram2d(true, predicted, bins=(edges, edges))[0].astype(int)
    chart = grid_chart(
        counts.tolist(), edges.tolist(), title="Predicted against true", x_label="true", y_label="predicted"
    )
    shown = "" if len(true) == evaluation.rows else f" The first {len(true):,} rows."
    return Chart(chart, f"On the dashed line both are equal; the darker, the more rows (logarithmic).{shown}")


def _errors(errors: NDArray[np.float64]) -> Chart:
    widest = float(np.abs(errors).max()) or 1.0
    edges = np.linspace(-widest, widest, ERROR_BINS + 1)
    counts = np.histogram(errors, edges)[0]
    chart = grouped_histogram(
        edges.tolist(),
        {"all rows": counts.tolist()},
        title="Errors",
        x_label="predicted − true",
        mark=(0.0, "0"),
    )
    mean = number(float(errors.mean()))
    return Chart(chart, f"The mean error is {mean}; far from 0 it is a bias that a constant would mend.")


def _length_chart(evaluation: RegressionEvaluation) -> Chart:
    bins = evaluation.lengths.bins()
    points = [
        Interval(
            length_label(part.low, part.high),
            part.mae,
            part.mae - (part.reach or 0.0),
            part.mae + (part.reach or 0.0),
            f"{part.mae:.3g} over {part.rows:,} rows",
        )
        for part in bins
    ]
    chart = interval_chart(
        points,
        title="Error by length",
        x_label="tokens, special ones included",
        y_label="mean absolute error",
        reference=evaluation.mae,
    )
    if not bins or evaluation.mae is None:
        return Chart(chart)
    return Chart(chart, f"Dashed: all rows, {evaluation.mae:.3g}. The line of a dot is the 95% interval of its mean.")
