"""Scored rows as JSON lines: one object a row."""

import json
from collections.abc import Callable, Sequence
from itertools import compress as chosen
from json.encoder import encode_basestring as quoted
from pathlib import Path
from typing import Any

from bertline.problems import MultiLabel, Problem, Regression
from infer.output import Decided, Logits, OutputFormat
from infer.windows import Window


class JsonLinesFormat:
    """Columns by name, in order; cells of TSV are strings, those of Parquet what JSON has for them.

    Several labels of a row are a list of strings.
    """

    def __init__(
        self,
        columns: Sequence[str],
        problem: Problem,
        form: OutputFormat,
        compress: Callable[[bytes], bytes],
    ) -> None:
        self._problem, self._form, self._compress = problem, form, compress
        self._names = [quoted(label) for label in problem.labels]
        added = form.columns(problem)
        texts = [] if isinstance(problem, Regression) else added[:1]
        fields = [f"{_key(name)}: %s" for name in [*columns, *texts]]
        fields += [f"{_key(name)}: %.9g" for name in added[len(texts) :]]  # nine digits keep a float32 exactly
        self._object = "{" + ", ".join(fields) + "}\n"

    def head(self) -> bytes:
        """Nothing."""
        return self._compress(b"")

    def rows(self, window: Window, logits: Logits, decided: Decided) -> bytes:
        """One object a row."""
        if not len(window):
            return b""
        cells = [[_encoded(values) for values in block.values()] for block in window.blocks]
        columns = [[cell for part in parts for cell in part] for parts in zip(*cells, strict=True)]
        numbers = [column.tolist() for column in self._form.numbers(self._problem, logits, decided)]
        rows = zip(*columns, *self._labels(decided), *numbers, strict=True)
        return self._compress("".join(map(self._object.__mod__, rows)).encode())

    def _labels(self, decided: Decided) -> list[list[str]]:
        """The column of labels, where there is one."""
        if isinstance(self._problem, Regression):
            return []
        if isinstance(self._problem, MultiLabel):
            return [["[" + ", ".join(chosen(self._names, row)) + "]" for row in decided.tolist()]]
        return [[self._names[label] for label in decided.tolist()]]

    def finish(self, partial: Path, whole: Path) -> None:
        """It is JSON lines already."""
        partial.replace(whole)


def _key(name: str) -> str:
    return quoted(name).replace("%", "%%")


def _encoded(values: list[Any]) -> list[str]:
    return [quoted(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in values]
