"""`bertline benchmark`."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from benchmarks.gpu.cli import gpu
from benchmarks.peers.cli import Folder, peers
from bertline import options

if TYPE_CHECKING:
    from rich.console import Console

_LEFT = ("runtime", "way", "file", "not measured, because")  # columns of texts

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
    from benchmarks.latency import TABLE_COLUMNS, Plan, latency_page, measure_latency, table_rows, to_json
    from bertline.console import log_console

    plan = Plan(_numbers("--batches", batches), _numbers("--sequences", sequences), seconds)
    _check(output, html=html, force=force)
    console = log_console(quiet)
    cells, environment = measure_latency(
        bundle, model, plan, threads=threads, progress=lambda cell: console.print(f"timing batch × sequence {cell}")
    )
    _show(f"latency, {environment['threads']} threads, {environment['cpu']}", TABLE_COLUMNS, table_rows(cells))
    page = latency_page(cells, environment) if html else None
    _write(console, output, to_json(cells, environment, plan), page)


@benchmark.command()
def throughput(
    bundle: Annotated[Path, typer.Argument(help="Bundle folder, from bertline export.", metavar="BUNDLE")],
    table: Annotated[Path, typer.Argument(help="TSV file with the rows to score.", metavar="TSV")],
    model: Annotated[Path, typer.Option(help="Model folder the bundle was exported from.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Result as JSON.")] = Path("artifacts/throughput.json"),
    variants: Annotated[str, typer.Option(help="bertline's own to measure: fp32,bf16,int8.")] = "fp32",
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
    from benchmarks import throughput, throughput_tables
    from benchmarks.peers.catalogue import chosen_peers
    from bertline.console import log_console
    from bertline.tsv import TableSpec

    spec = TableSpec.from_options(
        format=format, header=header, columns=columns, text_column=text_column, label_column=label_column
    )
    chosen = chosen_peers(peers)
    _check(output, html=html, force=force)
    console = log_console(quiet)
    outcome = throughput.measure_throughput(
        bundle,
        model,
        table,
        spec,
        variants=[name.strip() for name in variants.split(",")],
        peers=chosen,
        peers_folder=peers_folder,
        rows=rows,
        passes=passes,
        threads=threads,
        timeout_seconds=timeout,
        progress=lambda line: console.print(line, markup=False),
    )
    where = f"{outcome.environment['threads']} threads, {outcome.environment['cpu']}"
    for title, names, found in throughput_tables.tables(outcome):
        _show(f"{title}, {where}", names, found)
    page = throughput_tables.throughput_page(outcome, table.name) if html else None
    _write(console, output, throughput.to_json(outcome), page)
    if outcome.interrupted:
        raise KeyboardInterrupt(f"{output} holds what was finished")


@benchmark.command()
def scale(
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
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Time per row and memory as a file grows, and with repeated sentences.

    Example: bertline benchmark scale bundle in_domain_train.tsv --format cola --rows 100000,2000000
    """
    from benchmarks import scale
    from bertline.console import log_console
    from bertline.tsv import TableSpec

    spec = TableSpec.from_options(format=format, header=header, columns=columns, text_column=text_column)
    _check(output, html=False, force=force)
    console = log_console(quiet)
    how = ["--variant", variant, "--provider", provider, *(["--threads", str(threads)] if threads else [])]
    sizes, environment = scale.measure_scale(
        bundle,
        table,
        spec,
        _numbers("--rows", rows),
        passes=passes,
        repeat_rows=repeats,
        options=how,
        progress=lambda line: console.print(line, markup=False),
    )
    title = f"scale, {environment['variant']}, {environment['threads']} threads, {environment['cpu']}"
    _show(title, scale.TABLE_COLUMNS, scale.table_rows(sizes))
    _write(console, output, scale.to_json(sizes, environment), None)


benchmark.command()(gpu)
benchmark.add_typer(peers, name="peers")


def _check(output: Path, *, html: bool, force: bool) -> None:
    """Refuse names that cannot be written, before anything is measured."""
    from bertline.files import check_output_file

    if output.parent == Path("artifacts"):
        output.parent.mkdir(exist_ok=True)
    for file in [output, output.with_suffix(".html")] if html else [output]:
        check_output_file(file, force=force)


def _show(title: str, columns: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    """The table on stdout; numbers stand right."""
    from rich.table import Table

    from bertline.console import result_console

    table = Table(title=title, title_justify="left", box=None)
    for name in columns:
        table.add_column(name, justify="left" if name in _LEFT else "right")
    for row in rows:
        table.add_row(*row)
    result_console().print(table)


def _write(console: "Console", output: Path, document: dict[str, Any], page: str | None) -> None:
    import json

    from bertline.files import write_whole

    write_whole(output, json.dumps(document, indent=1) + "\n")
    if page is not None:
        write_whole(output.with_suffix(".html"), page)
    console.print(f"wrote {output}", markup=False)


def _numbers(option: str, text: str) -> tuple[int, ...]:
    from bertline.errors import UsageError

    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and int(part) > 0 for part in parts):
        raise UsageError(f"{option} {text}: give whole numbers above 0, as in 1,8,32")
    return tuple(int(part) for part in parts)
