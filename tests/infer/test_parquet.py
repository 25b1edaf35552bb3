"""Parquet: the same rows as the table it was made from, its own types where it stays Parquet, and what is wrong."""

import datetime
import hashlib
import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bertline.bundle import Bundle, Manifest
from bertline.errors import BertlineError
from bertline.problems import SingleLabel
from bertline.tsv import TableSpec
from infer import parquet
from infer.output import OutputFormat, format_for
from infer.rows import OnError, Rows
from infer.windows import Window
from tests import tiny

PROBLEM = SingleLabel(("0", "1"))
KINDS = {
    "id": pa.array([1, 2, None], pa.int64()),
    "sentence": pa.array(["a\tb", "c\r\nd", "e"]),
    "label": pa.array([0, 1, 0], pa.int8()),
    "share": pa.array([0.5, 1e-7, 3.0], pa.float64()),
    "kept": pa.array([True, None, False]),
    "kind": pa.array(["x", "y", "x"]).dictionary_encode(),
    "when": pa.array([datetime.datetime(2024, 1, 2, 3, 4, 5)] * 3, pa.timestamp("ms")),
    "more": pa.array([[{"a": "x\ty"}], [], None]),
}


@pytest.fixture(scope="module")
def manifest(bundle: Path) -> Manifest:
    return replace(Bundle.open(bundle).manifest, label_column="label")


def write(path: Path, columns: dict[str, Any], **options: Any) -> Path:
    pq.write_table(pa.table(columns), path, **options)
    return path


def rows_of(manifest: Manifest, *inputs: Path, on_error: OnError = "fail", **spec: Any) -> Rows:
    return Rows(inputs, TableSpec(**spec), manifest, use_labels=True, on_error=on_error)


def score(rows: Rows, name: Path, size: int = 2) -> list[Window]:
    """The rows under that name, with logits that count up."""
    form = format_for(name, rows.columns, PROBLEM, OutputFormat(), rows.schema)
    windows, content = list(rows.windows(size)), form.head()
    for window in windows:
        logits = np.arange(2 * len(window), dtype=np.float32).reshape(-1, 2)
        content += form.rows(window, logits, logits.argmax(axis=1))
    partial = name.with_name("partial")
    partial.write_bytes(content)
    form.finish(partial, name)
    return windows


@pytest.mark.parametrize("size", [1, 7, 100])
def test_the_same_rows_as_the_table_it_was_made_from(manifest: Manifest, tmp_path: Path, size: int) -> None:
    plain = tiny.write_table(tmp_path / "t.tsv", 24)
    header, *lines = (line.split("\t") for line in plain.read_text().splitlines())
    made = dict(zip(header, map(list, zip(*lines, strict=True)), strict=True))
    packed = write(tmp_path / "t.parquet", made, row_group_size=5)
    one, other, mixed = rows_of(manifest, plain), rows_of(manifest, packed), rows_of(manifest, packed, plain)
    assert one.columns == other.columns and one.schema is None and mixed.schema is None
    for a, b in zip(one.windows(size), other.windows(size), strict=True):
        assert (a.lines, a.texts, a.labels) == (b.lines, b.texts, b.labels)
        assert b.numbers == [number - 1 for number in a.numbers]
    assert [line for window in mixed.windows(size) for line in window.lines] == ["\t".join(line) for line in lines] * 2
    assert other.bytes_read == other.bytes_total == packed.stat().st_size
    assert other.read[0].sha256 == hashlib.sha256(packed.read_bytes()).hexdigest()
    for name in ("o.tsv", "o.jsonl", "o.parquet"):  # and mixed rows can be written as anything
        score(rows_of(manifest, packed, plain), tmp_path / name, size)
    assert pq.read_table(tmp_path / "o.parquet")["sentence"].to_pylist() == [line[1] for line in lines] * 2


def test_columns_of_any_kind_as_lines(manifest: Manifest, tmp_path: Path) -> None:
    windows = score(rows_of(manifest, write(tmp_path / "t.parquet", KINDS)), tmp_path / "o.tsv")
    assert [text for window in windows for text in window.texts] == ["a\tb", "c\r\nd", "e"]  # as they are
    assert [window.blanked for window in windows] == [2, 0]
    assert [line.split("\t")[:-2] for line in (tmp_path / "o.tsv").read_text().splitlines()[1:]] == [
        ["1", "a b", "0", "0.5", "true", "x", "2024-01-02T03:04:05.000", '[{"a": "x\\ty"}]'],
        ["2", "c d", "1", "1e-07", "", "y", "2024-01-02T03:04:05.000", "[]"],
        ["", "e", "0", "3.0", "false", "x", "2024-01-02T03:04:05.000", ""],
    ]


def test_columns_of_any_kind_as_json(manifest: Manifest, tmp_path: Path) -> None:
    score(rows_of(manifest, write(tmp_path / "t.parquet", KINDS)), tmp_path / "o.jsonl")
    first, second, third = map(json.loads, (tmp_path / "o.jsonl").read_text().splitlines())
    assert first == {
        "id": 1, "sentence": "a\tb", "label": 0, "share": 0.5, "kept": True, "kind": "x",
        "when": "2024-01-02T03:04:05.000", "more": [{"a": "x\ty"}], "predicted_label": "1", "score": first["score"],
    }  # fmt: skip
    assert (second["kept"], third["id"], third["more"]) == (None, None, None)


def test_from_parquet_to_parquet_types_stay(
    manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("infer.parquet_output.GROUP_ROWS", 2)
    source = write(tmp_path / "t.parquet", KINDS)
    windows = score(rows_of(manifest, source, source), tmp_path / "o.parquet", 2)
    before, after = pq.read_table(source), pq.read_table(tmp_path / "o.parquet")
    assert after.schema.types == [*before.schema.types, pa.string(), pa.float32()]
    assert after.select(before.column_names).to_pylist() == before.to_pylist() * 2
    assert pq.ParquetFile(tmp_path / "o.parquet").num_row_groups > 1
    assert [window.blanked for window in windows] == [0] * 3  # nothing was made into lines


def test_files_of_other_types_do_not_go_into_one_parquet_file(manifest: Manifest, tmp_path: Path) -> None:
    one = write(tmp_path / "a.parquet", {"sentence": ["a"], "id": [1]})
    two = write(tmp_path / "b.parquet", {"sentence": ["a"], "id": ["x"]})
    score(rows_of(manifest, one, two), tmp_path / "o.tsv")
    with pytest.raises(BertlineError, match=r"b\.parquet: column id holds string where the first input holds int64"):
        score(rows_of(manifest, one, two), tmp_path / "o.parquet")


def test_bad_rows_and_their_reasons(manifest: Manifest, tmp_path: Path) -> None:
    sentences = pa.array([b"a", None, b"\xe9", b"b", b"c"]).view(pa.string())
    path = write(tmp_path / "t.parquet", {"sentence": sentences, "label": ["0", "1", "0", None, "1"]})
    with pytest.raises(BertlineError, match=r"t\.parquet, row 2, column sentence: null is no text; fill it in"):
        list(rows_of(manifest, path).windows(9))
    (window,) = rows_of(manifest, path, on_error="quarantine").windows(9)
    assert [(reject.line, reject.reason) for reject in window.rejects] == [(2, "null"), (3, "encoding"), (4, "label")]
    assert window.rejects[2].message.startswith("column label: null is not a label (0, 1)")
    assert [reject.raw for reject in window.rejects] == [b"\t1", b"\xe9\t0", b"b\t"]
    assert (window.texts, window.numbers, window.labels) == (["a", "c"], [1, 5], [0, 1])


def test_what_is_no_text_column_or_no_parquet(manifest: Manifest, tmp_path: Path) -> None:
    path = write(tmp_path / "t.parquet", {"sentence": [1], "text": ["a"]})
    with pytest.raises(BertlineError, match=r"column sentence: holds int64 and no text; .* with --text-column"):
        rows_of(manifest, path)
    with pytest.raises(BertlineError, match=r"has column names of its own \(sentence, text\); leave out --no-header"):
        rows_of(manifest, path, header=False, text_column="text")
    content = path.read_bytes()
    for damaged in (b"", b"sentence\na\n", content[:-20], content[:10] + b"\0" * 40 + content[50:]):
        path.write_bytes(damaged)
        with pytest.raises(BertlineError, match=r"t\.parquet: is damaged, or no Parquet file \(.*fetch or make it ag"):
            list(rows_of(manifest, path, text_column="text").windows(9))
    with pytest.raises(BertlineError, match=r"t\.parquet: has no rows; give a table"):
        list(rows_of(manifest, write(path, {"sentence": pa.array([], pa.string())})).windows(9))


def test_batches_are_as_large_as_rows_are_small(
    manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "t.parquet", {"sentence": [f"{row:0100}" for row in range(1000)]}, use_dictionary=False)
    monkeypatch.setattr(parquet, "BATCH_BYTES", 1000)
    monkeypatch.setattr("infer.windows.WINDOW_SIZE", 5000)
    windows = list(rows_of(manifest, path).windows(10**6))
    assert all(len(block) < 20 for window in windows for block in window.blocks)
    assert all(30 < len(window) < 70 for window in windows[:-1])
    assert [number for window in windows for number in window.numbers] == list(range(1, 1001))


def test_without_pyarrow_the_error_says_what_to_install(
    manifest: Manifest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = write(tmp_path / "t.parquet", {"sentence": ["a"]})
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(BertlineError, match=r"pyarrow is not installed; pip install 'bertline\[parquet\]'"):
        rows_of(manifest, path)
