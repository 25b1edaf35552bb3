"""`python -m benchmarks.scaling [RESULT.json]`: write benchmarks/scaling.md from the document."""

import sys
from pathlib import Path

from benchmarks.documents import read_document
from benchmarks.report.readme import RESULTS
from benchmarks.scaling.document import markdown
from bertline.errors import BertlineError
from bertline.files import write_whole

PAGE = RESULTS.parent / "scaling.md"

if __name__ == "__main__":
    source = Path(sys.argv[1]) if len(sys.argv) > 1 else RESULTS / "scaling-minilm.json"
    try:
        write_whole(PAGE, markdown(read_document(source), source.stem))
    except BertlineError as error:
        sys.exit(str(error))
