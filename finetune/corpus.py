"""The corpus: labelled rows to train on, and the holdouts to judge by."""

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from bertline.errors import BertlineError, UsageError
from bertline.files import sha256_of
from bertline.labels import CellParser, parse_cell
from bertline.presets import COLA_COLUMNS
from bertline.problems import MULTI_LABEL, REGRESSION, SINGLE_LABEL, Problem, problem_of
from bertline.tsv import Table, TableSpec, no_rows, open_input
from finetune import cola
from finetune.label_names import check_given, label_names

_COLA_SPEC = TableSpec(False, COLA_COLUMNS, "sentence", None, "label")
_COLA_LABELS = ("0", "1")


@dataclass(frozen=True)
class Example:
    """One labelled row."""

    text: str
    pair: str | None
    label: Any  # what the problem's parser gives: an id, ids, or a number


@dataclass(frozen=True)
class Corpus:
    """Rows to train on, holdouts by name, label names by id."""

    name: str
    labels: tuple[str, ...]
    train: Sequence[Example]
    holdouts: dict[str, Sequence[Example]]
    sha256: str  # of all files read, in order
    spec: TableSpec
    problem_type: str = SINGLE_LABEL

    @property
    def problem(self) -> Problem:
        """What the labels mean."""
        return problem_of(self.problem_type, self.labels)


def load_corpus(
    source: str,
    spec: TableSpec,
    *,
    problem_type: str = SINGLE_LABEL,
    labels: Sequence[str] | None = None,
    holdout: Path | None = None,
    progress: cola.Progress = lambda done, total: None,
) -> Corpus:
    """Read `cola` (the published archive), a folder or zip archive laid out like it, or any TSV file.

    `labels` are the names by id; default: 0 and 1 for CoLA, else the distinct names of the label column, sorted, or of
    regression the column's own. A CoLA corpus comes with its two dev files as holdouts, unless `holdout` names another.
    Raises BertlineError for anything that is not such a corpus, with file, line and column.
    """
    if labels is not None:
        check_given(labels, problem_type)
    folder, published = _cola_folder(source, progress)
    if folder is None:
        return _load_table(Path(source), spec, problem_type, labels, holdout)
    if spec not in (TableSpec(), _COLA_SPEC):
        raise UsageError(f"{source}: CoLA's files have their own columns; leave out the options about columns")
    if problem_type != SINGLE_LABEL:
        raise UsageError(f"{source}: a row of CoLA has one of two labels; leave out --problem, or give single")
    return _load_cola(source, folder, labels or _COLA_LABELS, holdout, published=published)


def is_cola(source: str) -> bool:
    """Whether the source is read as CoLA: its name, or a folder or archive laid out like it."""
    path = Path(source)
    return path.is_dir() or (path.suffix == ".zip" and path.is_file()) or (source == "cola" and not path.exists())


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


def _load_table(
    path: Path, spec: TableSpec, problem_type: str, labels: Sequence[str] | None, holdout: Path | None
) -> Corpus:
    spec = replace(spec, text_column=spec.text_column or "sentence", label_column=spec.label_column or "label")
    names = labels or label_names(path, spec, problem_type)
    corpus = _load(str(path), path, [holdout] if holdout else [], spec, names, problem_type)
    if problem_type == REGRESSION and len({example.label for example in corpus.train}) == 1:
        raise BertlineError(
            f"{path}: every row has the {names[0]} {corpus.train[0].label:g}, of which nothing can be learned; name "
            "another --label-column"
        )
    return corpus


def _load(
    name: str,
    train: Path,
    holdouts: Sequence[Path],
    spec: TableSpec,
    labels: Sequence[str],
    problem_type: str = SINGLE_LABEL,
) -> Corpus:
    parser = problem_of(problem_type, labels).parser()
    hints = {REGRESSION: ", or train with --problem single", MULTI_LABEL: ", or name all labels with --labels"}
    hint = hints.get(problem_type, "")
    spec = _with_names(train, spec)
    rows = _read(train, spec, parser, hint)
    held_out = {file.stem: _read(file, spec, parser, hint) for file in holdouts}
    return Corpus(name, tuple(labels), rows, dict(held_out), _digest([train, *holdouts]), spec, problem_type)


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


def _read(path: Path, spec: TableSpec, parser: CellParser, hint: str) -> list[Example]:
    with open_input(path) as stream:
        table = Table(stream, str(path), spec)
        text = table.index(spec.text_column or "sentence", "--text-column")
        pair = table.index(spec.pair_column, "--pair-column") if spec.pair_column else None
        label = table.index(spec.label_column or "label", "--label-column")
        examples = [
            Example(
                row.cells[text],
                None if pair is None else row.cells[pair],
                parse_cell(parser, row.cells[label], table, row.line, label, hint),
            )
            for row in table
        ]
    if not examples:
        raise no_rows(str(path))
    return examples


def _digest(files: Iterable[Path]) -> str:
    """One SHA-256 over those of the files, in order."""
    return hashlib.sha256("\n".join(map(sha256_of, files)).encode()).hexdigest()
