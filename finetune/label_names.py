"""The label names of a corpus: as they were given, or as its label column has them."""

import math
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from bertline.errors import BertlineError, UsageError
from bertline.labels import SEPARATOR, UNWRITABLE, NumberParser, can_stand_among_others, names_in
from bertline.problems import MULTI_LABEL, REGRESSION, SINGLE_LABEL
from bertline.tsv import Table, TableSpec, no_rows, open_input

MAX_LABELS = 200  # a column with more distinct values holds something else
_UNFIT = "a name that stands among others holds no comma, and does not begin with [ or a space; rename it"
_UNWRITABLE = "a name holds a tab, a line end or the like, which no table can; rename it"
_MANY_NUMBERS = 10  # from so many labels on that are all numbers, they may be amounts


def check_given(labels: Sequence[str], problem_type: str) -> None:
    """UsageError where these cannot be what `--labels` names."""
    told = f"--labels {','.join(labels)}"
    if problem_type == REGRESSION:
        raise UsageError(f"{told}: regression predicts a number, named as its column; leave out --labels")
    least, words = (2, "two") if problem_type == SINGLE_LABEL else (1, "one")
    if len(labels) < least or len(set(labels)) < len(labels) or not all(labels):
        raise UsageError(f"{told}: give {words} or more different names")
    if any(map(UNWRITABLE.search, labels)):
        raise UsageError(f"{','.join(labels)!r}: {_UNWRITABLE}")
    if problem_type == MULTI_LABEL and not all(map(can_stand_among_others, labels)):
        raise UsageError(f"{told}: {_UNFIT}")


def label_names(path: Path, spec: TableSpec, problem_type: str) -> tuple[str, ...]:
    """The distinct names of the label column, sorted; of regression, the column's own name.

    Raises BertlineError, with line and column, where the column cannot be one of labels.
    """
    with open_input(path) as stream:
        table = Table(stream, str(path), spec)
        wanted = spec.label_column or "label"
        column = table.index(wanted, "--label-column")
        if problem_type == REGRESSION:
            name = table.column_name(wanted, "--label-column")
            if UNWRITABLE.search(name):
                raise BertlineError(f"{path}, line 1: {name!r}: {_UNWRITABLE}")
            return (name,)
        several = problem_type == MULTI_LABEL
        found: set[str] = set()
        row = None
        for row in table:
            cell = row.cells[column]
            names = names_in(cell) if several else [cell]
            fault = _fault(names, several)
            if names is None or fault:
                raise table.error(row.line, column, f"{cell[:40]!r}: {fault}")
            found.update(names)
            if len(found) > MAX_LABELS:
                message = f"over {MAX_LABELS} different labels; {_remedy(found, several)}"
                raise table.error(row.line, column, message)
    if row is None:
        raise no_rows(str(path))
    if not found:
        raise BertlineError(f"{path}: no row has a label; name another --label-column, or --labels")
    if len(found) == 1 and not several:
        raise BertlineError(
            f"{path}: every row has the label {next(iter(found))!r}; training needs two, or name --labels"
        )
    return tuple(sorted(found, key=_order))


def remark_on(labels: Sequence[str], problem_type: str) -> str | None:
    """What to say of labels that look as if they were meant for another problem; None where they do not."""
    if problem_type != SINGLE_LABEL:
        return None
    if len(labels) > _MANY_NUMBERS and _numbers(labels):
        return f"the {len(labels)} labels are all numbers; --problem regression would learn them as amounts"
    joined = [name for name in labels if SEPARATOR in name and set(name.split(SEPARATOR)) <= set(labels)]
    if joined:
        return f"labels such as {joined[0]!r} are taken as one; --problem multi-label would learn each name by itself"
    return None


def _fault(names: Sequence[str] | None, several: bool) -> str | None:
    """What to say of a cell with these names; None where they are names."""
    if names is None:
        return "is no list of names; write names with commas between, which do not begin with [, or a list in JSON"
    if not all(names):
        return "a name is empty; take it out" if several else "is no label; correct the row"
    if any(map(UNWRITABLE.search, names)):
        return _UNWRITABLE
    return _UNFIT if several and not all(map(can_stand_among_others, names)) else None


def _remedy(found: Iterable[str], several: bool) -> str:
    """By what the values look like."""
    values = list(found)
    if not several and _numbers(values):
        return "they are numbers, which --problem regression learns; else name another --label-column"
    if not several and sum(SEPARATOR in value for value in values) > len(values) / 2:
        return "names joined by commas are learned with --problem multi-label; else name another --label-column"
    return "name another --label-column"


def _numbers(values: Sequence[str]) -> bool:
    return None not in NumberParser().values_of(values)


def _order(label: str) -> tuple[float, str]:
    """Numbers by value before words."""
    number = re.fullmatch(r"[+-]?\d+(\.\d+)?", label, re.ASCII)
    return (float(label) if number else math.inf), label
