"""`bertline benchmark scale`."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from bertline import options


def scale(
    context: typer.Context,
    bundle: Annotated[Path, typer.Argument(help="Bundle folder, from bertline export.", metavar="BUNDLE")],
    table: Annotated[Path, typer.Argument(help="TSV file with sentences to make files of.", metavar="TSV")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Result as JSON.")] = Path("artifacts/scale.json"),
    model: Annotated[
        Path | None, typer.Option(help="Model folder the bundle was exported from, for shares of the matrix rate.")
    ] = None,
    rows: Annotated[str, typer.Option(help="Rows of each file, or none.")] = "1000,10000,100000,1000000",
    lengths: Annotated[str, typer.Option(help="Tokens of each row, a file each, or none.")] = "8,16,32,64,128,256,512",
    length_tokens: Annotated[int, typer.Option(min=1, help="Tokens of each such file in all.")] = 131_072,
    thread_rows: Annotated[
        int, typer.Option(min=0, help="Rows to score with 1, 2, 4… and all CPUs' threads.")
    ] = 20_000,
    repeats: Annotated[int, typer.Option(min=0, help="Sentences to score once, and ten times each.")] = 8000,
    passes: Annotated[int, typer.Option(min=1, help="Processes for each file; intervals need two or more.")] = 3,
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
    """How time and memory grow with rows, their length and threads, and what repeated sentences cost.

    Takes about 10 minutes where a row takes 150 µs, as with a small model on two free cores, and hours with BERT-base:
    then give fewer --rows and --length-tokens. Ctrl-C keeps what is finished.

    Example: bertline benchmark scale bundle in_domain_train.tsv --format cola --rows 1000,10000,100000 --html
    """
    from benchmarks.output import check_outputs, finish, whole_numbers
    from benchmarks.scale.measure import measure_scale
    from benchmarks.scale.plans import Sizes
    from benchmarks.scale.tables import tables
    from bertline.console import log_console
    from bertline.tsv import TableSpec
    from infer.cpus import usable_cpus

    spec = TableSpec.from_options(format=format, header=header, columns=columns, text_column=text_column)
    sizes = Sizes(
        () if rows == "none" else whole_numbers("--rows", rows),
        () if lengths == "none" else whole_numbers("--lengths", lengths),
        length_tokens,
        thread_rows,
        repeats,
    )
    check_outputs(output, *([".html"] if html else []), force=force)
    console, threads = log_console(quiet), threads or usable_cpus()
    result = measure_scale(
        bundle,
        table,
        spec,
        sizes,
        model_dir=model,
        variant=variant,
        provider=provider,
        threads=threads,
        passes=passes,
        progress=lambda line: console.print(line, markup=False),
    )
    finish(result, threads, context.obj, partial(tables, result), output, console, html=html)
