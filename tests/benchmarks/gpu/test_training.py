"""Fine-tuning time, by the real command."""

from typing import Any

import pytest

from benchmarks.gpu.training import table_options
from bertline.tsv import TableSpec
from tests.benchmarks.gpu.conftest import PLAN


def test_every_epoch_has_its_time(document: dict[str, Any]) -> None:
    entry = document["sections"]["training"]
    assert len(entry["epoch_seconds"]) == PLAN.epochs and min(entry["epoch_seconds"]) > 0
    assert entry["rows"] == 40 and entry["dimensions"]["hidden_size"] == 32 and entry["batch_size"] == 32
    assert sum(entry["epoch_seconds"]) < entry["seconds"]


@pytest.mark.parametrize(
    "options",
    [
        {"format": "cola"},
        {},
        {"columns": "a,b", "text_column": "b"},
        {"text_column": "2", "pair_column": "b", "label_column": "y"},
    ],
)
def test_a_table_is_described_as_it_was(options: dict[str, str]) -> None:
    spec = TableSpec.from_options(**options)  # type: ignore[arg-type]
    words = table_options(spec)
    assert words[0] in ("--header", "--no-header")
    named = dict(zip(words[1::2], words[2::2], strict=True))
    again = TableSpec.from_options(
        header=words[0] == "--header",
        columns=named.get("--columns"),
        text_column=named.get("--text-column"),
        pair_column=named.get("--pair-column"),
        label_column=named.get("--label-column"),
    )
    assert again == spec
