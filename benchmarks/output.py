"""Where the commands of the benchmarks leave their results: a JSON document, perhaps a page, and tables on stdout."""

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from rich.console import Console

from benchmarks.cells import NONE
from benchmarks.documents import Document, Result
from benchmarks.machine import Ceiling, Machine, this_machine
from bertline.console import result_console
from bertline.errors import UsageError
from bertline.files import check_output_file, write_whole
from bertline.report import Table, is_numeric


def check_outputs(output: Path, *endings: str, force: bool, inputs: Iterable[Path] = ()) -> None:
    """Refuse names that cannot be written, before anything is measured: `output`, and the same with other endings.

    `inputs` are never replaced.
    """
    inputs = list(inputs)
    if output.parent == Path("artifacts"):
        output.parent.mkdir(exist_ok=True)
    check_output_file(output, force=force, inputs=inputs)
    for ending in endings:
        if output.suffix == ending:
            raise UsageError(f"-o {output}: {ending} is the ending of what goes beside it; name another")
        check_output_file(output.with_suffix(ending), force=force, inputs=inputs)


def show(table: Table) -> None:
    """The table on stdout; a column of figures stands right."""
    from rich.table import Table as RichTable
    from rich.text import Text

    drawn = RichTable(title=Text(table.caption or ""), title_justify="left", box=None)
    for index, name in enumerate(table.columns):
        numeric = is_numeric([row[index] for row in table.rows])
        drawn.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in table.rows:  # as Text, for an error may look like markup
        drawn.add_row(*(Text(NONE if cell is None else str(cell)) for cell in row))
    result_console().print(drawn)


def finish(
    result: Result,
    threads: int,
    arguments: Sequence[str],
    tables: Callable[[Ceiling | None], Sequence[Table]],
    output: Path,
    console: Console,
    *,
    html: bool,
) -> None:
    """Measure the machine, write document and page, and then show the tables: what can fail comes last.

    Raises KeyboardInterrupt where the result was interrupted, once it is written.
    """
    document = Document.of(result, _machine(threads, ceiling=not result.interrupted), arguments)
    write_whole(output, document.to_json())
    if html:
        from benchmarks.report.page import results_page

        write_whole(output.with_suffix(".html"), results_page([document]))
    console.print(f"wrote {output}{' and its page' if html else ''}", markup=False)
    for table in tables(document.machine.ceiling):
        show(table)
    if result.interrupted:
        raise KeyboardInterrupt(f"{output} holds what was finished")


def _machine(threads: int, *, ceiling: bool) -> Machine:
    """Who presses Ctrl-C waits for no ceiling, and loses nothing else."""
    try:
        return this_machine(threads, ceiling=ceiling)
    except KeyboardInterrupt:
        return this_machine(threads, ceiling=False)


def whole_numbers(option: str, text: str) -> tuple[int, ...]:
    """The numbers of an option such as 1,8,32; UsageError where they are none, or not above 0."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and int(part) > 0 for part in parts):
        raise UsageError(f"{option} {text}: give whole numbers above 0, as in 1,8,32")
    return tuple(int(part) for part in parts)
