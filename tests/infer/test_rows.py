"""Inputs as one stream of windows."""

import hashlib
import io
import os
import sys
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bertline.bundle import Bundle, Manifest
from bertline.errors import BertlineError, UsageError
from bertline.tsv import TableSpec
from infer.rows import STDIN, Rows
from tests import tiny


@pytest.fixture(scope="module")
def manifest(bundle: Path) -> Manifest:
    return replace(Bundle.open(bundle).manifest, label_column="label")


def rows_of(manifest: Manifest, *inputs: Path, use_labels: bool = True, **options: Any) -> Rows:
    return Rows(inputs, TableSpec(**options), manifest, use_labels=use_labels)


@pytest.mark.parametrize("size", [1, 5, 24, 1000])
def test_windows_hold_all_rows_in_order_across_files(manifest: Manifest, tmp_path: Path, size: int) -> None:
    files = [tiny.write_table(tmp_path / "a.tsv", 24), tiny.write_table(tmp_path / "b.tsv", 7)]
    rows = rows_of(manifest, *files)
    windows = list(rows.windows(size))
    assert [len(window) for window in windows[:-1]] == [size] * (len(windows) - 1)
    assert [line.split("\t")[0] for window in windows for line in window.lines] == [
        str(i) for i in (*range(24), *range(7))
    ]
    assert [text for window in windows for text in window.texts][:8] == tiny.SENTENCES
    assert [label for window in windows for label in window.labels][:4] == [0, 1, 0, 1]
    assert [number for window in windows for number in window.numbers] == [*range(2, 26), *range(2, 9)]
    assert rows.count == 31 and rows.bytes_read == rows.bytes_total == sum(file.stat().st_size for file in files)
    assert [(read.name, read.bytes, read.sha256) for read in rows.read] == [
        (str(file), file.stat().st_size, hashlib.sha256(file.read_bytes()).hexdigest()) for file in files
    ]


def test_the_manifest_names_the_columns_and_options_override_it(manifest: Manifest, tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text("sentence\tother\tlabel\tgold\na\tb\t0\t1\n")
    (window,) = rows_of(manifest, path).windows(9)
    assert (window.texts, window.labels) == (["a"], [0])
    (window,) = rows_of(manifest, path, text_column="2", label_column="gold").windows(9)
    assert (window.texts, window.labels) == (["b"], [1])
    (window,) = rows_of(manifest, path, use_labels=False).windows(9)
    assert window.labels == []


def test_pairs_need_a_bundle_of_pairs(manifest: Manifest, tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text("a\tb\nx\ty\n")
    pairs = replace(manifest, text_columns=("a", "b"))
    (window,) = rows_of(pairs, path).windows(9)
    assert window.texts == [("x", "y")]
    (window,) = rows_of(pairs, path, text_column="b", pair_column="a").windows(9)
    assert window.texts == [("y", "x")]
    with pytest.raises(BertlineError, match=r"this bundle scores single texts, and .* leave out --pair-column"):
        rows_of(manifest, path, text_column="a", pair_column="b")


def test_labels_that_were_not_asked_for_may_be_missing(manifest: Manifest, tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text("sentence\na\n")
    assert not rows_of(manifest, path).labelled
    with pytest.raises(BertlineError, match=r"no column 'gold'.*--label-column"):
        rows_of(manifest, path, label_column="gold")


def test_two_label_columns_are_not_guessed_between(manifest: Manifest, tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text("sentence\tlabel\tlabel\na\t0\t1\n")
    with pytest.raises(BertlineError, match="several columns are called 'label'; give --label-column a position"):
        rows_of(manifest, path)
    (window,) = rows_of(manifest, path, label_column="3").windows(9)
    assert window.labels == [1]


def test_inputs_are_there_and_alike_before_anything_is_scored(manifest: Manifest, tmp_path: Path) -> None:
    table, other = tiny.write_table(tmp_path / "a.tsv"), tmp_path / "b.tsv"
    with pytest.raises(BertlineError, match=r"b.tsv: no such file"):
        rows_of(manifest, table, other)
    other.write_text("sentence\tid\tlabel\na\t0\t1\n")
    with pytest.raises(
        BertlineError, match=r"b.tsv, line 1: its columns are sentence, id, label, while .*a.tsv has id, "
    ):
        list(rows_of(manifest, table, other).windows(9))
    other.write_text("id\tsentence\tlabel\n")
    with pytest.raises(BertlineError, match=r"b.tsv: has a header and no rows"):
        list(rows_of(manifest, table, other).windows(9))


def test_stdin_is_read_once(manifest: Manifest, monkeypatch: pytest.MonkeyPatch) -> None:
    stdin = io.TextIOWrapper(io.BytesIO(b"sentence\na\n"))
    monkeypatch.setattr(sys, "stdin", stdin)
    rows = rows_of(manifest, STDIN)
    (window,) = rows.windows(9)
    assert (window.texts, rows.bytes_total, rows.read[0].bytes) == (["a"], None, 11)
    with pytest.raises(UsageError, match="only once"):
        rows_of(manifest, STDIN, STDIN)
    monkeypatch.setattr(sys, "stdin", None)
    with pytest.raises(BertlineError, match="stdin is closed"):
        rows_of(manifest, STDIN)


def test_a_named_pipe_is_opened_once(manifest: Manifest, tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    writer = threading.Thread(target=pipe.write_bytes, args=(b"sentence\na\n",), daemon=True)
    writer.start()
    rows = rows_of(manifest, pipe)
    (window,) = rows.windows(9)
    writer.join(5)
    assert (window.texts, rows.bytes_total, rows.read[0].bytes) == (["a"], None, 11)
