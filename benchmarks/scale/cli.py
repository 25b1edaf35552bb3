"""`bertline benchmark scale`."""

from pathlib import Path
from typing import Annotated

import typer

from bertline import options


def scale(
    context: typer.Context,
    bundle: Annotated[Path, typer.Argument(help="Bundle folder, from bertline export.", metavar="BUNDLE")],
    table: Annotated[Path, typer.Argument(help="TSV file with sentences to make files of.", metavar="TSV")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Result as JSON.")] = Path("artifacts/scale.json"),
    rows: Annotated[str, typer.Option(help="Rows of each file.")] = "1000,10000,100000",
    repeats: Annotated[int, typer.Option(min=0, help="Sentences to score once, and ten times each.")] = 8000,
    passes: Annotated[int, typer.Option(min=1, help="Processes for each file.")] = 3,
    variant: options.VariantName = "auto",
    provider: options.Provider = "auto",
    threads: options.Threads = None,
    text_column: options.TextColumn = None,
    columns: options.Columns = None,
    header: options.Header = None,
    format: options.Format = None,
    html: Annotated[bool, typer.Option("--html", help="Write a page beside the JSON.")] = False,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Time per row and memory as a file grows, and with repeated sentences.

    Example: bertline benchmark scale bundle in_domain_train.tsv --format cola --rows 100000,2000000
    """
    from benchmarks.documents import Document
    from benchmarks.machine import this_machine
    from benchmarks.output import check_outputs, save, show, whole_numbers
    from benchmarks.scale.measure import measure_scale
    from benchmarks.scale.tables import size_table
    from bertline.console import log_console
    from bertline.tsv import TableSpec
    from infer.cpus import usable_cpus

    spec = TableSpec.from_options(format=format, header=header, columns=columns, text_column=text_column)
    check_outputs(output, *([".html"] if html else []), force=force)
    console, threads = log_console(quiet), threads or usable_cpus()
    result = measure_scale(
        bundle,
        table,
        spec,
        whole_numbers("--rows", rows),
        passes=passes,
        repeat_rows=repeats,
        options=["--variant", variant, "--provider", provider, "--threads", str(threads)],
        progress=lambda line: console.print(line, markup=False),
    )
    show(size_table(result))
    save(Document.of(result, this_machine(threads), context.obj), output, console, html=html)
