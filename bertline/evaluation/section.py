"""An evaluation as a section of a report: the figures, a few pictures, and the worst mistakes."""

from bertline.axes import number
from bertline.charts import bar_chart, confusion_matrix, line_chart
from bertline.evaluation import AnyEvaluation, Evaluation, MultiLabelEvaluation, RegressionEvaluation
from bertline.evaluation.batches import BATCH_ROWS, MAX_BATCHES_KEPT, Spread, spread_of
from bertline.evaluation.charts import grouped_histogram
from bertline.evaluation.multi_label_section import multi_label_section
from bertline.evaluation.regression_section import regression_section
from bertline.evaluation.scores import HISTOGRAM_BINS, SHOWN, AtThreshold, best_of
from bertline.evaluation.shared_blocks import label_table, length_chart, mistakes_table
from bertline.metrics import in_words
from bertline.problems import HALF
from bertline.report import Block, Chart, Section


def evaluation_section(title: str, evaluation: AnyEvaluation) -> Section:
    """What there is to say of any evaluation."""
    if isinstance(evaluation, MultiLabelEvaluation):
        return multi_label_section(title, evaluation)
    if isinstance(evaluation, RegressionEvaluation):
        return regression_section(title, evaluation)
    return _single_label_section(title, evaluation)


def main_tiles(evaluation: AnyEvaluation, where: str = "") -> list[tuple[str, str]]:
    """Figures for a report's headline: the main one, which never goes without its interval, and one beside it.

    `where` says on which rows, as in "on dev".
    """
    if isinstance(evaluation, MultiLabelEvaluation):
        name, interval = "micro F1", evaluation.micro_f1_interval
        beside = f"{evaluation.subset_accuracy:.1%}", "subset accuracy"
    elif isinstance(evaluation, RegressionEvaluation):
        name, interval = "Pearson", evaluation.pearson_interval
        beside = in_words(evaluation.spearman, ".3f"), "Spearman"
    else:
        name, interval = "MCC", evaluation.mcc_interval
        beside = f"{evaluation.accuracy:.1%}", "accuracy"
    within = f" (95%: {interval[0]:.3f} to {interval[1]:.3f})" if interval else ""
    called, called_beside = (f"{text} {where}".rstrip() for text in (name, beside[1]))
    return [(in_words(evaluation.main_metric[1], ".3f"), called + within), (beside[0], called_beside)]


def _single_label_section(title: str, evaluation: Evaluation) -> Section:
    """Figures with their interval, confusion matrix, MCC by batch, scores, thresholds, lengths, and mistakes."""
    blocks: list[Block] = [f"{evaluation.summary()}.", _trust(evaluation)]
    matrix = confusion_matrix(evaluation.confusion.tolist(), evaluation.labels, title="Confusion matrix")
    spread = evaluation.batches.spread()
    blocks += [
        Chart(matrix, "Rows of the matrix are the true labels, columns the predicted ones; shares are of the row."),
        Chart(batch_mcc_chart(evaluation), _spread_in_words(spread) if spread else None),
    ]
    blocks += _two_labels(evaluation) if len(evaluation.labels) == 2 else _more_labels(evaluation)
    blocks += [
        length_chart(evaluation.lengths.bins(), "accuracy", evaluation.accuracy),
        label_table(evaluation.per_label),
    ]
    caption = "Most confident mistakes, the surest first"
    return Section(title, [*blocks, *mistakes_table(evaluation.mistakes.rows, "probability", caption)])


def batch_mcc_chart(evaluation: Evaluation) -> str:
    """MCC of each batch of 32 rows as a bar, the quartiles as a band, and the MCC of all rows as a line."""
    mcc = evaluation.batches.mcc
    spread = spread_of(mcc, evaluation.batches.undefined)
    return bar_chart(
        [(str(number), value) for number, value in enumerate(mcc, 1)],
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
    mark, used = _used(evaluation)
    low, high = evaluation.scores.histogram(HISTOGRAM_BINS).tolist()
    histogram = grouped_histogram(
        evaluation.scores.edges(HISTOGRAM_BINS),
        {f"labelled {first}": low, f"labelled {second}": high},
        title="Scores by true label",
        x_label=f"probability of {second}",
        mark=mark,
    )
    told = (
        f"Right of {used:g} the model says {second}, left of it {first}. Rows in the middle are the ones it is "
        "unsure of; rows at the wrong end are confident mistakes."
    )
    return [Chart(histogram, told), *([_threshold_chart(evaluation)] if evaluation.scores.counts.any() else [])]


def _used(evaluation: Evaluation) -> tuple[tuple[float, str], float]:
    """The threshold that these rows were decided by: as a chart's mark, and by itself."""
    threshold = HALF if evaluation.threshold is None else evaluation.threshold
    return (threshold, f"{threshold:g}, as used"), threshold


def _threshold_chart(evaluation: Evaluation) -> Chart:
    second = evaluation.labels[1]
    curve = evaluation.scores.threshold_curve()
    mark, threshold = _used(evaluation)
    best = best_of(curve)
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
        mark=mark,
    )
    return Chart(chart, _best_in_words(best, threshold, evaluation.mcc))


def _best_in_words(best: AtThreshold, used: float, mcc: float) -> str:
    if best.threshold == used or best.mcc <= mcc:
        return f"No threshold has a higher MCC on these rows than {used:g} ({mcc:.3f})."
    return (
        f"MCC {mcc:.3f} at {used:g}, and {best.mcc:.3f} at {number(best.threshold)}, the best of 999 thresholds "
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
