"""The rows of a table for benchmarks that are of single texts."""

from pathlib import Path

from bertline.bundle import Bundle
from bertline.errors import BertlineError
from bertline.tsv import TableSpec
from infer.rows import Rows


def single_texts(bundle: Bundle, table: Path, spec: TableSpec, why: str, *, use_labels: bool) -> Rows:
    """As the bundle reads them; BertlineError that says `why` not, for a bundle that scores pairs."""
    if len(bundle.manifest.text_columns) != 1:
        raise BertlineError(f"{bundle.path}: scores pairs; {why}")
    return Rows([table], spec, bundle.manifest, use_labels=use_labels)
