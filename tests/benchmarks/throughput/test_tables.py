"""What a throughput run says, and how it says what was not measured."""

from benchmarks.cells import failure_table
from benchmarks.machine import Ceiling
from benchmarks.throughput.candidates import PIPELINE
from benchmarks.throughput.result import BARE, NOTEBOOK, OURS
from benchmarks.throughput.tables import cost_table, ratio_table, speed_table, summary_table, tables
from tests.benchmarks.made import result, way

CEILING = Ceiling({"float32": 1e12, "int8": 4e12}, 1e10)


def test_the_table_compares_with_the_notebook() -> None:
    found = result(way(NOTEBOOK, 4.0, 4.0, 4.0), way(f"{OURS} fp32", 1.0, 0.5, 0.4))
    notebook, ours = speed_table(found, CEILING).rows
    assert notebook == [NOTEBOOK, "25", "±0.0%", "25", "", "2%"]
    assert ours == [f"{OURS} fp32", "200", "±30.0%", "25", "8.00", "20%"]


def test_each_is_held_against_the_rate_of_its_own_number_format() -> None:
    found = result(way(NOTEBOOK, 4.0), way("int8", 1.0, formats=("int8",)), way("?", 1.0, formats=("float32", "int8")))
    assert [row[-1] for row in speed_table(found, CEILING).rows] == ["2%", "2%", "2%"]
    assert [row[-1] for row in speed_table(found, Ceiling({}, 1e10)).rows] == ["–"] * 3


def test_start_up_memory_and_answers() -> None:
    labelled, unlabelled = cost_table(result(way(NOTEBOOK, 4.0), way("peer", 1.0, mcc=None))).rows
    assert labelled == [NOTEBOOK, "1.2", "512", "2.0e-06", "1", "0.5000"]
    assert unlabelled[-1] == "–"


def test_ratios_within_the_noise_stand_in_brackets() -> None:
    # The second pass is twice as slow for all alike.
    found = result(way(NOTEBOOK, 4.0, 8.0, 4.0), way(PIPELINE, 1.1, 1.8, 1.0), way(f"{OURS} int8", 1.0, 2.0, 1.0))
    table = ratio_table(found)
    assert (table.columns, table.rows) == (["way", "int8"], [[NOTEBOOK, "4.00"], [PIPELINE, "(1.00)"]])


def test_ratios_of_a_pass_that_was_interrupted() -> None:
    found = result(way(NOTEBOOK, 4.0, 4.0, 6.0), way(f"{OURS} fp32", 1.0, 1.0))
    assert ratio_table(found).rows == [[NOTEBOOK, "4.00"]]


def test_what_was_not_measured_is_a_row_in_every_table_and_says_why() -> None:
    found = result(way(NOTEBOOK, 4.0), peer="not installed; do <this>")
    assert speed_table(found, CEILING).rows[-1] == ["peer", "–", "–", "–", "–", "–"]
    assert cost_table(found).rows[-1] == ["peer", "–", "–", "–", "–", "–"]
    assert failure_table(found.failures).rows == [["peer", "not installed; do <this>"]]


def test_tables_without_rows_or_figures_are_left_out() -> None:
    titles = [table.caption for table in tables(result(way(NOTEBOOK, 4.0)), CEILING)]
    assert titles == ["Throughput", "Start-up, memory and answers"]


def test_the_summary_holds_all_against_ours_the_fastest_first() -> None:
    int8 = way(f"{OURS} int8", 0.5, 0.5, formats=("int8",))
    bare = way(f"{BARE}, int8", 0.4, 0.4)
    found = result(way(NOTEBOOK, 4.0, 4.0), way(f"{OURS} fp32", 1.0, 1.0), int8, bare, peer="no compiler")
    table = summary_table(found)
    assert [row[0] for row in table.rows] == [f"{OURS} int8", f"{OURS} fp32", NOTEBOOK, "peer"]
    assert table.columns[3:5] == ("fp32 ×", "int8 ×")
    assert table.caption == "Summary; fp32 × and int8 ×: how many times as fast bertline is"
    assert table.rows[2] == [NOTEBOOK, "25", "±0%", "4.00", "8.00", "1.2", "512", "2e-06", "1", "0.500"]
    assert table.rows[0][3:5] == ["0.50", ""] and set(table.rows[-1][1:]) == {"–"}
