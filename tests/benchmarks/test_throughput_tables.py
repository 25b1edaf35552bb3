"""What a throughput run says, and how it says what was not measured."""

from typing import Any

from benchmarks.candidates import NOTEBOOK, OURS, PIPELINE
from benchmarks.throughput import Outcome, Result, to_json
from benchmarks.throughput_tables import (
    cost_rows,
    failure_rows,
    ratio_columns,
    ratio_rows,
    speed_rows,
    tables,
    throughput_page,
)

ENVIRONMENT: dict[str, Any] = {
    "encoder_flop_per_row": 1e9,
    "matrix_flops": {"bfloat16": 1e12},
    "cpu": "a CPU",
    "threads": 2,
    "tokens": 1000,
    "versions": {"bertline": "1"},
}


def result(way: str, *seconds: float, mcc: float | None = 0.5) -> Result:
    return Result(way, 100, 4.0, seconds, 2e-6, 1, mcc, 1.25, None, 512.4, {"torch": "2"})


def outcome(*results: Result, **failures: str) -> Outcome:
    return Outcome(list(results), failures, ENVIRONMENT)


def test_the_table_compares_with_the_notebook() -> None:
    notebook, ours = speed_rows(outcome(result(NOTEBOOK, 4.0, 4.0, 4.0), result(f"{OURS} fp32", 1.0, 0.5, 0.4)))
    assert notebook == [NOTEBOOK, "25", "±0.0%", "25", "1.00", "2.5%"]
    assert ours == [f"{OURS} fp32", "200", "±30.0%", "25", "8.00", "20.0%"]


def test_start_up_memory_and_answers() -> None:
    labelled, unlabelled = cost_rows(outcome(result(NOTEBOOK, 4.0), result("peer", 1.0, mcc=None)))
    assert labelled == [NOTEBOOK, "1.2", "512", "2.0e-06", "1", "0.5000"]
    assert unlabelled[-1] == "–"


def test_ratios_within_the_noise_stand_in_brackets() -> None:
    # The second pass is twice as slow for all alike.
    found = outcome(result(NOTEBOOK, 4.0, 8.0, 4.0), result(PIPELINE, 1.1, 1.8, 1.0), result("bertline", 1.0, 2.0, 1.0))
    assert ratio_columns(found) == ["way", "bertline"]
    assert ratio_rows(found) == [[NOTEBOOK, "4.00"], [PIPELINE, "(1.00)"]]


def test_ratios_of_a_pass_that_was_interrupted() -> None:
    assert ratio_rows(outcome(result(NOTEBOOK, 4.0, 6.0), result("bertline", 1.0))) == [[NOTEBOOK, "4.00"]]


def test_what_was_not_measured_is_a_row_in_every_table_and_says_why() -> None:
    found = outcome(result(NOTEBOOK, 4.0), peer="not installed; do <this>")
    assert speed_rows(found)[-1] == ["peer", "–", "–", "–", "–", "–"]
    assert cost_rows(found)[-1] == ["peer", "–", "–", "–", "–", "–"]
    assert failure_rows(found) == [["peer", "not installed; do <this>"]]
    assert to_json(found)["failures"] == [{"way": "peer", "reason": "not installed; do <this>"}]
    page = throughput_page(found, "t.tsv")
    assert "not installed; do &lt;this&gt;" in page and "torch 2" in page


def test_tables_without_rows_or_figures_are_left_out() -> None:
    assert [title for title, _, _ in tables(outcome(result(NOTEBOOK, 4.0)))] == [
        "Throughput",
        "Start-up, memory and answers",
    ]
