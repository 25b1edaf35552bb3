"""Result documents: read as they were written, and refused by name where they are something else."""

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from benchmarks.documents import SCHEMA, Document, read_document
from benchmarks.latency.result import Cell, Latency, LoadedWay, Plan
from benchmarks.machine import Ceiling, Machine
from benchmarks.scale.result import ROWS, Series
from benchmarks.throughput.result import NOTEBOOK, Throughput
from benchmarks.timing import Timing
from bertline.errors import BertlineError
from tests.benchmarks import made
from tests.benchmarks.scale.points import point, scale

MACHINE = Machine("a CPU", 2, 1, 1024, "Linux x86_64", {"bertline": "1"}, Ceiling({"float32": 1e12}, 1e10))
DOCUMENT = Document.of(
    scale(Series(ROWS, (point(10, (1.0, 2.0)),), {"20 rows": "out of luck"})),
    MACHINE,
    ["benchmark", "scale", "my bundle"],
)


def test_it_comes_back_as_it_was_written(tmp_path: Path) -> None:
    file = tmp_path / "scale.json"
    file.write_text(DOCUMENT.to_json(), encoding="utf-8")
    assert read_document(file) == DOCUMENT
    assert (DOCUMENT.kind, DOCUMENT.schema) == ("scale", SCHEMA)
    assert DOCUMENT.command == "bertline benchmark scale 'my bundle'"


def without(name: str) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(DOCUMENT.to_json())
    del found[name]
    return found


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"schema": 1, "kind": "scale"}, "is of schema 1, and this bertline reads 2; measure again with bertline"),
        ({"schema": 3, "kind": "scale"}, "is of schema 3, and"),
        ({"schema": SCHEMA, "kind": "weather"}, "a result of the kind 'weather' is not understood"),
        ({"schema": SCHEMA}, "is no result of bertline benchmark"),
        ([1, 2], "is no result of bertline benchmark"),
        (without("machine"), "machine is None, not an object; measure again"),
        (
            without("result") | {"result": {"variant": 1}},
            "result.table is missing; result.variant is 1, not str",
        ),
    ],
)
def test_what_is_something_else_is_refused_by_name(value: object, message: str, tmp_path: Path) -> None:
    file = tmp_path / "r.json"
    file.write_text(json.dumps(value))
    with pytest.raises(BertlineError) as error:
        read_document(file)
    assert str(error.value).startswith(f"{file}: ") and message in str(error.value)


@pytest.mark.parametrize("content", [b"", b"PK\x03", b"{", b"[" * 100_000])
def test_what_is_no_json_is_refused(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_bytes(content)
    with pytest.raises(BertlineError, match="is no JSON file"):
        read_document(tmp_path / "r.json")


def test_a_file_that_is_not_there_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(BertlineError, match="no such result file"):
        read_document(tmp_path / "r.json")
    with pytest.raises(BertlineError, match="is no JSON file"):
        read_document(tmp_path)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"rows": 0}, "there are no rows"),
        ({"ways": ()}, 'no way is "notebook\'s loop, PyTorch fp32"'),
        ({"ways": (made.way(NOTEBOOK),)}, "has no passes"),
        ({"ways": (made.way(NOTEBOOK, 1.0, 0.0),)}, "has no passes, or one that took no time"),
        ({"ways": (made.way(NOTEBOOK, 1.0), made.way(NOTEBOOK, 2.0))}, "two ways have one title"),
    ],
)
def test_figures_that_cannot_be_shown_are_named(change: dict[str, Any], message: str, tmp_path: Path) -> None:
    file, document = tmp_path / "t.json", made.throughput_document()
    assert isinstance(document.result, Throughput)
    file.write_text(replace(document, result=replace(document.result, **change)).to_json(), encoding="utf-8")
    with pytest.raises(BertlineError, match=re.escape(message)):
        read_document(file)


def test_a_latency_cell_of_no_way_is_named(tmp_path: Path) -> None:
    cell = Cell("nobody", 1, 8, 1.0, Timing(1.0, 1.0, 1.0, 1.0, 5, 1.0, 1.0), 0.0, None)
    latency = Latency(Plan(), 1, 100, (LoadedWay("?", "p", ("decimal",), 0.1),), (cell,), {})
    file = tmp_path / "l.json"
    file.write_text(Document.of(latency, MACHINE, []).to_json(), encoding="utf-8")
    with pytest.raises(BertlineError, match=r"nobody: was not loaded.*was not timed by PyTorch.*decimal: is no number"):
        read_document(file)
