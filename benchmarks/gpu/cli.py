"""`bertline benchmark gpu`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bertline import options

if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any


def gpu(
    bundle: Annotated[Path, typer.Argument(help="Bundle folder, exported with cuda-fp16.", metavar="BUNDLE")],
    table: Annotated[Path, typer.Argument(help="TSV file with labelled rows, as CoLA's.", metavar="TSV")],
    model: Annotated[Path, typer.Option(help="Model folder the bundle was exported from.")],
    output: Annotated[
        Path, typer.Option("--output", "-o", help="Result as JSON; its tables go beside it, as .md.")
    ] = Path("artifacts/gpu.json"),
    minutes: Annotated[float, typer.Option(min=0, help="After which nothing further is started.")] = 8.0,
    only: Annotated[
        str | None, typer.Option(help="Sections to run: matrix_rate,parity,kernels,throughput_real,…; else all.")
    ] = None,
    device: Annotated[str, typer.Option(help="cuda, cuda:N, or cpu to try the command out.")] = "cuda",
    text_column: options.TextColumn = None,
    label_column: options.LabelColumn = None,
    columns: options.Columns = None,
    header: options.Header = None,
    format: options.Format = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """All that a CUDA machine can say: parity, kernels, throughput, end to end, latency, training.

    What is finished is in the files after every section, also when it is stopped. Exit code 3 where parity or the
    evidence of kernels fails.

    Example: bertline benchmark gpu bundle in_domain_train.tsv --format cola --model model -o gpu.json
    """
    import json

    from benchmarks.gpu import sections
    from benchmarks.gpu.bench import Bench
    from benchmarks.gpu.plan import TRIAL, Clock, Plan
    from benchmarks.gpu.tables import markdown, tables
    from benchmarks.output import check_outputs, show
    from bertline.console import log_console
    from bertline.errors import BertlineError, VerificationError
    from bertline.files import write_whole
    from bertline.tsv import TableSpec
    from finetune.device import resolve_device

    clock = Clock(minutes)
    spec = TableSpec.from_options(
        format=format, header=header, columns=columns, text_column=text_column, label_column=label_column
    )
    page = output.with_suffix(".md")
    check_outputs(output, ".md", force=force)
    console = log_console(quiet)

    def say(line: str) -> None:
        console.print(line, markup=False)

    def save(document: "Mapping[str, Any]") -> None:
        write_whole(output, json.dumps(document, indent=1, allow_nan=False) + "\n")
        write_whole(page, markdown(document))

    found = resolve_device(device)
    bench = Bench(bundle, model, table, spec, found, TRIAL if found == "cpu" else Plan(), clock, say)
    try:
        document = sections.measure(bench, save, [name.strip() for name in only.split(",")] if only else None)
    except KeyboardInterrupt:
        raise KeyboardInterrupt(f"what was finished is in {output}" if output.exists() else "") from None
    for shown in tables(document):
        show(shown)
    say(f"wrote {output} and {page}")
    if faults := sections.faults(document):
        raise VerificationError(f"{output}: {'; '.join(faults)}")
    if failed := sections.failures(document):
        raise BertlineError(f"{output}: not measured for an error: {'; '.join(failed)}")
