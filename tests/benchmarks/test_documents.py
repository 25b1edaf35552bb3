"""Result documents: read as they were written, and refused by name where they are something else."""

import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.documents import SCHEMA, Document, read_document
from benchmarks.machine import Ceiling, Machine
from benchmarks.scale.result import ROWS, Series
from bertline.errors import BertlineError
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
