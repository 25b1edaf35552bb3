"""What is said of a scaling run: every input with where it is from, the check, and the page that the document makes."""

from dataclasses import replace

import pytest

from benchmarks.documents import Document, read_document
from benchmarks.report.readme import RESULTS
from benchmarks.scaling.__main__ import PAGE
from benchmarks.scaling.document import markdown, turns
from benchmarks.scaling.inputs import ASSUMED, costs_of, measured, overheads_of, settings
from benchmarks.scaling.model import Overheads
from benchmarks.scaling.result import Run
from benchmarks.scaling.tables import NODES, checks_table, inputs_table, named, predicted_check
from bertline.report import Table
from tests.benchmarks.made import MACHINE
from tests.benchmarks.scaling.made import scaling


def test_a_part_costs_what_more_of_them_cost_more() -> None:
    result = scaling()
    assert overheads_of(result) == Overheads(startup=11.0, part=pytest.approx(4 / 8), driver=pytest.approx(0.4 / 8))
    noisy = replace(result, many=replace(result.few, parts=10))
    assert overheads_of(noisy).part == overheads_of(noisy).driver == 0.0


def test_another_model_costs_its_flop() -> None:
    result = scaling()
    assert costs_of(result, 3e8).session == pytest.approx(3 * costs_of(result).session)
    assert costs_of(result, 3e8).tokenize == costs_of(result).tokenize


def test_every_input_says_where_it_comes_from() -> None:
    rows = inputs_table(scaling()).rows
    assert [row[2] for row in rows] == ["measured"] * len(measured(scaling())) + ["assumed"] * len(ASSUMED)
    assert all(row[3] for row in rows)
    assert not any(item.measured for item in ASSUMED)


def test_a_check_stands_beside_what_was_predicted() -> None:
    run = Run(2, 4000, 4, (2.0, 2.5, 4.0), (1.0,) * 3, (1.0,) * 3)
    result = scaling(run)
    assert predicted_check(result, run, cores=2) == pytest.approx(4000 / (2 * (1.0 + 0.5)))  # two rounds
    [row] = checks_table(result, cores=2).rows
    assert row == ["2", "1,600", "±250", "1,333", "0.83"]


def test_each_setting_has_a_row_for_each_number_of_nodes() -> None:
    result = scaling()
    tables = list(named(result, 2).values())[2:]
    assert len(tables) == len(settings(result)) == 4
    assert all([row[0] for row in table.rows] == [str(nodes) for nodes in NODES] for table in tables)
    cpu = settings(result)[0]
    assert (cpu.node.workers, cpu.node.threads, cpu.node.cores) == (8, 4, 32)


def test_where_the_limit_changes_is_said() -> None:
    columns = ("nodes", "rows/s", "limited by")
    rows = [["1", "5", "devices"], ["2", "10", "devices"], ["4", "12", "driver"], ["8", "12", "driver"]]
    assert turns(Table(columns, rows)) == "devices up to 2 nodes, driver from 4 on"
    assert turns(Table(columns, rows[:2])) == "devices, whatever the nodes"


def test_what_cannot_be_shown_is_named() -> None:
    result = scaling()
    assert result.problems() == []
    broken = replace(result, many=replace(result.many, parts=2), checks=(), cpu_seconds={})
    assert broken.problems()[-2:] == ["many has no more parts than few", "has no checks"]
    assert replace(result, few=replace(result.few, seconds=(0.0,) * 3)).problems()


def test_the_page_holds_all_tables_and_the_command() -> None:
    document = Document.of(scaling(), MACHINE, ["benchmark", "scaling", "bundle", "t.tsv"])
    page = markdown(document, "scaling-small")
    assert "    bertline benchmark scaling bundle t.tsv\n" in page and "results/scaling-small.json" in page
    assert page.count("\n| nodes |") == 4 and "assumed" in page and "{" not in page


def test_the_page_says_when_the_machine_was_not_quiet() -> None:
    for load, said in ((0.5, False), (0.6, True)):
        document = Document.of(replace(scaling(), load=load), MACHINE, ["benchmark", "scaling"])
        assert ("Others kept the cores busy" in markdown(document, "s")) is said


def test_the_page_in_the_repository_is_that_of_its_document() -> None:
    document = RESULTS / "scaling-minilm.json"
    assert PAGE.read_text(encoding="utf-8") == markdown(read_document(document), document.stem)
