"""`bertline benchmark`."""

from pathlib import Path
from typing import Annotated

import typer

from bertline import options

benchmark = typer.Typer(help="Measure what a way of running a model is worth.")


@benchmark.callback()
def _group() -> None:
    """A group, also while it has one command."""


@benchmark.command()
def latency(
    bundle: Annotated[Path, typer.Argument(help="Bundle folder, from bertline export.", metavar="BUNDLE")],
    model: Annotated[Path, typer.Option(help="Model folder the bundle was exported from.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Result as JSON.")] = Path("artifacts/latency.json"),
    batches: Annotated[str, typer.Option(help="Rows in a batch.")] = "1,8,32",
    sequences: Annotated[str, typer.Option(help="Tokens in a row.")] = "8,16,64,128",
    seconds: Annotated[float, typer.Option(min=0, help="Time for each shape, warm-up apart.")] = 2.0,
    threads: options.Threads = None,
    html: Annotated[bool, typer.Option("--html", help="Write the picture beside the JSON, as a page.")] = False,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Latency of PyTorch eager and ONNX Runtime on the same batches, in turns, warm.

    Example: bertline benchmark latency bundle --model model -o latency.json --html
    """
    import json

    from rich.table import Table

    from benchmarks.latency import TABLE_COLUMNS, Plan, latency_page, measure_latency, table_rows, to_json
    from bertline.console import log_console, result_console
    from bertline.files import check_output_file, write_whole

    plan = Plan(_numbers("--batches", batches), _numbers("--sequences", sequences), seconds)
    if output.parent == Path("artifacts"):
        output.parent.mkdir(exist_ok=True)
    page = output.with_suffix(".html")
    for file in [output, page] if html else [output]:
        check_output_file(file, force=force)
    console = log_console(quiet)
    cells, environment = measure_latency(
        bundle, model, plan, threads=threads, progress=lambda cell: console.print(f"timing batch × sequence {cell}")
    )
    table = Table(
        title=f"latency, {environment['threads']} threads, {environment['cpu']}", title_justify="left", box=None
    )
    for name in TABLE_COLUMNS:
        table.add_column(name, justify="left" if name == "runtime" else "right")
    for row in table_rows(cells):
        table.add_row(*row)
    result_console().print(table)
    write_whole(output, json.dumps(to_json(cells, environment, plan), indent=1) + "\n")
    if html:
        write_whole(page, latency_page(cells, environment))
    console.print(f"wrote {output}", markup=False)


@benchmark.command()
def throughput(
    bundle: Annotated[Path, typer.Argument(help="Bundle folder, from bertline export.", metavar="BUNDLE")],
    table: Annotated[Path, typer.Argument(help="TSV file with the rows to score.", metavar="TSV")],
    model: Annotated[Path, typer.Option(help="Model folder the bundle was exported from.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Result as JSON.")] = Path("artifacts/throughput.json"),
    variants: Annotated[str, typer.Option(help="bertline's own to measure: fp32,bf16,int8.")] = "fp32",
    rows: Annotated[int, typer.Option(min=1, help="Rows to score at most, spread over the file.")] = 1024,
    passes: Annotated[int, typer.Option(min=1, help="Counted passes, after a first one that is shown apart.")] = 3,
    threads: options.Threads = None,
    text_column: options.TextColumn = None,
    columns: options.Columns = None,
    header: options.Header = None,
    format: options.Format = None,
    html: Annotated[bool, typer.Option("--html", help="Write the table beside the JSON, as a page.")] = False,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """One file scored in all the ways a person would today: the notebook, transformers, PyTorch, ONNX, bertline.

    Example: bertline benchmark throughput bundle in_domain_train.tsv --format cola --model model --html
    """
    import json

    from rich.table import Table

    from benchmarks import throughput
    from bertline.console import log_console, result_console
    from bertline.files import check_output_file, write_whole
    from bertline.tsv import TableSpec

    spec = TableSpec.from_options(format=format, header=header, columns=columns, text_column=text_column)
    if output.parent == Path("artifacts"):
        output.parent.mkdir(exist_ok=True)
    page = output.with_suffix(".html")
    for file in [output, page] if html else [output]:
        check_output_file(file, force=force)
    console = log_console(quiet)
    results, environment = throughput.measure_throughput(
        bundle,
        model,
        table,
        spec,
        variants=[name.strip() for name in variants.split(",")],
        rows=rows,
        passes=passes,
        threads=threads,
        progress=lambda line: console.print(line, markup=False),
    )
    shown = Table(
        title=f"throughput, {environment['threads']} threads, {environment['cpu']}", title_justify="left", box=None
    )
    for name in throughput.TABLE_COLUMNS:
        shown.add_column(name, justify="left" if name == "way" else "right")
    for row in throughput.table_rows(results, environment):
        shown.add_row(*row)
    result_console().print(shown)
    write_whole(output, json.dumps(throughput.to_json(results, environment), indent=1) + "\n")
    if html:
        write_whole(page, throughput.throughput_page(results, environment, table.name))
    console.print(f"wrote {output}", markup=False)


def _numbers(option: str, text: str) -> tuple[int, ...]:
    from bertline.errors import UsageError

    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and int(part) > 0 for part in parts):
        raise UsageError(f"{option} {text}: give whole numbers above 0, as in 1,8,32")
    return tuple(int(part) for part in parts)
