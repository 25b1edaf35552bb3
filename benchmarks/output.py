"""Where the commands of the benchmarks leave their results: a JSON document, perhaps a page, and tables on stdout."""

from pathlib import Path

from rich.console import Console

from benchmarks.documents import Document
from bertline.console import result_console
from bertline.errors import UsageError
from bertline.files import check_output_file, write_whole
from bertline.report import Table, is_numeric


def check_outputs(output: Path, *endings: str, force: bool) -> None:
    """Refuse names that cannot be written, before anything is measured: `output`, and the same with other endings."""
    if output.parent == Path("artifacts"):
        output.parent.mkdir(exist_ok=True)
    for file in (output, *map(output.with_suffix, endings)):
        check_output_file(file, force=force)


def show(table: Table) -> None:
    """The table on stdout; a column of figures stands right."""
    from rich.table import Table as RichTable
    from rich.text import Text

    drawn = RichTable(title=Text(table.caption or ""), title_justify="left", box=None)
    for index, name in enumerate(table.columns):
        numeric = is_numeric([row[index] for row in table.rows])
        drawn.add_column(name, justify="right" if numeric else "left", overflow="fold")
    for row in table.rows:  # as Text, for an error may look like markup
        drawn.add_row(*(Text("–" if cell is None else str(cell)) for cell in row))
    result_console().print(drawn)


def save(document: Document, output: Path, console: Console, *, html: bool) -> None:
    """Write the document, and beside it its page."""
    write_whole(output, document.to_json())
    if html:
        from benchmarks.report.page import results_page

        write_whole(output.with_suffix(".html"), results_page([document]))
    console.print(f"wrote {output}{' and its page' if html else ''}", markup=False)


def whole_numbers(option: str, text: str) -> tuple[int, ...]:
    """The numbers of an option such as 1,8,32; UsageError where they are none, or not above 0."""
    parts = [part.strip() for part in text.split(",")]
    if not all(part.isascii() and part.isdigit() and int(part) > 0 for part in parts):
        raise UsageError(f"{option} {text}: give whole numbers above 0, as in 1,8,32")
    return tuple(int(part) for part in parts)
