"""An evaluation of several labels at once as a section of a report."""

import numpy as np

from bertline.axes import number
from bertline.charts import line_chart
from bertline.evaluation.multi_label import MultiLabelEvaluation
from bertline.evaluation.scores import BINS, SHOWN, Scores
from bertline.evaluation.shared_blocks import f1_bars, label_table, length_chart, mistakes_table
from bertline.problems import HALF
from bertline.report import Block, Chart, Section


def multi_label_section(title: str, evaluation: MultiLabelEvaluation) -> Section:
    """Figures with their interval, labels one by one, a threshold for all of them, lengths, and mistakes."""
    used, best = evaluation.used_thresholds, evaluation.best_thresholds()
    table = label_table(
        evaluation.per_label,
        {
            "threshold": [f"{threshold:g}" for threshold in used],
            "best threshold": [f"{threshold:g}" for threshold, _ in best],
            "F1 there": [f"{f1:.4f}" for _, f1 in best],
        },
    )
    blocks: list[Block] = [
        f"{evaluation.summary()}. Rows whose labels are all as they should be: {evaluation.subset_accuracy:.1%}; "
        f"labels that are not as they should be: {evaluation.hamming_loss:.2%}.",
        _trust(evaluation),
        table,
        "The best threshold of a label is that of its highest F1 on these rows, of 999 (each exact). Chosen on these "
        "rows it flatters itself on them: find it on others, with bertline threshold.",
        f1_bars(evaluation.per_label),
        *([_threshold_chart(evaluation)] if any(scores.counts.any() for scores in evaluation.scores) else []),
        length_chart(evaluation.lengths.bins(), "subset accuracy", evaluation.subset_accuracy),
    ]
    caption = "Most confident mistakes: the rows with the surest label, or the surest lack of one, that is wrong"
    return Section(title, [*blocks, *mistakes_table(evaluation.mistakes.rows, "probability", caption)])


def _trust(evaluation: MultiLabelEvaluation) -> str:
    interval = evaluation.micro_f1_interval
    if not interval:
        said = "The micro F1 is 0 by definition here: it needs rows that have labels, or are given some."
    else:
        said = (
            f"With other rows of the same kind the micro F1 might as well be {interval[0]:.3f} to {interval[1]:.3f} "
            "(95% interval); so compare models on the same rows."
        )
    if evaluation.unscored:
        said += f" {evaluation.unscored:,} logits are no numbers; they stand in no threshold's figures."
    return said


def _threshold_chart(evaluation: MultiLabelEvaluation) -> Chart:
    """One threshold for all labels; the table has each label's own."""
    micro = Scores(sum((scores.counts for scores in evaluation.scores), np.zeros((2, BINS), np.int64))).f1_curve()
    macro = np.mean([scores.f1_curve() for scores in evaluation.scores], axis=0)
    shown = range(SHOWN, BINS, SHOWN)
    chart = line_chart(
        {
            "micro F1": [(place / BINS, float(micro[place - 1])) for place in shown],
            "macro F1": [(place / BINS, float(macro[place - 1])) for place in shown],
        },
        title="One threshold for all labels",
        x_label="threshold on the probability of every label",
        y_label="F1",
        mark=(HALF, "0.5"),
    )
    best = int(micro.argmax()) + 1
    return Chart(
        chart,
        f"Micro F1 {micro[BINS // 2 - 1]:.3f} at 0.5, and {micro[best - 1]:.3f} at {number(best / BINS)}, the best.",
    )
