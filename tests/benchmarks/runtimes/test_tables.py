"""What is measured as figures, verdicts and tables, and as a document that comes back."""

import re
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.documents import Document, read_document
from benchmarks.report.page import results_page
from benchmarks.report.tables import named_tables
from benchmarks.runtimes.result import Figures, Runtimes
from benchmarks.runtimes.tables import SAME, figures_table, hard_table, summary_table
from bertline.errors import BertlineError
from tests.benchmarks.made import MACHINE
from tests.benchmarks.runtimes.made import FIGURES, RESULT

COMMAND = ["benchmark", "runtimes", "bundle", "t.tsv"]


def test_a_rate_is_of_what_a_file_takes_longer_than_a_start() -> None:
    assert FIGURES[0].cold_start_seconds == 0.6
    assert RESULT.rows_per_second(FIGURES[0]) == pytest.approx(100)  # 100 further rows, median of 1, 1 and 2 s
    assert RESULT.rows_per_second(FIGURES[2]) is None and FIGURES[2].cold_start_seconds is None
    assert RESULT.rows_per_second(replace(FIGURES[1], file_seconds=(0.4,))) is None


def test_a_verdict_names_every_limit_that_is_broken() -> None:
    assert RESULT.faults(FIGURES[0]) == RESULT.faults(FIGURES[1]) == []  # the hard set has no limit
    assert RESULT.faults(FIGURES[2]) == [
        "other token ids on 5 of 1,101 rows",
        "max |Δlogit| 2.0e-02, allowed 1e-04",
        "another label on 1 of 101 rows",
        "self-check: logits: max |Δlogit| 1.0e-02",
    ]


@pytest.mark.parametrize("key", ["lean", "lean fp32"])
def test_what_failed_later_has_no_good_verdict(key: str) -> None:
    result = replace(RESULT, failures={key: "hung"})
    assert result.faults(FIGURES[0]) == ["hung"]


def test_one_row_a_consumer_and_one_for_what_was_not_measured() -> None:
    table = summary_table(RESULT)
    assert table.columns[3:] == [
        "cold start s, fp32",
        "rows/s, fp32",
        "max |Δlogit| fp32",
        "max |Δlogit| quantized",
        "other ids, of 1,000",
        "of 50 hard",
        "verdict",
    ]
    lean, other, third = table.rows
    assert lean == ["lean", "engine 1.0, tokenizers 2.0", "170", "0.60", "100", "2.0e-06", "3.0e-06", "0", "4", SAME]
    assert other[3:9] == ["–", "–", "2.0e-02", "–", "3", "5"]
    assert other[-1].startswith("fp32: other token ids") and other[-1].endswith("quantized: out of | memory")
    assert third == ["third", *["–"] * 8, "needs cmake; apt-get install cmake"]


def test_one_row_a_consumer_and_variant() -> None:
    rows = figures_table(RESULT).rows
    assert rows[1] == ["lean", "quantized", "0.50", "400", "3.0e-06", "0", "passed", SAME]
    assert rows[2][:7] == ["other", "fp32", "–", "–", "2.0e-02", "1", "failed"]


def test_the_hard_set_by_category() -> None:
    table = hard_table(RESULT)
    assert (table.columns, table.rows) == (["category", "lean", "other"], [["emoji", "4", "3"], ["kana", "0", "2"]])


def test_the_document_comes_back_and_has_tables_and_a_page(tmp_path: Path) -> None:
    document = Document.of(RESULT, MACHINE, COMMAND)
    (tmp_path / "r.json").write_text(document.to_json(), encoding="utf-8")
    assert read_document(tmp_path / "r.json") == document and document.kind == "runtimes"
    assert list(named_tables(document)) == ["runtimes", "figures", "hard", "sizes", "failures"]
    page = results_page([document])
    assert "<h2>Runtimes</h2>" in page and "needs cmake" in page and "bertline benchmark runtimes bundle" in page


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (replace(RESULT, runtimes=()), "lean: has figures, but no size or ids"),
        (replace(RESULT, token_ids=()), "lean: has figures, but no size or ids"),
        (replace(RESULT, figures=(replace(FIGURES[0], file_seconds=(1.0,)),)), "lean fp32: a pass took no time, or is"),
        (
            replace(RESULT, figures=(Figures("lean", "a", "", 0, 0, 0.0, (0.0,), (1.0,)),)),
            "lean a: a pass took no time",
        ),
    ],
)
def test_figures_that_cannot_be_shown_are_named(result: Runtimes, message: str, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text(Document.of(result, MACHINE, COMMAND).to_json(), encoding="utf-8")
    with pytest.raises(BertlineError, match=re.escape(message)):
        read_document(tmp_path / "r.json")
