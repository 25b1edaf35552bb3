"""`bertline benchmark scaling`."""

from pathlib import Path
from typing import Annotated

import typer

from bertline import options


def scaling(
    context: typer.Context,
    bundle: Annotated[Path, typer.Argument(help="Bundle folder, from bertline export.", metavar="BUNDLE")],
    table: Annotated[Path, typer.Argument(help="TSV file with sentences to make files of.", metavar="TSV")],
    model: Annotated[Path, typer.Option(help="Model folder the bundle was exported from, for its FLOP.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Result as JSON.")] = Path("artifacts/scaling.json"),
    rows: Annotated[int, typer.Option(min=1, help="Of the file that the model is checked on.")] = 16_384,
    part_rows: Annotated[int, typer.Option(min=1, help="Of its parts.")] = 1024,
    workers: Annotated[str, typer.Option(help="That score it, one after the other.")] = "1,2",
    passes: Annotated[int, typer.Option(min=1, help="Of each run.")] = 3,
    variant: options.VariantName = "auto",
    provider: options.Provider = "auto",
    text_column: options.TextColumn = None,
    columns: options.Columns = None,
    header: options.Header = None,
    format: options.Format = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """What more machines are worth: costs of a row and of a part, and a model of a cluster, checked against runs.

    `python -m benchmarks.scaling RESULT.json` writes its page, scaling.md. Takes some minutes with a small model.

    Example: bertline benchmark scaling bundle in_domain_train.tsv --format cola --model model
    """
    from functools import partial

    from benchmarks.output import check_outputs, finish, whole_numbers
    from benchmarks.scaling.measure import measure_scaling
    from benchmarks.scaling.tables import tables
    from bertline.console import log_console
    from bertline.tsv import TableSpec

    spec = TableSpec.from_options(format=format, header=header, columns=columns, text_column=text_column)
    counts = whole_numbers("--workers", workers)
    check_outputs(output, force=force)
    console = log_console(quiet)
    result = measure_scaling(
        bundle,
        table,
        spec,
        model,
        rows=rows,
        part_rows=part_rows,
        workers=counts,
        passes=passes,
        variant=variant,
        provider=provider,
        progress=lambda line: console.print(line, markup=False),
    )
    finish(result, 1, context.obj, partial(tables, result), output, console, html=False)
