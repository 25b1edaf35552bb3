"""An evaluation as a section of a report: the figures, six pictures at most, and the worst mistakes."""

from bertline.axes import number
from bertline.charts import bar_chart, confusion_matrix, line_chart
from bertline.evaluation import Evaluation
from bertline.evaluation.batches import BATCH_ROWS, MAX_BATCHES_KEPT, Spread
from bertline.evaluation.charts import Interval, grouped_histogram, interval_chart
from bertline.evaluation.lengths import LengthBin
from bertline.evaluation.mistakes import Mistake
from bertline.evaluation.scores import BINS, HISTOGRAM_BINS, SHOWN, AtThreshold, best_of
from bertline.report import Block, Chart, Section, Table

_USED = (0.5, "0.5, as used")


def evaluation_section(title: str, evaluation: Evaluation) -> Section:
    """Figures with their interval, confusion matrix, MCC by batch, scores, thresholds, lengths, and mistakes."""
    blocks: list[Block] = [f"{evaluation.summary()}.", _trust(evaluation)]
    matrix = confusion_matrix(evaluation.confusion.tolist(), evaluation.labels, title="Confusion matrix")
    spread = evaluation.batches.spread()
    blocks += [
        Chart(matrix, "Rows of the matrix are the true labels, columns the predicted ones; shares are of the row."),
        Chart(batch_mcc_chart(evaluation), _spread_in_words(spread) if spread else None),
    ]
    blocks += _two_labels(evaluation) if len(evaluation.labels) == 2 else _more_labels(evaluation)
    blocks.append(_length_chart(evaluation))
    return Section(title, [*blocks, *_mistakes(evaluation.mistakes.rows)])


def mcc_tile(evaluation: Evaluation, name: str = "MCC") -> tuple[str, str]:
    """The MCC for a report's headline, which never goes without its interval."""
    interval = evaluation.mcc_interval
    return f"{evaluation.mcc:.3f}", f"{name} (95%: {interval[0]:.3f} to {interval[1]:.3f})" if interval else name


def batch_mcc_chart(evaluation: Evaluation) -> str:
    """MCC of each batch of 32 rows as a bar, the quartiles as a band, and the MCC of all rows as a line."""
    spread = evaluation.batches.spread()
    return bar_chart(
        [(str(number), value) for number, value in enumerate(evaluation.batches.mcc, 1)],
        title=f"MCC per batch of {BATCH_ROWS} rows",
        x_label="batch, in file order",
        y_label="MCC",
        reference=(evaluation.mcc, f"all rows {evaluation.mcc:.3f}"),
        band=(spread.lower_quartile, spread.median, spread.upper_quartile) if spread else None,
    )


def _trust(evaluation: Evaluation) -> str:
    """How far the MCC can be trusted, and what to look at first."""
    interval = evaluation.mcc_interval
    if not interval:
        said = "The MCC is 0 by definition here: it needs two true and two predicted labels."
    else:
        said = (
            f"With other rows of the same kind the MCC might as well be {interval[0]:.3f} to {interval[1]:.3f} "
            "(95% bootstrap interval); so compare models on the same rows."
        )
    if evaluation.unscored:
        said += f" {evaluation.unscored:,} rows have logits that are no numbers; they stand in no score chart."
    if evaluation.mistakes.rows:
        said += " Look at the confusion matrix first, then at the mistakes below: there, labels may be wrong, too."
    return said


def _spread_in_words(spread: Spread) -> str:
    whole = f"the first {spread.batches} batches" if spread.batches == MAX_BATCHES_KEPT else "all batches"
    said = (
        f"Of {whole}: mean {spread.mean:.3f}, median {spread.median:.3f} (thin line); half of them lie between "
        f"{spread.lower_quartile:.3f} and {spread.upper_quartile:.3f} (band). Dashed: the MCC of all rows."
    )
    if spread.undefined:
        said += f" Batches with only one true or one predicted label, whose MCC is 0 by definition: {spread.undefined}."
    return said


def _two_labels(evaluation: Evaluation) -> list[Block]:
    first, second = evaluation.labels
    low, high = evaluation.scores.histogram(HISTOGRAM_BINS).tolist()
    histogram = grouped_histogram(
        evaluation.scores.edges(HISTOGRAM_BINS),
        {f"labelled {first}": low, f"labelled {second}": high},
        title="Scores by true label",
        x_label=f"probability of {second}",
        mark=_USED,
    )
    told = (
        f"Right of 0.5 the model says {second}, left of it {first}. Rows in the middle are the ones it is unsure of; "
        "rows at the wrong end are confident mistakes."
    )
    return [Chart(histogram, told), *([_threshold_chart(evaluation)] if evaluation.scores.counts.any() else [])]


def _threshold_chart(evaluation: Evaluation) -> Chart:
    second = evaluation.labels[1]
    curve = evaluation.scores.threshold_curve()
    best, used = best_of(curve), curve[BINS // 2 - 1]
    shown = curve[SHOWN - 1 :: SHOWN]
    chart = line_chart(
        {
            "MCC": [(point.threshold, point.mcc) for point in shown],
            "accuracy": [(point.threshold, point.accuracy) for point in shown],
            f"best MCC, at {number(best.threshold)}": [(best.threshold, best.mcc)],
        },
        title="Threshold",
        x_label=f"threshold on the probability of {second}",
        y_label="MCC, accuracy",
        mark=_USED,
    )
    return Chart(chart, _best_in_words(best, used))


def _best_in_words(best: AtThreshold, used: AtThreshold) -> str:
    if best.threshold == used.threshold:
        return f"No threshold has a higher MCC on these rows than 0.5 ({used.mcc:.3f})."
    return (
        f"MCC {used.mcc:.3f} at 0.5, and {best.mcc:.3f} at {number(best.threshold)}, the best of 999 thresholds "
        "(each exact). A threshold chosen on these rows flatters itself on them: judge it on others."
    )


def _more_labels(evaluation: Evaluation) -> list[Block]:
    wrong, right = evaluation.scores.histogram(HISTOGRAM_BINS).tolist()
    histogram = grouped_histogram(
        evaluation.scores.edges(HISTOGRAM_BINS),
        {"right": right, "wrong": wrong},
        title="Scores of right and wrong answers",
        x_label="probability of the predicted label",
    )
    covered = evaluation.scores.coverage_curve()[::SHOWN]
    curve = line_chart(
        {
            "accuracy where answered": [(point.threshold, point.accuracy) for point in covered],
            "share answered": [(point.threshold, point.coverage) for point in covered],
        },
        title="Answering only where sure",
        x_label="rows are answered where the probability is above",
        y_label="share",
    )
    told = "What is gained, and left unanswered, when the less sure answers are set aside for a person."
    sure = "Wrong answers at the right end are confident mistakes."
    return [Chart(histogram, sure), *([Chart(curve, told)] if evaluation.scores.counts.any() else [])]


def _length_chart(evaluation: Evaluation) -> Chart:
    bins = evaluation.lengths.bins()
    chart = interval_chart(
        [_interval(part) for part in bins],
        title="Accuracy by length",
        x_label="tokens, special ones included",
        y_label="accuracy",
        reference=evaluation.accuracy,
    )
    if not bins:
        return Chart(chart)
    return Chart(
        chart,
        f"Dashed: all rows, {evaluation.accuracy:.3f}. Rows per dot: {min(part.rows for part in bins):,} or more; its "
        "line is the 95% interval (Wilson's). Where that crosses the dashed one, length has no effect that shows here.",
    )


def _interval(part: LengthBin) -> Interval:
    label = f"{part.low}" if part.low == part.high else f"{part.low}–{part.high}"
    low, high = part.interval
    told = f"{part.accuracy:.1%} of {part.rows:,} rows right, {low:.1%} to {high:.1%}"
    return Interval(label, part.accuracy, low, high, told)


def _mistakes(rows: list[Mistake]) -> list[Block]:
    if not rows:
        return []
    files = {mistake.file for mistake in rows}
    shown = {
        "row": [f"{mistake.row:,}" for mistake in rows],
        "text": [mistake.texts[0] for mistake in rows],
        "second text": [mistake.texts[1] for mistake in rows] if len(rows[0].texts) > 1 else None,
        "true": [mistake.true for mistake in rows],
        "predicted": [mistake.predicted for mistake in rows],
        "probability": [_probability(mistake.weight) for mistake in rows],
        "line": [mistake.line for mistake in rows] if files != {None} else None,
        "file": [mistake.file for mistake in rows] if len(files) > 1 else None,
    }
    columns = {name: cells for name, cells in shown.items() if cells is not None}
    cells = list(zip(*columns.values(), strict=True))
    return [Table(list(columns), cells, "Most confident mistakes, the surest first")]


def _probability(value: float) -> str:
    return f"{value:.4f}" if value < 0.99995 else "> 0.9999"
