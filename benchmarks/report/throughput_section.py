"""A throughput run as pictures and tables."""

from collections.abc import Callable, Sequence

from benchmarks.cells import failure_table
from benchmarks.documents import Document
from benchmarks.report.provenance import provenance
from benchmarks.throughput.result import OURS, Throughput, Way
from benchmarks.throughput.tables import ratio_table, speed_table, summary_table
from bertline.axes import number
from bertline.ranking import Bar, ranking
from bertline.report import Block, Chart, Commands, Facts, Section
from bertline.scatter import Point, scatter_chart
from infer.stages import STAGES

_TOLD = (
    "Every way has a process of its own, the same rows and the same limit of threads, and reads and writes a file. "
    "Ways take turns, back and forth; the first pass stands apart, as do loading and making files of the model. "
    "Figures are medians over the passes, whiskers and ± the middle half. A ratio in brackets is refused: by the "
    "spread of the passes (Student's 95% interval) it may as well be 1. Flips are rows whose label is not that of "
    "PyTorch fp32."
)


def throughput_section(document: Document, result: Throughput) -> Section:
    """Trade-off, speed, memory, start-up, where the time goes, and all figures."""
    whole = [way for way in result.ways if not way.is_bare]
    timed = sorted((way for way in whole if way.stage_seconds), key=lambda way: way.median_seconds)
    shown = timed[:1] + [way for way in timed[1:] if way.way == f"{OURS} fp32"]
    memory = _least_first(whole, lambda way: way.peak_memory_mib, ",.0f", "Peak memory of the process", "MiB")
    startup = _least_first(whole, lambda way: way.startup_seconds, ".1f", "Start-up, to a loaded model", "seconds")
    blocks: list[Block] = [provenance(document), _TOLD]
    blocks += [Chart(_trade_off(result, whole)), Chart(_speed(result, whole))]
    blocks += [summary_table(result), ratio_table(result)]
    blocks += [Chart(memory), Chart(startup), *(Chart(_stages(way)) for way in shown)]
    blocks += [speed_table(result, document.machine.ceiling)]
    blocks += [failure_table(result.failures)] if result.failures else []
    blocks.append("What each way ran on:")
    blocks.append(
        Facts({way.way: ", ".join(f"{name} {found}" for name, found in way.versions.items()) for way in result.ways})
    )
    blocks.append(Commands([document.command]))
    return Section(f"Throughput: {result.model}, {result.rows:,} rows of {result.file}", blocks)


def _trade_off(result: Throughput, ways: Sequence[Way]) -> str:
    def point(way: Way) -> Point:
        slow, fast = (result.rows / seconds for seconds in reversed(way.quartiles))
        return Point(
            way.way, result.rows_per_second(way), 100 * way.flips / result.rows, slow, fast, marked=way.is_ours
        )

    return scatter_chart(
        [point(way) for way in ways],
        title="Speed against flipped labels",
        x_label="rows/s, logarithmic; further right is faster",
        y_label="labels that differ from PyTorch fp32, % of rows",
    )


def _speed(result: Throughput, ways: Sequence[Way]) -> str:
    def bar(way: Way) -> Bar:
        slow, fast = (result.rows / seconds for seconds in reversed(way.quartiles))
        rate = result.rows_per_second(way)
        return Bar(way.way, rate, f"{rate:,.0f}", slow, fast, way.is_ours)

    ordered = sorted(ways, key=lambda way: way.median_seconds)
    return ranking([bar(way) for way in ordered], title="Speed", unit="rows/s")


def _least_first(ways: Sequence[Way], figure: Callable[[Way], float], form: str, title: str, unit: str) -> str:
    bars = [Bar(way.way, figure(way), format(figure(way), form), marked=way.is_ours) for way in ways]
    return ranking(sorted(bars, key=lambda bar: bar.value), title=title, unit=unit)


def _stages(way: Way) -> str:
    stages = way.stage_seconds or {}
    whole = Bar("the whole file", way.median_seconds, number(way.median_seconds), marked=True)
    bars = [Bar(name, seconds, number(seconds)) for name in STAGES if (seconds := stages.get(name)) is not None]
    title = f"Where the time goes: {way.way}"
    return ranking([whole, *bars], title=title, unit="seconds; stages overlap")
