"""Parts hold every row once, in order."""

import gzip
from itertools import chain
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bertline.errors import BertlineError
from bertline.tsv import TableSpec
from infer.cluster import survey
from infer.cluster.cutting import cut
from infer.cluster.slices import Archive, Groups, Lines
from tests.infer.cluster.test_survey import seen


def write(path: Path, rows: int) -> Path:
    path.write_text("id\ttext\n" + "".join(f"{path.stem} {row}\ta\n" for row in range(rows)))
    return path


def ids(parts: list[survey.TableSeen], spec: TableSpec, rows: int) -> list[list[str]]:
    """Of each part, what is really read."""
    found = []
    for part in cut(parts, spec, rows):
        sources = [piece.open(spec, keep_bad=False, hint="") for piece in part.slices]
        found.append([cell for source in sources for block in source.blocks() for cell in block.column(0)])  # type: ignore[union-attr]
    return found


@pytest.mark.parametrize("rows", [1, 3, 7, 20, 100])
def test_parts_go_across_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: int) -> None:
    monkeypatch.setattr(survey, "MARK_LINES", 4)
    monkeypatch.setattr(survey, "CHUNK_BYTES", 30)
    tables = seen(write(tmp_path / "a", 11), write(tmp_path / "b", 1), write(tmp_path / "c", 25))
    found = ids(tables, TableSpec(), rows)
    assert [len(part) for part in found[:-1]] == [rows] * (len(found) - 1)
    assert list(chain(*found)) == [
        f"{name} {row}" for name, count in (("a", 11), ("b", 1), ("c", 25)) for row in range(count)
    ]


def test_without_a_header_the_first_line_is_a_row(tmp_path: Path) -> None:
    spec = TableSpec(header=False, columns=("id", "text"))
    found = ids(seen(write(tmp_path / "a", 3), spec=spec), spec, 2)
    assert found == [["id", "a 0"], ["a 1", "a 2"]]


def test_archives_are_parts_of_their_own(tmp_path: Path) -> None:
    archive = tmp_path / "b.tsv.gz"
    archive.write_bytes(gzip.compress(write(tmp_path / "b", 30).read_bytes()))
    parts = cut(seen(write(tmp_path / "a", 3), archive, write(tmp_path / "c", 3)), TableSpec(), 10)
    assert [[type(piece) for piece in part.slices] for part in parts] == [[Lines], [Archive], [Lines]]
    assert [part.number for part in parts] == [0, 1, 2]


def test_parquet_is_cut_between_row_groups(tmp_path: Path) -> None:
    path = tmp_path / "p.parquet"
    pq.write_table(pa.table({"id": [str(row) for row in range(23)], "text": ["a"] * 23}), path, row_group_size=4)
    tables = seen(write(tmp_path / "a", 5), path)
    parts = cut(tables, TableSpec(), 8)
    shown = [
        (piece.start, piece.stop, piece.first, piece.count) if isinstance(piece, Groups) else piece.described()["last"]
        for part in parts
        for piece in part.slices
    ]
    assert shown == [6, (0, 1, 1, 4), (1, 3, 5, 8), (3, 5, 13, 8), (5, 6, 21, 3)]
    assert list(chain(*ids(tables, TableSpec(), 8)))[5:] == [str(row) for row in range(23)]


def test_a_table_without_rows(tmp_path: Path) -> None:
    empty = tmp_path / "e.parquet"
    pq.write_table(pa.table({"id": ["a"], "text": ["a"]}).slice(0, 0), empty)
    for path, told in ((write(tmp_path / "a", 0), "has a header and no rows"), (empty, "has no rows")):
        with pytest.raises(BertlineError, match=told):
            cut(seen(path), TableSpec(), 8)
