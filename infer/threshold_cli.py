"""`bertline threshold`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bertline import options
from infer.cli import BundlePath, row_progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from infer.thresholds import Found


def threshold(
    bundle: BundlePath,
    table: Annotated[
        Path | None, typer.Argument(help="Labelled rows that no model was trained on.", metavar="TSV")
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(help="What to go by.", metavar="mcc|accuracy|f1", show_default="mcc; f1 of each of several"),
    ] = None,
    variant: options.VariantName = "auto",
    device: options.Device = "auto",
    provider: options.Provider = "auto",
    threads: options.Threads = None,
    text_column: options.TextColumn = None,
    pair_column: options.PairColumn = None,
    label_column: options.LabelColumn = None,
    columns: options.Columns = None,
    header: options.Header = None,
    format: options.Format = None,
    clear: Annotated[bool, typer.Option("--clear", help="Remove what is stored.")] = False,
    force: Annotated[
        bool, typer.Option("--force", help="Remove the signature of a signed bundle; sign it again then.")
    ] = False,
    quiet: options.Quiet = False,
) -> None:
    """Find decision thresholds on labelled rows and store them in the bundle, for bertline infer --thresholds.

    Of two labels, one on the probability of the second; of several labels at once, one for each.

    Example: bertline threshold bundle dev.tsv --format cola
    """
    from bertline.bundle import Bundle
    from bertline.console import log_console, result_console
    from bertline.errors import UsageError
    from bertline.tsv import TableSpec
    from infer.scorer import Scorer
    from infer.thresholds import check_tunable, find_thresholds, refuse_signed, store_thresholds

    if clear == (table is not None):
        raise UsageError("give a table of labelled rows, or --clear, and not both")
    if clear and metric:
        raise UsageError("--clear removes thresholds and finds none; leave out --metric")
    opened = Bundle.open(bundle)
    if table is None:
        if opened.manifest.thresholds is None:
            log_console(quiet).print(f"{bundle}: stores no thresholds", markup=False)
            return
        refuse_signed(opened, force=force)
        store_thresholds(opened, None)
        log_console(quiet).print(f"{bundle}: its thresholds are removed", markup=False)
        return
    spec = TableSpec.from_options(
        format=format,
        header=header,
        columns=columns,
        text_column=text_column,
        pair_column=pair_column,
        label_column=label_column,
    )
    chosen = check_tunable(opened, metric, force=force)
    scorer = Scorer.open(opened, device=device, variant=variant, provider=provider, threads=threads)
    with row_progress(log_console(quiet)) as advance:
        found = find_thresholds(scorer, table, spec, chosen, advance)
    store_thresholds(opened, found.thresholds)
    for line in _told(found):
        result_console().print(line, markup=False, soft_wrap=True)
    log_console(quiet).print(f"stored in {bundle}; apply them with bertline infer --thresholds", markup=False)


def _told(found: "Found") -> "Iterator[str]":
    """Before and after, by label where there are several, and what to think of it."""
    from bertline.metrics import METRIC_NAMES
    from infer.summary import columns_of

    thresholds = found.thresholds
    if found.changes:
        rows = [
            [
                change.label,
                f"{change.threshold:g}",
                f"{change.before:.4f}",
                f"{change.after:.4f}",
                f"{change.rows:,}",
            ]
            for change in found.changes
        ]
        yield from columns_of(["label", "threshold", "F1 at 0.5", "F1 there", "rows"], rows)
    else:
        ((label, value),) = thresholds.labels.items()
        yield f"{label} is predicted where its probability is above {value:g}"
    for name, figures in (("at 0.5:  ", thresholds.before), ("there:   ", thresholds.after)):
        yield name + ", ".join(f"{METRIC_NAMES[metric]} {figure:.4f}" for metric, figure in figures.items())
    for word, count in (("no", 0), ("every", thresholds.rows)):
        if labels := found.had_by(count):
            yield f"{word} row has {', '.join(labels)}: 0.5 stays"
    yield (
        f"chosen on these {thresholds.rows:,} rows, thresholds flatter themselves on them: judge them on others, by "
        "bertline infer with --thresholds and without"
    )
