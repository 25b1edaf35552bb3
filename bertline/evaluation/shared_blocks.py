"""What the sections of all evaluations have in common: figures by label, by length, and the mistakes."""

from collections.abc import Sequence

from bertline.evaluation.charts import Interval, interval_chart
from bertline.evaluation.lengths import LengthBin
from bertline.evaluation.mistakes import Mistake
from bertline.evaluation.per_label import LabelFigures
from bertline.ranking import Bar, ranking
from bertline.report import Block, Cell, Chart, Table

MAX_LABELS = 50  # in a table
MAX_BARS = 24


def label_table(per_label: Sequence[LabelFigures], more: dict[str, Sequence[Cell]] | None = None) -> Table:
    """Precision, recall and F1 of each label; of more than 50 those of the lowest F1. `more` adds columns."""
    order = list(range(len(per_label)))
    caption = "By label; precision: of the rows given it the share that has it; recall: of those that have it, given it"
    if len(order) > MAX_LABELS:
        order = sorted(order, key=lambda place: per_label[place].f1)[:MAX_LABELS]
        caption = f"The {MAX_LABELS} of {len(per_label)} labels with the lowest F1"
    shown = [per_label[place] for place in order]
    columns: dict[str, Sequence[Cell]] = {
        "label": [label.label for label in shown],
        "precision": [f"{label.precision:.4f}" for label in shown],
        "recall": [f"{label.recall:.4f}" for label in shown],
        "F1": [f"{label.f1:.4f}" for label in shown],
        "rows": [label.support for label in shown],
        **{name: [cells[place] for place in order] for name, cells in (more or {}).items()},
    }
    return Table(list(columns), list(zip(*columns.values(), strict=True)), caption)


def f1_bars(per_label: Sequence[LabelFigures]) -> Chart:
    """F1 of each label as a bar, the highest first; of very many labels the lowest ones."""
    ordered = sorted(per_label, key=lambda label: -label.f1)
    told = None
    if len(ordered) > MAX_BARS:
        ordered, told = ordered[-MAX_BARS:], f"The {MAX_BARS} labels of the lowest F1."
    bars = [Bar(label.label, label.f1, f"{label.f1:.3f}, {label.support:,} rows") for label in ordered]
    return Chart(ranking(bars, title="F1 by label", unit="F1"), told)


def length_chart(bins: Sequence[LengthBin], called: str, of_all: float) -> Chart:
    """The share of right rows by length; `called` is what that share is."""
    chart = interval_chart(
        [_interval(part) for part in bins],
        title=f"{called.capitalize()} by length",
        x_label="tokens, special ones included",
        y_label=called,
        reference=of_all,
    )
    if not bins:
        return Chart(chart)
    return Chart(
        chart,
        f"Dashed: all rows, {of_all:.3f}. Rows per dot: {min(part.rows for part in bins):,} or more; its "
        "line is the 95% interval (Wilson's). Where that crosses the dashed one, length has no effect that shows here.",
    )


def length_label(low: int, high: int) -> str:
    """A range of lengths."""
    return f"{low}" if low == high else f"{low}–{high}"


def _interval(part: LengthBin) -> Interval:
    low, high = part.interval
    told = f"{part.accuracy:.1%} of {part.rows:,} rows right, {low:.1%} to {high:.1%}"
    return Interval(length_label(part.low, part.high), part.accuracy, low, high, told)


def mistakes_table(rows: Sequence[Mistake], weighed_by: str, caption: str) -> list[Block]:
    """The mistakes with their texts; nothing where there are none."""
    if not rows:
        return []
    files = {mistake.file for mistake in rows}
    shown: dict[str, Sequence[Cell] | None] = {
        "row": [f"{mistake.row:,}" for mistake in rows],
        "text": [mistake.texts[0] for mistake in rows],
        "second text": [mistake.texts[1] for mistake in rows] if len(rows[0].texts) > 1 else None,
        "true": [_answer(mistake.true) for mistake in rows],
        "predicted": [_answer(mistake.predicted) for mistake in rows],
        weighed_by: [_weight(mistake.weight, weighed_by) for mistake in rows],
        "line": [mistake.line for mistake in rows] if files != {None} else None,
        "file": [mistake.file for mistake in rows] if len(files) > 1 else None,
    }
    columns = {name: cells for name, cells in shown.items() if cells is not None}
    return [Table(list(columns), list(zip(*columns.values(), strict=True)), caption)]


def _answer(value: str | float) -> str:
    return (value or "none") if isinstance(value, str) else f"{value:.4g}"


def _weight(value: float, weighed_by: str) -> str:
    if weighed_by != "probability":
        return f"{value:.4g}"
    return f"{value:.4f}" if value < 0.99995 else "> 0.9999"
