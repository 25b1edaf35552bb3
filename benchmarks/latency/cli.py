"""`bertline benchmark latency`."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from bertline import options


def latency(
    context: typer.Context,
    bundle: Annotated[Path, typer.Argument(help="Bundle folder, from bertline export.", metavar="BUNDLE")],
    model: Annotated[Path, typer.Option(help="Model folder the bundle was exported from.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Result as JSON.")] = Path("artifacts/latency.json"),
    variants: Annotated[str, typer.Option(help="bertline's own to time: all, or as fp32,bf16,int8.")] = "all",
    batches: Annotated[str, typer.Option(help="Rows in a batch.")] = "1,8,32",
    sequences: Annotated[str, typer.Option(help="Tokens in a row.")] = "8,16,64,128",
    seconds: Annotated[float, typer.Option(min=0, help="Time for each shape at least, first calls apart.")] = 4.0,
    threads: options.Threads = None,
    html: Annotated[bool, typer.Option("--html", help="Write the picture beside the JSON, as a page.")] = False,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Latency of PyTorch (fp32, bf16, compiled) and of the bundle's variants on the same batches, in turns, warm.

    First calls are shown apart. About three minutes for a MiniLM on two idle cores, most of it for compiling and the
    largest batches; Ctrl-C keeps the shapes that are finished. What cannot run here is a row that says why.

    Example: bertline benchmark latency bundle --model model -o latency.json --html
    """
    from benchmarks.latency.measure import measure_latency
    from benchmarks.latency.pytorch_ways import pytorch_ways
    from benchmarks.latency.result import Plan
    from benchmarks.latency.tables import tables
    from benchmarks.latency.ways import bertline_ways
    from benchmarks.output import check_outputs, finish, whole_numbers
    from benchmarks.variants import chosen_variants
    from bertline.bundle import Bundle
    from bertline.console import log_console
    from infer.cpus import usable_cpus

    plan = Plan(whole_numbers("--batches", batches), whole_numbers("--sequences", sequences), seconds)
    check_outputs(output, *([".html"] if html else []), force=force)
    console, threads = log_console(quiet), threads or usable_cpus()
    opened = Bundle.open(bundle)
    ways = [*pytorch_ways(model), *bertline_ways(opened, chosen_variants(opened, variants, threads), threads)]
    result = measure_latency(
        bundle, model, ways, plan, threads=threads, progress=lambda line: console.print(line, markup=False)
    )
    finish(result, threads, context.obj, partial(tables, result), output, console, html=html)
