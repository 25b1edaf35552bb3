"""`bertline benchmark latency`."""

from pathlib import Path
from typing import Annotated

import typer

from bertline import options


def latency(
    context: typer.Context,
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
    from benchmarks.documents import Document
    from benchmarks.latency.measure import measure_latency
    from benchmarks.latency.result import Plan
    from benchmarks.latency.tables import latency_table
    from benchmarks.machine import this_machine
    from benchmarks.output import check_outputs, save, show, whole_numbers
    from bertline.console import log_console
    from infer.cpus import usable_cpus

    plan = Plan(whole_numbers("--batches", batches), whole_numbers("--sequences", sequences), seconds)
    check_outputs(output, *([".html"] if html else []), force=force)
    console, threads = log_console(quiet), threads or usable_cpus()
    result = measure_latency(
        bundle, model, plan, threads=threads, progress=lambda cell: console.print(f"timing batch × sequence {cell}")
    )
    show(latency_table(result))
    save(Document.of(result, this_machine(threads), context.obj), output, console, html=html)
