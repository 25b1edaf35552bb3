"""`bertline benchmark report`, from its arguments to its exit codes."""

from pathlib import Path

import pytest

from tests.benchmarks.made import throughput_document
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


def test_the_page_is_no_markdown(cli: Cli, document: Path, tmp_path: Path) -> None:
    assert cli("benchmark", "report", document, "-o", tmp_path / "report.md").code == 2
    assert cli("benchmark", "report").code == 2
