"""`bertline benchmark throughput`."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from benchmarks.peers.cli import Folder
from bertline import options


def throughput(
    context: typer.Context,
    bundle: Annotated[Path, typer.Argument(help="Bundle folder, from bertline export.", metavar="BUNDLE")],
    table: Annotated[Path, typer.Argument(help="TSV file with the rows to score.", metavar="TSV")],
    model: Annotated[Path, typer.Option(help="Model folder the bundle was exported from.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Result as JSON.")] = Path("artifacts/throughput.json"),
    variants: Annotated[str, typer.Option(help="bertline's own to measure: all, or as fp32,bf16,int8.")] = "all",
    rows: Annotated[int, typer.Option(min=1, help="Rows to score at most, spread over the file.")] = 1024,
    passes: Annotated[int, typer.Option(min=1, help="Counted passes, after a first one that is shown apart.")] = 3,
    peers: Annotated[str, typer.Option(help="Others to measure: all, none, or names as a,b.")] = "all",
    peers_folder: Folder = None,
    timeout: Annotated[float, typer.Option(min=1, help="Seconds for each step of a way, as loading or a pass.")] = 1800,
    threads: options.Threads = None,
    text_column: options.TextColumn = None,
    label_column: options.LabelColumn = None,
    columns: options.Columns = None,
    header: options.Header = None,
    format: options.Format = None,
    html: Annotated[bool, typer.Option("--html", help="Write the table beside the JSON, as a page.")] = False,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """One file scored in all the ways a person would today: the notebook, transformers, ONNX, peers, bertline.

    Peers are made by bertline benchmark peers install; one that is not there is a row that says so.

    Example: bertline benchmark throughput bundle in_domain_train.tsv --format cola --model model --html
    """
    from benchmarks.output import check_outputs, finish
    from benchmarks.peers.catalogue import chosen_peers
    from benchmarks.throughput.measure import measure_throughput
    from benchmarks.throughput.tables import tables
    from bertline.console import log_console
    from bertline.tsv import TableSpec
    from infer.cpus import usable_cpus

    spec = TableSpec.from_options(
        format=format, header=header, columns=columns, text_column=text_column, label_column=label_column
    )
    chosen = chosen_peers(peers)
    check_outputs(output, *([".html"] if html else []), force=force)
    console, threads = log_console(quiet), threads or usable_cpus()
    result = measure_throughput(
        bundle,
        model,
        table,
        spec,
        variants=variants,
        peers=chosen,
        peers_folder=peers_folder,
        rows=rows,
        passes=passes,
        threads=threads,
        timeout_seconds=timeout,
        progress=lambda line: console.print(line, markup=False),
    )
    finish(result, threads, context.obj, partial(tables, result), output, console, html=html)
