"""`bertline benchmark report`."""

from pathlib import Path
from typing import Annotated

import typer

from bertline import options


def report(
    results: Annotated[list[Path], typer.Argument(help="JSON files of the other benchmarks.", metavar="RESULT...")],
    output: Annotated[Path, typer.Option("--output", "-o", help="The page; its tables go beside it, as .md.")] = Path(
        "artifacts/benchmarks.html"
    ),
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """One page of what was measured: pictures, tables, environment, commands. And the tables for a README.

    Example: bertline benchmark report throughput.json latency.json scale.json -o benchmarks.html
    """
    from benchmarks.documents import read_document
    from benchmarks.output import check_outputs
    from benchmarks.report.markdown import documents_markdown
    from benchmarks.report.page import results_page
    from bertline.console import log_console
    from bertline.files import write_whole

    documents = [read_document(path) for path in results]
    tables = output.with_suffix(".md")
    check_outputs(output, ".md", force=force, inputs=results)
    write_whole(tables, documents_markdown(documents))
    write_whole(output, results_page(documents))
    log_console(quiet).print(f"wrote {output} and {tables}", markup=False)
