"""`bertline benchmark report`, from its arguments to its exit codes."""

from pathlib import Path

import pytest

from benchmarks.documents import Document
from benchmarks.scale.result import Point, Scale, Series
from tests.benchmarks.made import MACHINE, throughput_document
from tests.conftest import Cli


@pytest.fixture
def document(tmp_path: Path) -> Path:
    file = tmp_path / "throughput.json"
    file.write_text(throughput_document().to_json(), encoding="utf-8")
    return file


def test_it_writes_a_page_and_its_tables(cli: Cli, document: Path, tmp_path: Path) -> None:
    page = tmp_path / "report.html"
    outcome = cli("benchmark", "report", document, "-o", page)
    assert outcome.code == 0 and f"wrote {page} and {page.with_suffix('.md')}" in outcome.err
    assert "bertline benchmark throughput bundle t.tsv" in page.read_text(encoding="utf-8")
    assert "| bertline fp32 |" in page.with_suffix(".md").read_text(encoding="utf-8")


@pytest.mark.parametrize("taken", ["report.html", "report.md"])
def test_what_stands_there_is_kept(taken: str, cli: Cli, document: Path, tmp_path: Path) -> None:
    (tmp_path / taken).write_text("precious")
    outcome = cli("benchmark", "report", document, "-o", tmp_path / "report.html")
    assert (outcome.code, outcome.err.count("\n")) == (1, 1) and f"{taken}: the file exists" in outcome.err
    assert (tmp_path / taken).read_text() == "precious" and len(list(tmp_path.glob("report.*"))) == 1


def test_a_result_of_another_schema_is_refused_by_name(cli: Cli, document: Path, tmp_path: Path) -> None:
    old = tmp_path / "old.json"
    old.write_text(document.read_text().replace('"schema": 2', '"schema": 1'))
    outcome = cli("benchmark", "report", document, old, "-o", tmp_path / "report.html")
    assert (outcome.code, outcome.err.count("\n")) == (1, 1)
    assert f"{old}: is of schema 1, and this bertline reads 2; measure again" in outcome.err
    assert not list(tmp_path.glob("report.*"))


def test_names_that_would_replace_something_else_are_refused(cli: Cli, document: Path, tmp_path: Path) -> None:
    outcome = cli("benchmark", "report", document, "-o", tmp_path / "report.md")
    assert outcome.code == 2 and ".md is the ending of what goes beside it" in outcome.err
    outcome = cli("benchmark", "report", document, "-o", document, "--force")
    assert outcome.code == 1 and "is an input as well" in outcome.err
    outcome = cli("benchmark", "report", document, "-o", tmp_path)
    assert outcome.code == 1 and "is a folder" in outcome.err
    assert cli("benchmark", "report").code == 2 and list(tmp_path.iterdir()) == [document]


def test_a_series_without_points_is_left_out(cli: Cli, tmp_path: Path) -> None:
    failed = Series("threads", (), {"2 threads": "this process may use one CPU"})
    point = Point("10 rows", 10, 10, 10, 110, (1.0,), (0.1,), (99.0,), {})
    scale = Scale("t.tsv", "fp32", "a provider", ("float32",), 2048, 1, (Series("rows", (point,), {}), failed))
    file = tmp_path / "scale.json"
    file.write_text(Document.of(scale, MACHINE, ["benchmark", "scale"]).to_json(), encoding="utf-8")
    assert cli("benchmark", "report", file, "-o", tmp_path / "report.html").code == 0
    assert "this process may use one CPU" in (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "this process may use one CPU" in (tmp_path / "report.md").read_text(encoding="utf-8")
