"""The command line over every kind of file: whatever comes in, and however it goes out, the scores are the same."""

import gzip
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from backports import zstd

from tests import tiny
from tests.conftest import Cli

Rows = list[tuple[str, ...]]


def rows_of(content: bytes) -> Rows:
    return [tuple(line.split("\t")) for line in content.decode().split("\n")[:-1]]


def as_parquet(plain: Path, path: Path) -> None:
    header, *rows = rows_of(plain.read_bytes())
    pq.write_table(pa.table(dict(zip(header, map(list, zip(*rows, strict=True)), strict=True))), path)


MAKE: dict[str, Callable[[Path, Path], object]] = {
    "t.tsv.gz": lambda plain, path: path.write_bytes(gzip.compress(plain.read_bytes())),
    "t.tsv.zst": lambda plain, path: path.write_bytes(zstd.compress(plain.read_bytes())),
    "t.parquet": as_parquet,
    "t.csv": lambda plain, path: path.write_bytes(plain.read_bytes()),
}


@pytest.fixture
def scored(cli: Cli, bundle: Path, table: Path, tmp_path: Path) -> Rows:
    """The table's scores, plain from file to file."""
    assert cli("infer", bundle, table, "-o", tmp_path / "plain.tsv", "-q").code == 0
    return rows_of((tmp_path / "plain.tsv").read_bytes())


@pytest.mark.parametrize("name", list(MAKE))
def test_every_kind_of_input(cli: Cli, bundle: Path, table: Path, tmp_path: Path, scored: Rows, name: str) -> None:
    source, out = tmp_path / name, tmp_path / "o.tsv"
    MAKE[name](table, source)
    assert cli("infer", bundle, source, "-o", out, "-q").code == 0
    assert rows_of(out.read_bytes()) == scored
    (read,) = json.loads((tmp_path / "o.tsv.report.json").read_text())["input"]
    assert read["bytes"] == source.stat().st_size


@pytest.mark.parametrize("name", ["o.jsonl", "o.tsv.gz", "o.jsonl.zst", "o.parquet"])
def test_every_kind_of_output(cli: Cli, bundle: Path, table: Path, tmp_path: Path, scored: Rows, name: str) -> None:
    out = tmp_path / name
    assert cli("infer", bundle, table, "-o", out, "--window", 7, "-q").code == 0
    content = b"" if name.endswith("parquet") else out.read_bytes()
    content = gzip.decompress(content) if name.endswith("gz") else content
    content = zstd.decompress(content) if name.endswith("zst") else content
    if name == "o.tsv.gz":
        assert rows_of(content) == scored
        return
    found = pq.read_table(out).to_pylist() if name == "o.parquet" else map(json.loads, content.splitlines())
    rows = [tuple(f"{v:.9g}" if isinstance(v, float) else v for v in row.values()) for row in found]
    assert rows == scored[1:]
    assert sorted(path.name for path in tmp_path.glob("o.*")) == [name, f"{name}.report.json"]


def test_folders_globs_and_stdin(
    cli: Cli, bundle: Path, table: Path, tmp_path: Path, scored: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for name in ("b.tsv.gz", "a.parquet", "c.tsv"):
        MAKE.get(f"t.{name.split('.', 1)[1]}", MAKE["t.csv"])(table, folder / name)
    (folder / "d.csv").write_text("nothing of ours\n")
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(table.read_bytes())))
    for inputs, times in (([folder], 3), ([folder / "*.tsv*", "-"], 3), ([table, folder / "[bc]*"], 3)):
        assert cli("infer", bundle, *inputs, "-o", tmp_path / "o.tsv", "--force", "-q", "--window", 10).code == 0
        assert rows_of((tmp_path / "o.tsv").read_bytes()) == scored[:1] + scored[1:] * times


def test_an_archive_that_ends_too_early_leaves_nothing(cli: Cli, bundle: Path, tmp_path: Path) -> None:
    whole = gzip.compress(tiny.write_table(tmp_path / "t.tsv", 5000).read_bytes())
    (tmp_path / "t.tsv.gz").write_bytes(whole[: len(whole) // 2])
    outcome = cli("infer", bundle, tmp_path / "t.tsv.gz", "-o", tmp_path / "o.tsv", "-q")
    assert outcome.code == 1 and "t.tsv.gz: ends too early; fetch or make it again" in outcome.err
    assert list(tmp_path.glob("o.tsv*")) == []
