"""Tables as Markdown, for a README or an issue."""

import re
from collections.abc import Sequence

from benchmarks.cells import NONE
from benchmarks.documents import Document
from benchmarks.report.provenance import provenance
from benchmarks.report.tables import named_tables
from bertline.report import Cell, Table, is_numeric

_MARKS = re.compile(r"[\\|`\[\]]")


def markdown_table(table: Table) -> str:
    """The rows under a header, without the caption; columns of figures stand right. Texts cannot break out of it."""
    numeric = [is_numeric([row[index] for row in table.rows]) for index in range(len(table.columns))]
    rule = ["---:" if right else "---" for right in numeric]
    return "\n".join([_line(table.columns), _line(rule), *map(_line, table.rows)]) + "\n"


def _line(cells: Sequence[Cell]) -> str:
    return f"| {' | '.join(plain(NONE if cell is None else str(cell)) for cell in cells)} |"


def plain(text: str) -> str:
    """The text as one line that stands for itself: no table, link, picture, code or HTML comes of it."""
    return _MARKS.sub(r"\\\g<0>", " ".join(text.split())).replace("<", "&lt;")


def documents_markdown(documents: Sequence[Document]) -> str:
    """All tables of all documents, each with the machine, the day and the command."""
    parts = []
    for document in documents:
        command = document.command.replace("\n", " ")
        parts.append(f"## {document.kind.capitalize()}\n\n{plain(provenance(document))}\n\n    {command}\n")
        for name, table in named_tables(document).items():
            parts.append(f"**{plain(table.caption or name)}**\n\n{markdown_table(table)}")
    return "\n".join(parts)
