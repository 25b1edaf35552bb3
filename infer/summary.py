"""What a run did, in lines for the screen."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bertline.evaluation.mistakes import harmless
from bertline.metrics import in_words

MAX_LABELS = 20  # that are told one by one
_WIDEST = 30  # characters of a label's name


def summary_of(output: Path | str, report: dict[str, Any]) -> Iterator[str]:
    """Lines for one output, `-` for stdout, and the report of its run."""
    yield (
        f"{report['rows']:,} rows in {report['seconds']:.1f} s, {report['rows_per_second']:,.0f} rows/s "
        f"(start-up {report['startup_seconds']:.1f} s apart); {report['unique_rows']:,} run, the others repeat them; "
        f"{report['truncated']:,} cut at {report['max_length']} tokens, {report['padding_share']:.1%} padding, "
        f"peak memory {report['peak_memory_mib']:,.0f} MiB"
    )
    if report["resumed_rows"]:
        yield f"{report['resumed_rows']:,} of these rows were done by the run before"
    if report["out_of_memory_at"]:
        yield (
            f"{report['out_of_memory_at']:,} tokens a batch were too many for the device's memory; "
            f"{report['batch_tokens']:,} were used"
        )
    if report["batch_tokens_tried"]:
        yield f"{report['batch_tokens']:,} tokens a batch were the fastest tried"
    if report["rejected"]:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in report["rejected"].items())
        yield f"{sum(report['rejected'].values()):,} rows set aside ({reasons})"
    if report.get("thresholds"):
        found = report["thresholds_variant"]
        other = "" if found == report["variant"] else f"; found with {found}, whose probabilities differ a little"
        yield f"decided by the bundle's thresholds: {thresholds_in_words(report['thresholds'])}{other}"
    if metrics := report.get("metrics"):
        yield from metrics_in_words(metrics)
    if str(output) != "-":
        yield f"wrote {output}"


def thresholds_in_words(thresholds: dict[str, float]) -> str:
    """`joy 0.31, anger 0.5`; of many labels, between which two they lie."""
    if len(thresholds) > MAX_LABELS:
        return f"{min(thresholds.values()):g} to {max(thresholds.values()):g} for {len(thresholds)} labels"
    return ", ".join(f"{name} {value:g}" for name, value in thresholds.items())


def metrics_in_words(metrics: dict[str, Any]) -> Iterator[str]:
    """Lines for the `metrics` of a report."""
    if "pearson" in metrics:
        yield from _of_numbers(metrics)
    elif "micro_f1" in metrics:
        yield (
            f"micro F1 {metrics['micro_f1']:.4f}{_interval(metrics['micro_f1_interval'])}, "
            f"macro F1 {metrics['macro_f1']:.4f}, subset accuracy {metrics['subset_accuracy']:.4f}, "
            f"Hamming loss {metrics['hamming_loss']:.4f}"
        )
        yield from label_table(metrics["per_label"])
    else:
        yield f"accuracy {metrics['accuracy']:.4f}, MCC {metrics['mcc']:.4f}{_interval(metrics.get('mcc_interval'))}"
        yield from _confusion(metrics["labels"], metrics["confusion"])
        if "per_label" in metrics:  # that of an earlier version has none
            yield from label_table(metrics["per_label"])
            yield f"macro F1 {metrics['macro_f1']:.4f}, weighted F1 {metrics['weighted_f1']:.4f}"


def _of_numbers(metrics: dict[str, Any]) -> Iterator[str]:
    told = [f"Pearson {in_words(metrics['pearson'])}{_interval(metrics['pearson_interval'])}"]
    of_first = (
        f" (of the first {metrics['spearman_rows']:,} rows)" if metrics["spearman_rows"] < metrics["rows"] else ""
    )
    told.append(f"Spearman {in_words(metrics['spearman'])}{of_first}")
    for name, error in (("squared", "mse"), ("absolute", "mae")):
        told.append(f"mean {name} error {in_words(metrics[error], '.4g')}")
    yield ", ".join(told)


def _confusion(labels: list[str], confusion: list[list[int]]) -> Iterator[str]:
    if len(labels) > MAX_LABELS:
        return
    yield "confusion, rows true, columns predicted:"
    names = _names(labels)
    for name, counts in zip(names, confusion, strict=True):
        yield f"  {name}" + "".join(f"{count:>9,}" for count in counts)


def label_table(per_label: list[dict[str, Any]]) -> Iterator[str]:
    """Figures of each label, or of many labels those of the lowest F1."""
    shown = per_label
    if len(per_label) > MAX_LABELS:
        shown = sorted(per_label, key=lambda label: float(label["f1"]))[:MAX_LABELS]
        yield f"the {MAX_LABELS} of {len(per_label)} labels with the lowest F1; the report has them all:"
    rows = [
        [label["label"], *(f"{label[name]:.4f}" for name in ("precision", "recall", "f1")), f"{label['support']:,}"]
        for label in shown
    ]
    yield from columns_of(["label", "precision", "recall", "F1", "rows"], rows)


def columns_of(head: list[str], rows: list[list[str]]) -> Iterator[str]:
    """Rows below their head, each column as wide as it needs: names to the left, figures to the right."""
    names = _names([row[0] for row in (head, *rows)])
    widths = [max(len(row[place]) for row in (head, *rows)) for place in range(1, len(head))]
    for name, (_, *figures) in zip(names, (head, *rows), strict=True):
        yield f"  {name}" + "".join(f"  {figure:>{width}}" for figure, width in zip(figures, widths, strict=True))


def _names(names: list[str]) -> list[str]:
    """Padded to one width, those that are very long cut, and none that disturbs a screen."""
    cut = [name if len(name) <= _WIDEST else name[: _WIDEST - 1] + "…" for name in map(harmless, names)]
    width = max(map(len, cut))
    return [f"{name:<{width}}" for name in cut]


def _interval(interval: list[float] | None) -> str:
    return f" (95% interval {interval[0]:.4f} to {interval[1]:.4f})" if interval else ""
