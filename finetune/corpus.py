"""The corpus: labelled rows to train on, and the holdouts to judge by."""

import hashlib
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from bertline.errors import BertlineError, UsageError
from bertline.files import sha256_of
from bertline.labels import LabelParser, parse_cell
from bertline.presets import COLA_COLUMNS
from bertline.tsv import Table, TableSpec, open_input
from finetune import cola

MAX_LABELS = 200  # a column with more distinct values holds something else
_COLA_SPEC = TableSpec(False, COLA_COLUMNS, "sentence", None, "label")
_COLA_LABELS = ("0", "1")


@dataclass(frozen=True)
class Example:
    """One labelled row."""

    text: str
    pair: str | None
    label: int  # id


@dataclass(frozen=True)
class Corpus:
    """Rows to train on, holdouts by name, label names by id."""

    name: str
    labels: tuple[str, ...]
    train: Sequence[Example]
    holdouts: dict[str, Sequence[Example]]
    sha256: str  # of all files read, in order
    spec: TableSpec


def load_corpus(
    source: str,
    spec: TableSpec,
    *,
    labels: Sequence[str] | None = None,
    holdout: Path | None = None,
    progress: cola.Progress = lambda done, total: None,
) -> Corpus:
    """Read `cola` (the published archive), a folder or zip archive laid out like it, or any TSV file.

    `labels` are the names by id; default: 0 and 1 for CoLA, else the distinct values of the label column, sorted.
    A CoLA corpus comes with its two dev files as holdouts, unless `holdout` names another.
    Raises BertlineError for anything that is not such a corpus, with file, line and column.
    """
    if labels is not None and (len(labels) < 2 or len(set(labels)) < len(labels) or not all(labels)):
        raise UsageError(f"--labels {','.join(labels)}: give two or more different names")
    folder, published = _cola_folder(source, progress)
    if folder is None:
        return _load_table(Path(source), spec, labels, holdout)
    if spec not in (TableSpec(), _COLA_SPEC):
        raise UsageError(f"{source}: CoLA's files have their own columns; leave out the options about columns")
    return _load_cola(source, folder, labels or _COLA_LABELS, holdout, published=published)


def _cola_folder(source: str, progress: cola.Progress) -> tuple[Path | None, bool]:
    """The folder with CoLA's files, if the source is one; and whether it must be the corpus as published."""
    path = Path(source)
    if source == "cola" and not path.exists():
        return _find_cola(cola.published_cola(progress)), True
    if path.suffix == ".zip" and path.is_file():
        unpacked = cola.cache_folder() / "archives" / sha256_of(path)
        unpacked.parent.mkdir(parents=True, exist_ok=True)
        if not unpacked.is_dir():
            cola.unpack(path, unpacked)
        return _find_cola(unpacked, source), False
    return (_find_cola(path), False) if path.is_dir() else (None, False)


def _find_cola(folder: Path, name: str | None = None) -> Path:
    for candidate in (folder, folder / "raw", folder / "cola_public" / "raw"):
        if (candidate / "in_domain_train.tsv").is_file():
            return candidate
    raise BertlineError(
        f"{name or folder}: holds no raw/in_domain_train.tsv; give CoLA's folder or archive, or one TSV file"
    )


def _load_cola(source: str, folder: Path, labels: Sequence[str], holdout: Path | None, *, published: bool) -> Corpus:
    train, *dev = (folder / f"{name}.tsv" for name in cola.ROWS)
    holdouts = [holdout] if holdout else [file for file in dev if file.exists()]
    corpus = _load(source, train, holdouts, _COLA_SPEC, labels)
    if published:
        rows = {train.stem: len(corpus.train)}
        rows |= {} if holdout else {file.stem: len(corpus.holdouts.get(file.stem, ())) for file in dev}
        for name, found in rows.items():
            if found != cola.ROWS[name]:
                raise BertlineError(
                    f"{folder / name}.tsv: has {found} rows instead of {cola.ROWS[name]}; delete the cache {folder}"
                )
    return corpus


def _load_table(path: Path, spec: TableSpec, labels: Sequence[str] | None, holdout: Path | None) -> Corpus:
    spec = replace(spec, text_column=spec.text_column or "sentence", label_column=spec.label_column or "label")
    return _load(str(path), path, [holdout] if holdout else [], spec, labels or _label_names(path, spec))


def _load(name: str, train: Path, holdouts: Sequence[Path], spec: TableSpec, labels: Sequence[str]) -> Corpus:
    parser = LabelParser(labels)
    spec = _with_names(train, spec)
    rows = _read(train, spec, parser)
    held_out = {file.stem: _read(file, spec, parser) for file in holdouts}
    return Corpus(name, tuple(labels), rows, dict(held_out), _digest([train, *holdouts]), spec)


def _with_names(path: Path, spec: TableSpec) -> TableSpec:
    """The spec with columns that were given by position by name: the next file may have them elsewhere."""
    with open_input(path) as stream:
        table = Table(stream, str(path), spec)

    def name(column: str | None, option: str) -> str | None:
        return table.column_name(column, option) if column else None

    return replace(
        spec,
        text_column=name(spec.text_column, "--text-column"),
        pair_column=name(spec.pair_column, "--pair-column"),
        label_column=name(spec.label_column, "--label-column"),
    )


def _label_names(path: Path, spec: TableSpec) -> tuple[str, ...]:
    with open_input(path) as stream:
        table = Table(stream, str(path), spec)
        column = table.index(spec.label_column or "label", "--label-column")
        found: Counter[str] = Counter()
        for row in table:
            if not row.cells[column]:
                raise table.error(
                    row.line, column, "the label is empty; correct the row or name the labels with --labels"
                )
            found[row.cells[column]] += 1
            if len(found) > MAX_LABELS:
                raise table.error(row.line, column, f"over {MAX_LABELS} different labels; name another --label-column")
    if len(found) == 1:
        raise BertlineError(
            f"{path}: every row has the label {next(iter(found))!r}; training needs two, or name --labels"
        )
    return tuple(sorted(found, key=_label_order))


def _label_order(label: str) -> tuple[float, str]:
    """Numbers by value before words."""
    number = re.fullmatch(r"[+-]?\d+(\.\d+)?", label, re.ASCII)
    return (float(label) if number else math.inf), label


def _read(path: Path, spec: TableSpec, parser: LabelParser) -> list[Example]:
    with open_input(path) as stream:
        table = Table(stream, str(path), spec)
        text = table.index(spec.text_column or "sentence", "--text-column")
        pair = table.index(spec.pair_column, "--pair-column") if spec.pair_column else None
        label = table.index(spec.label_column or "label", "--label-column")
        examples = [
            Example(
                row.cells[text],
                None if pair is None else row.cells[pair],
                parse_cell(parser, row.cells[label], table, row.line, label),
            )
            for row in table
        ]
    if not examples:
        raise BertlineError(f"{path}: has a header and no rows; give a table with at least one row")
    return examples


def _digest(files: Iterable[Path]) -> str:
    """One SHA-256 over those of the files, in order."""
    return hashlib.sha256("\n".join(map(sha256_of, files)).encode()).hexdigest()
