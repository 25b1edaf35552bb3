"""Scale: files of distinct sentences, repeats that are run once, and figures against the first file."""

from pathlib import Path

import pytest

from benchmarks.documents import read_document
from benchmarks.scale.measure import distinct
from benchmarks.scale.result import Scale, Size
from benchmarks.scale.tables import size_table
from tests import tiny
from tests.conftest import Cli


def test_no_two_sentences_of_a_file_are_equal() -> None:
    texts = list(distinct(["one", "two", "one"], 60))
    assert texts[:3] == ["one a a a a", "two a a a a", "one b a a a"] and texts[-1] == "two d b a a"
    assert len(set(texts)) == 60 and {len(text.split()) for text in texts} == {5}


def test_sizes_and_repeats_are_scored_by_processes_of_their_own(cli: Cli, bundle: Path, tmp_path: Path) -> None:
    table, output = tiny.write_table(tmp_path / "t.tsv"), tmp_path / "s.json"
    outcome = cli(
        "benchmark", "scale", bundle, table, "--rows", "20,60", "--repeats", "30", "--passes", "2", "-o", output
    )
    assert outcome.code == 0, outcome.err
    document = read_document(output)
    assert isinstance(document.result, Scale) and document.command.startswith("bertline benchmark scale")
    sizes = document.result.sizes
    assert [(size.rows, size.unique_rows) for size in sizes] == [(20, 20), (60, 60), (30, 30), (300, 30)]
    assert all(len(size.seconds) == 2 and size.peak_memory_mib > 10 for size in sizes)
    assert "each of them 10 times" in outcome.out


def test_a_run_that_fails_is_one_line(cli: Cli, bundle: Path, table: Path, tmp_path: Path) -> None:
    outcome = cli("benchmark", "scale", bundle, table, "--variant", "int8", "-o", tmp_path / "s.json")
    assert outcome.code == 1 and "has no variant 'int8'" in outcome.err
    assert not (tmp_path / "s.json").exists()


def test_figures_are_against_the_first_file() -> None:
    sizes = Size("a", 10, 10, (1.0, 2.0, 3.0), 100.0), Size("b", 100, 100, (20.0,), 110.0)
    rows = size_table(Scale("fp32", "a provider", 2048, sizes)).rows
    assert [row[5:] for row in rows] == [["1.000", "100", "1.000"], ["1.000", "110", "1.100"]]
    assert rows[0][4] == pytest.approx("200000.0")
