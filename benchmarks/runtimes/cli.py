"""`bertline benchmark runtimes`."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from bertline import options


def runtimes(
    context: typer.Context,
    bundle: Annotated[Path, typer.Argument(help="Bundle folder, with consumers in it.", metavar="BUNDLE")],
    tables: Annotated[list[Path], typer.Argument(help="TSV files with the rows to score.", metavar="TSV...")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Result as JSON.")] = Path("artifacts/runtimes.json"),
    tokens_on: Annotated[
        list[Path] | None, typer.Option(help="Further TSV files to compare token ids on; again for each.")
    ] = None,
    runtimes: Annotated[str, typer.Option(help="Consumers to measure: all, or names as python-lean,node.")] = "all",
    variants: Annotated[str, typer.Option(help="Variants: all that every consumer reads, or as fp32,int8.")] = "all",
    passes: Annotated[int, typer.Option(min=1, help="Counted starts and files of each, in turns.")] = 3,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds for each call of a consumer.")] = 600,
    text_column: options.TextColumn = None,
    pair_column: options.PairColumn = None,
    columns: options.Columns = None,
    header: options.Header = None,
    format: options.Format = None,
    html: Annotated[bool, typer.Option("--html", help="Write the tables beside the JSON, as a page.")] = False,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Each consumer in the bundle, run as its own program, against bertline's own answers on the CPU.

    What it needs and its size, cold start, rows/s, logits, labels, token ids (of a hard set of Unicode, too), and its
    self-check. What is not in the bundle, lacks a tool, fails or hangs is a row that says why.

    Example: bertline benchmark runtimes bundle in_domain_dev.tsv --format cola --tokens-on in_domain_train.tsv
    """
    from benchmarks.output import check_outputs, finish
    from benchmarks.runtimes.catalogue import chosen_consumers
    from benchmarks.runtimes.measure import Plan, chosen_variants, measure_runtimes
    from benchmarks.runtimes.tables import tables as tables_of
    from bertline.bundle import Bundle
    from bertline.console import log_console
    from bertline.tsv import TableSpec
    from infer.cpus import usable_cpus

    spec = TableSpec.from_options(
        format=format, header=header, columns=columns, text_column=text_column, pair_column=pair_column
    )
    further = tokens_on or []
    check_outputs(output, *([".html"] if html else []), force=force, inputs=[*tables, *further])
    opened, console, threads = Bundle.open(bundle), log_console(quiet), usable_cpus()
    plan = Plan(tables, further, spec, chosen_variants(opened.manifest, variants), passes, timeout)
    result = measure_runtimes(
        opened,
        chosen_consumers(runtimes, opened.manifest),
        plan,
        threads=threads,
        progress=lambda line: console.print(line, markup=False),
    )
    finish(result, threads, context.obj, partial(tables_of, result), output, console, html=html)
