"""Tables in Markdown files that come from result documents: written by `python -m benchmarks.report.readme FILE`.

Where a table stands is said by a comment, `<!-- table: DOCUMENT NAME -->`, and `<!-- end of table -->` behind it;
DOCUMENT is a file of `benchmarks/results/` without its ending, NAME a key of `named_tables`.
"""

import re
import sys
from pathlib import Path

from benchmarks.documents import read_document
from benchmarks.report.markdown import markdown_table, plain
from benchmarks.report.provenance import provenance
from benchmarks.report.tables import named_tables
from bertline.errors import BertlineError
from bertline.files import write_whole

RESULTS = Path(__file__).parent.parent / "results"
_PLACE = re.compile(r"(<!-- table: (\S+) (\S+) -->\n)(?:(?!<!-- table: ).)*?(?=<!-- end of table -->)", re.DOTALL)


def refreshed(text: str, results: Path = RESULTS) -> str:
    """The text with each table as its document has it today; BertlineError where there is none of that name."""

    def table(place: re.Match[str]) -> str:
        head, name, wanted = place.groups()
        document = read_document(results / f"{name}.json")
        found = named_tables(document)
        if wanted not in found:
            raise BertlineError(f"{name}: has no table {wanted!r}; it has {', '.join(found)}")
        told = f"{plain(provenance(document))}; `benchmarks/results/{name}.json`:"
        return f"{head}\n{told}\n\n{markdown_table(found[wanted])}\n"

    return _PLACE.sub(table, text)


if __name__ == "__main__":
    for argument in sys.argv[1:]:
        file = Path(argument)
        try:
            write_whole(file, refreshed(file.read_text(encoding="utf-8")))
        except BertlineError as error:
            sys.exit(f"{file}: {error}")
