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


def _numbers(option: str, text: str) -> tuple[int, ...]:
    from bertline.errors import UsageError

    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and int(part) > 0 for part in parts):
        raise UsageError(f"{option} {text}: give whole numbers above 0, as in 1,8,32")
    return tuple(int(part) for part in parts)
