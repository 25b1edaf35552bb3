"""Scored rows: columns in order, numbers that keep every bit of a float32, every format the same rows."""

import gzip
import json
import sys
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from backports import zstd

from bertline.blocks import LineBlock
from bertline.errors import BertlineError, UsageError
from bertline.labels import LabelSetParser
from bertline.problems import MultiLabel, Regression, SingleLabel
from infer.output import Format, OutputFormat, format_for, softmax
from infer.windows import Window

PROBLEM = SingleLabel(("no", "yes"))
COLUMNS = ("id", "te%xt")
ALL = OutputFormat(probabilities=True, logits=True)
ROWS = [[str(row), text] for row, text in enumerate(['"é\r', "", "\u2028😀", "\\N", "a%s", "{}", "null"] * 5)]


def window_of(rows: list[list[str]]) -> Window:
    """The rows as a window of two blocks, as two files would give it."""
    window, half = Window(100), len(rows) // 2
    for some in (rows[:half], rows[half:]):
        if some:
            window.add(LineBlock("in.tsv", 1, ["\t".join(row) for row in some], 2), [row[1] for row in some], [])
    return window


def logits_of(rows: int) -> np.ndarray:
    generator = np.random.default_rng(1)
    return (generator.normal(size=(rows, 2)) * 10.0 ** generator.integers(-8, 8, (rows, 2))).astype(np.float32)


def pieces(form: Format, rows: list[list[str]], logits: np.ndarray, cuts: list[int]) -> list[bytes]:
    written, edges = [form.head()], [0, *cuts, len(rows)]
    for start, stop in pairwise(edges):
        own = logits[start:stop]
        written.append(form.rows(window_of(rows[start:stop]), own, own.argmax(axis=1)))
    return written


def written(form: OutputFormat, logits: np.ndarray, rows: list[list[str]]) -> list[list[str]]:
    content = b"".join(pieces(format_for(Path("o"), COLUMNS, PROBLEM, form), rows, logits, []))
    return [line.split("\t") for line in content.decode().split("\n")]


def tsv_rows(content: bytes) -> list[list[Any]]:
    """All but the first two columns and the label are numbers."""
    lines = [line.split("\t") for line in content.decode().split("\n")[:-1]]
    return [lines[0], *([*line[:3], *(np.float32(cell) for cell in line[3:])] for line in lines[1:])]


def json_rows(content: bytes) -> list[list[Any]]:
    objects = [json.loads(line) for line in content.decode().split("\n")[:-1]]
    rows = [[np.float32(v) if isinstance(v, float | int) else v for v in row.values()] for row in objects]
    return [list(objects[0]), *rows]


def parquet_rows(path: Path) -> list[list[Any]]:
    table = pq.read_table(path)
    assert {str(kind) for kind in table.schema.types} == {"string", "float"}
    return [table.column_names, *(list(map(_as_float32, row.values())) for row in table.to_pylist())]


def _as_float32(value: Any) -> Any:
    return np.float32(value) if isinstance(value, float) else value


READERS: dict[str, Callable[[Path], list[list[Any]]]] = {
    "o.tsv": lambda path: tsv_rows(path.read_bytes()),
    "o.any": lambda path: tsv_rows(path.read_bytes()),
    "o.tsv.gz": lambda path: tsv_rows(gzip.decompress(path.read_bytes())),
    "o.tsv.zst": lambda path: tsv_rows(zstd.decompress(path.read_bytes())),
    "o.jsonl": lambda path: json_rows(path.read_bytes()),
    "o.NDJSON.gz": lambda path: json_rows(gzip.decompress(path.read_bytes())),
    "o.jsonl.zst": lambda path: json_rows(zstd.decompress(path.read_bytes())),
    "o.parquet": parquet_rows,
}


@pytest.mark.parametrize("name", list(READERS))
@pytest.mark.parametrize("cuts", [[], [10], [0, 10, 11, 35]], ids=["one window", "two", "some empty"])
def test_every_format_holds_the_same_rows_however_they_came(tmp_path: Path, name: str, cuts: list[int]) -> None:
    logits, partial = logits_of(len(ROWS)), tmp_path / "partial"
    form = format_for(Path(name), COLUMNS, PROBLEM, ALL)
    partial.write_bytes(b"".join(pieces(form, ROWS, logits, cuts)))
    form.finish(partial, whole := tmp_path / "whole")
    header, *rows = READERS[name](whole)
    assert header == [*COLUMNS, *ALL.columns(PROBLEM)]
    probabilities, predicted = softmax(logits), logits.argmax(axis=1)
    expected = zip(ROWS, predicted, probabilities.max(axis=1), probabilities, logits, strict=True)
    assert rows == [[*row, PROBLEM.labels[label], score, *prob, *logit] for row, label, score, prob, logit in expected]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["whole"]


@pytest.mark.parametrize("name", list(READERS))
def test_a_file_that_is_cut_off_behind_a_call_goes_on_in_another_process(tmp_path: Path, name: str) -> None:
    logits, partial = logits_of(len(ROWS)), tmp_path / "partial"
    first, second = (format_for(Path(name), COLUMNS, PROBLEM, ALL) for _ in range(2))
    head, one, two, _ = pieces(first, ROWS, logits, [10, 20])
    again = pieces(second, ROWS, logits, [10, 20])
    assert again[:3] == [head, one, two]  # the same windows give the same bytes
    partial.write_bytes(head + one + again[2] + again[3])
    second.finish(partial, whole := tmp_path / "whole")
    assert [row[:2] for row in READERS[name](whole)[1:]] == ROWS


def test_columns_are_the_inputs_then_label_score_probabilities_logits() -> None:
    logits = np.array([[0.0, np.log(3.0)]], np.float32)
    header, row, end = written(ALL, logits, [["1", ' "é\r']])
    assert header == ["id", "te%xt", "predicted_label", "score", "prob_no", "prob_yes", "logit_no", "logit_yes"]
    assert row == ["1", ' "é\r', "yes", "0.75", "0.25", "0.75", "0", "1.09861231"]
    assert end == [""]


def test_the_header_can_be_left_out_of_tsv() -> None:
    assert written(OutputFormat(header=False), np.zeros((1, 2), np.float32), [["1", "a"]])[0][:2] == ["1", "a"]
    for name in ("o.jsonl", "o.parquet"):
        with pytest.raises(UsageError, match=rf"{name}: .* leave out --no-output-header"):
            format_for(Path(name), COLUMNS, PROBLEM, OutputFormat(header=False))


def test_numbers_come_back_as_the_same_float32() -> None:
    logits = logits_of(2000)
    rows = written(ALL, logits, [["", ""]] * len(logits))[1:-1]
    numbers = np.array([row[3:] for row in rows], np.float32)
    probabilities = softmax(logits)
    assert (numbers[:, 3:] == logits).all()
    assert (numbers[:, 1:3] == probabilities).all()
    assert (numbers[:, 0] == probabilities.max(axis=1)).all()


def test_softmax_of_large_logits_neither_overflows_nor_loses_its_sum() -> None:
    probabilities = softmax(np.array([[1e30, -1e30], [3e38, 3e38], [-500, -501]], np.float32))
    assert probabilities.sum(axis=1) == pytest.approx(1, abs=1e-6)
    assert probabilities[0].tolist() == [1, 0] and probabilities[1].tolist() == [0.5, 0.5]


@pytest.mark.parametrize("taken", ["predicted_label", "score", "prob_yes"])
def test_a_column_that_scoring_would_add_again_is_refused_where_a_header_names_it(taken: str) -> None:
    with pytest.raises(BertlineError, match=f"in.tsv, line 1, column 2: '{taken}' is what the scores are called"):
        OutputFormat(probabilities=True).refuse(["id", taken], PROBLEM, "in.tsv")
    OutputFormat(header=False, probabilities=True).refuse(["id", taken], PROBLEM, "in.tsv")
    OutputFormat().refuse(["id", "prob_yes"], PROBLEM, "in.tsv")


def test_formats_that_know_columns_by_name_refuse_a_name_twice() -> None:
    format_for(Path("o.tsv"), ["a", "b", "a"], PROBLEM, ALL)
    for name in ("o.jsonl.gz", "o.parquet"):
        with pytest.raises(BertlineError, match=rf"{name}: several columns are called 'a', .*write \.tsv"):
            format_for(Path(name), ["a", "b", "a"], PROBLEM, ALL)


def test_what_cannot_be_written_is_known_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UsageError, match=r"o\.parquet\.gz: Parquet is compressed inside; name it o\.parquet"):
        format_for(Path("o.parquet.gz"), COLUMNS, PROBLEM, ALL)
    for module in ("pyarrow", "backports.zstd", "compression.zstd"):
        monkeypatch.setitem(sys.modules, module, None)
    with pytest.raises(BertlineError, match=r"o\.parquet: pyarrow is not installed; pip install 'bertline\[parquet\]'"):
        format_for(Path("o.parquet"), COLUMNS, PROBLEM, ALL)
    with pytest.raises(BertlineError, match=r"o\.tsv\.zst: zstd is not installed; pip install 'bertline\[zstd\]'"):
        format_for(Path("o.tsv.zst"), COLUMNS, PROBLEM, ALL)


def test_archives_of_no_rows_are_archives(tmp_path: Path) -> None:
    for name in ("o.tsv.gz", "o.jsonl.gz"):
        form = format_for(Path(name), COLUMNS, PROBLEM, OutputFormat(header=name == "o.jsonl.gz"))
        assert gzip.decompress(form.head()) == b"" and form.head()
        assert form.rows(Window(1), np.empty((0, 2), np.float32), np.empty(0, np.int64)) == b""


@pytest.mark.parametrize("name", ["o.tsv", "o.jsonl", "o.parquet"])
def test_several_labels_are_a_list_where_the_format_has_lists(name: str, tmp_path: Path) -> None:
    problem = MultiLabel(("a", 'b"%s', "c"), (0.5, 0.3, 0.7))
    generator = np.random.default_rng(0)
    logits = generator.normal(0, 3, (35, 3)).astype(np.float32)
    given = problem.decide(logits)
    expected = [[label for label, there in zip(problem.labels, row, strict=True) if there] for row in given]
    assert [] in expected and max(map(len, expected)) == 3
    form = format_for(Path(name), COLUMNS, problem, OutputFormat())
    partial, whole = tmp_path / "partial", tmp_path / name
    partial.write_bytes(form.head() + form.rows(window_of(ROWS), logits, given))
    form.finish(partial, whole)
    added = ["predicted_label", "prob_a", 'prob_b"%s', "prob_c"]
    if name == "o.tsv":
        lines = [line.split("\t") for line in whole.read_bytes().decode().split("\n")[:-1]]
        assert lines[0][2:] == added
        assert [line[2] for line in lines[1:]] == [",".join(labels) for labels in expected]
        assert LabelSetParser(problem.labels).values_of([line[2] for line in lines[1:]]) == [
            tuple(np.flatnonzero(row).tolist()) for row in given
        ]
        return
    rows = pq.read_table(whole).to_pylist() if name == "o.parquet" else json_objects(whole.read_bytes())
    assert list(rows[0])[2:] == added and [row["predicted_label"] for row in rows] == expected
    found = np.array([[row[column] for column in added[1:]] for row in rows], np.float32)
    assert (found == problem.probabilities(logits).astype(np.float32)).all()


@pytest.mark.parametrize("name", ["o.tsv", "o.jsonl", "o.parquet"])
def test_a_number_keeps_every_bit(name: str, tmp_path: Path) -> None:
    problem, logits = Regression(("score",)), logits_of(35)[:, :1]
    form = format_for(Path(name), COLUMNS, problem, OutputFormat())
    partial, whole = tmp_path / "partial", tmp_path / name
    partial.write_bytes(form.head() + form.rows(window_of(ROWS), logits, problem.decide(logits)))
    form.finish(partial, whole)
    if name == "o.tsv":
        found = [line.split("\t")[-1] for line in whole.read_bytes().decode().split("\n")[1:-1]]
    elif name == "o.jsonl":
        found = [row["prediction"] for row in json_objects(whole.read_bytes())]
    else:
        found = [row["prediction"] for row in pq.read_table(whole).to_pylist()]
    assert [np.float32(cell) for cell in found] == logits[:, 0].tolist()


def json_objects(content: bytes) -> list[dict[str, Any]]:
    return [json.loads(line) for line in content.decode().split("\n")[:-1]]
