"""Tables as Markdown, and tables in a README that come from results."""

from pathlib import Path

import pytest

from benchmarks.report.markdown import documents_markdown, markdown_table, plain
from benchmarks.report.readme import RESULTS, refreshed
from bertline.errors import BertlineError
from bertline.report import Table
from tests import readme
from tests.benchmarks.made import throughput_document

PLACE = "before\n<!-- table: one summary -->\nold\n<!-- end of table -->\nafter"
FILES = [readme.README, RESULTS / "README.md", RESULTS.parent / "README.md"]


def test_figures_stand_right_and_texts_cannot_break_out() -> None:
    text = markdown_table(Table(["way", "rows/s"], [["a|b <b>\n", "1,024"], ["c", None]]))
    assert text == "| way | rows/s |\n| --- | ---: |\n| a\\|b &lt;b> | 1,024 |\n| c | – |\n"


def test_no_link_picture_or_second_line_comes_of_a_text() -> None:
    assert plain("![x](http://a) `b`\n# c <i>") == "!\\[x\\](http://a) \\`b\\` # c &lt;i>"


def test_a_place_without_an_end_swallows_nothing(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(throughput_document().to_json(), encoding="utf-8")
    text = refreshed("<!-- table: one cost -->\nmine\n" + PLACE, tmp_path)
    assert "mine" in text and "old" not in text


def test_all_tables_of_a_document_with_its_command() -> None:
    text = documents_markdown([throughput_document()])
    assert "    bertline benchmark throughput bundle t.tsv\n" in text and "a CPU, 1 threads, 20" in text
    assert "| peer | no \\| &lt;compiler> |" in text and text.count("| --- |") == 5


def test_a_table_in_a_text_is_replaced_by_the_documents_own(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(throughput_document().to_json(), encoding="utf-8")
    text = refreshed(PLACE, tmp_path)
    assert text.startswith("before\n") and text.endswith("<!-- end of table -->\nafter") and "old" not in text
    assert "| bertline fp32 | 100 |" in text and "`benchmarks/results/one.json`" in text
    assert refreshed(text, tmp_path) == text


def test_a_table_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "one.json").write_text(throughput_document().to_json(), encoding="utf-8")
    with pytest.raises(BertlineError, match="one: has no table 'weather'; it has summary, speed"):
        refreshed(PLACE.replace("summary", "weather"), tmp_path)
    with pytest.raises(BertlineError, match="no such result file"):
        refreshed(PLACE.replace("one", "two"), tmp_path)


@pytest.mark.parametrize("file", FILES, ids=lambda file: f"{file.parent.name}-{file.name}")
def test_tables_in_the_repository_are_those_of_the_results(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert refreshed(text) == text, f"python -m benchmarks.report.readme {file.name} renews it"


def test_the_readme_has_such_tables() -> None:
    assert readme.README.read_text(encoding="utf-8").count("<!-- table: ") >= 2
