"""The page over documents of every kind."""

from dataclasses import replace

from benchmarks.documents import Document
from benchmarks.machine import Ceiling
from benchmarks.report.page import results_page
from benchmarks.throughput.result import Throughput
from tests.benchmarks.made import MACHINE, result, throughput_document


def test_it_holds_pictures_tables_environment_and_the_command() -> None:
    page = results_page([throughput_document()])
    assert page.count("<svg") == 4 and "<script" not in page
    assert "bertline benchmark throughput bundle t.tsv" in page and "Linux x86_64" in page
    assert "no | &lt;compiler&gt;" in page


def test_stages_are_drawn_of_ours() -> None:
    document = throughput_document()
    assert isinstance(document.result, Throughput)
    ways = [replace(way, stage_seconds={"run": 0.7}) if way.is_ours else way for way in document.result.ways]
    page = results_page([replace(document, result=replace(document.result, ways=tuple(ways)))])
    assert page.count("<svg") == 5 and "Where the time goes: bertline fp32" in page


def test_figures_of_different_machines_are_not_to_be_compared() -> None:
    one, other = throughput_document(), throughput_document()
    again = replace(one, machine=replace(MACHINE, ceiling=Ceiling({"float32": 2e12}, 1e10)))
    page = results_page([one, again])
    assert "not to be compared" not in page and page.count("<h2>Environment</h2>") == 1
    page = results_page([one, replace(other, machine=replace(MACHINE, cpu="another CPU"))])
    assert "not to be compared" in page and page.count("<h2>Environment</h2>") == 2


def test_what_was_interrupted_says_so() -> None:
    document = throughput_document()
    assert isinstance(document.result, Throughput)
    assert "interrupted" in results_page([replace(document, result=replace(document.result, interrupted=True))])


def test_a_run_in_which_nothing_of_ours_could_run_has_no_headline() -> None:
    ways = tuple(way for way in throughput_document().result.ways if not way.is_ours)  # type: ignore[union-attr]
    page = results_page([Document.of(result(*ways, bertline="no memory"), MACHINE, ["benchmark", "throughput"])])
    assert "no memory" in page and 'class="tiles"' not in page
