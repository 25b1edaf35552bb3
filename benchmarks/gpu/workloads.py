"""What is scored: real rows, and rows of random tokens of one length."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from benchmarks.gpu.attempts import NotHereError
from benchmarks.single_texts import single_texts
from bertline.bundle import Bundle
from bertline.tsv import TableSpec
from infer.encode import Encoded, Encoder
from infer.scorer import WINDOW_ROWS

_FIRST_WORD = 5  # ids below are markers in the vocabularies of BERT's kin
_SEED = 42


@dataclass(frozen=True)
class Workload:
    """Rows of token ids."""

    name: str
    encoded: Encoded
    texts: Sequence[str] = ()
    labels: Sequence[int] = ()  # ids, where the table has labels
    names: Sequence[str] = field(default=(), repr=False)  # of the rows, for an error

    @property
    def rows(self) -> int:
        return len(self.encoded.lengths)

    @property
    def tokens(self) -> int:
        return int(self.encoded.lengths.sum())


def real_rows(bundle: Bundle, table: Path, spec: TableSpec, most: int | None = None) -> Workload:
    """Rows of a table, at most so many, tokenized as the bundle does. BertlineError for a bundle that scores pairs."""
    source = single_texts(bundle, table, spec, "benchmark gpu is for single texts", use_labels=True)
    texts: list[str] = []
    labels: list[int] = []
    names: list[str] = []
    for window in source.windows(WINDOW_ROWS):
        texts += map(str, window.texts)
        labels += window.labels
        names += [f"{table.name}, line {number}" for number in window.numbers]
    texts, labels, names = texts[:most], labels[:most], names[:most]
    encoder = Encoder(bundle.path / "tokenizer.json", bundle.manifest.max_length)
    return Workload(table.name, encoder.encode(texts), texts, labels, names)


def random_rows(bundle: Bundle, vocabulary: int, length: int, tokens: int) -> Workload:
    """About `tokens` tokens in rows of `length`, random but for the markers; NotHereError where it is too long."""
    manifest, facts = bundle.manifest, bundle.manifest.tokenizer
    if length > manifest.positions:
        raise NotHereError(f"the model takes {manifest.positions} tokens at most")
    rows = max(1, tokens // length)
    ids = np.random.default_rng(_SEED).integers(_FIRST_WORD, vocabulary, (rows, length), np.int32)
    ids[:, 0], ids[:, -1] = facts.cls_id, facts.sep_id
    lengths = np.full(rows, length, np.int64)
    encoded = Encoded(ids.reshape(-1), np.zeros(ids.size, np.int32), lengths, np.zeros(rows, bool))
    return Workload(f"{length} tokens", encoded)


def padding_share(lengths: NDArray[np.int64], batches: Sequence[NDArray[np.int64]]) -> float:
    """Share of padding, 0…1, where each batch is padded to its longest row."""
    computed = sum(len(rows) * int(lengths[rows].max()) for rows in batches)
    return 1 - int(lengths.sum()) / computed


def one_row(encoded: Encoded, row: int) -> Encoded:
    """That row alone."""
    start, length = int(encoded.starts[row]), int(encoded.lengths[row])
    span = slice(start, start + length)
    return Encoded(
        encoded.ids[span], encoded.types[span], encoded.lengths[row : row + 1], encoded.truncated[row : row + 1]
    )
