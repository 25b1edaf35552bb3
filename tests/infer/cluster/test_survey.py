"""What is known of a file from its chunks is what is known of it as a whole."""

import gzip
import hashlib
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bertline.errors import BertlineError
from bertline.tsv import TableSpec
from infer.cluster import survey
from infer.cluster.places import LocalPlace
from infer.cluster.survey import TableSeen, chunks_of, look_at, tables_of


def seen(*paths: Path, spec: TableSpec = TableSpec()) -> list[TableSeen]:  # noqa: B008 - it is frozen
    chunks = list(chunks_of([LocalPlace(path) for path in paths]))
    return tables_of(chunks, [look_at(chunk, spec) for chunk in chunks])


@pytest.mark.parametrize("end", ["\n", ""])
@pytest.mark.parametrize("chunk_bytes", [1, 7, 100, 2**20])
def test_lines_and_marks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, end: str, chunk_bytes: int) -> None:
    monkeypatch.setattr(survey, "CHUNK_BYTES", chunk_bytes)
    monkeypatch.setattr(survey, "MARK_LINES", 3)
    path = tmp_path / "t.tsv"
    path.write_text("id\ttext\n" + "\n".join(f"{row}\t{'x' * (row % 5)}" for row in range(40)) + end)
    (table,) = seen(path)
    content = path.read_bytes()
    assert table.lines == 41 and table.columns == ("id", "text")
    starts = [0, *(at + 1 for at, byte in enumerate(content) if byte == ord("\n"))]
    assert all(starts[line - 1] == offset for line, offset in table.marks)
    if chunk_bytes > len(content):
        assert [line for line, _ in table.marks] == list(range(1, 41 + (end == "\n"), 3))
        assert table.sha256 == hashlib.sha256(content).hexdigest()
    else:
        digests = [
            hashlib.sha256(content[start : start + chunk_bytes]).hexdigest()
            for start in range(0, len(content), chunk_bytes)
        ]
        assert table.sha256 == hashlib.sha256("".join(digests).encode()).hexdigest()


def test_archives_and_parquet(tmp_path: Path) -> None:
    archive, parquet = tmp_path / "a.tsv.gz", tmp_path / "p.parquet"
    archive.write_bytes(gzip.compress(b"id\ttext\n1\ta\n"))
    pq.write_table(pa.table({"id": range(10), "text": ["a"] * 10}), parquet, row_group_size=4)
    first, second = seen(archive, parquet)
    assert first.columns == second.columns == ("id", "text")
    assert second.groups == (4, 4, 2)
    assert first.sha256 == hashlib.sha256(archive.read_bytes()).hexdigest()


def test_other_columns_and_no_file(tmp_path: Path) -> None:
    one, two = tmp_path / "1.tsv", tmp_path / "2.tsv"
    one.write_text("id\ttext\n1\ta\n")
    two.write_text("id\tsentence\n1\ta\n")
    with pytest.raises(BertlineError, match=r"2\.tsv, line 1: its columns are id, sentence, while .*1\.tsv has id, te"):
        seen(one, two)
    with pytest.raises(BertlineError, match=r"3\.tsv: no such file"):
        seen(one, tmp_path / "3.tsv")
    two.write_bytes(b"")
    with pytest.raises(BertlineError, match=r"2\.tsv: the file is empty"):
        seen(one, two)


def test_a_file_that_shrinks_meanwhile(tmp_path: Path) -> None:
    path = tmp_path / "t.tsv"
    path.write_text("id\ttext\n1\ta\n")
    (chunk,) = chunks_of([LocalPlace(path)])
    path.write_text("id\ttext\n")
    with pytest.raises(BertlineError, match="was changed while it was being read"):
        look_at(chunk, TableSpec())
