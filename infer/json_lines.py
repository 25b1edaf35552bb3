"""Scored rows as JSON lines: one object a row."""

import json
from collections.abc import Callable, Sequence
from json.encoder import encode_basestring as quoted
from pathlib import Path
from typing import Any

from infer.output import Logits, OutputFormat, Predicted
from infer.windows import Window


class JsonLinesFormat:
    """Columns by name, in order; cells of TSV are strings, those of Parquet what JSON has for them."""

    def __init__(
        self,
        columns: Sequence[str],
        labels: Sequence[str],
        form: OutputFormat,
        compress: Callable[[bytes], bytes],
    ) -> None:
        self._form, self._compress = form, compress
        self._labels = [quoted(label) for label in labels]
        label, *numbers = form.columns(labels)
        fields = [f"{_key(name)}: %s" for name in [*columns, label]]
        fields += [f"{_key(name)}: %.9g" for name in numbers]  # nine digits keep a float32 exactly
        self._object = "{" + ", ".join(fields) + "}\n"

    def head(self) -> bytes:
        """Nothing."""
        return self._compress(b"")

    def rows(self, window: Window, logits: Logits, predicted: Predicted) -> bytes:
        """One object a row."""
        if not len(window):
            return b""
        cells = [[_encoded(values) for values in block.values()] for block in window.blocks]
        columns = [[cell for part in parts for cell in part] for parts in zip(*cells, strict=True)]
        labels = [self._labels[label] for label in predicted.tolist()]
        numbers = [column.tolist() for column in self._form.numbers(logits, predicted)]
        rows = zip(*columns, labels, *numbers, strict=True)
        return self._compress("".join(map(self._object.__mod__, rows)).encode())

    def finish(self, partial: Path, whole: Path) -> None:
        """It is JSON lines already."""
        partial.replace(whole)


def _key(name: str) -> str:
    return quoted(name).replace("%", "%%")


def _encoded(values: list[Any]) -> list[str]:
    return [quoted(value) if isinstance(value, str) else json.dumps(value, ensure_ascii=False) for value in values]
