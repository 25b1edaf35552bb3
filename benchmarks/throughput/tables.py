"""What a throughput run says, as tables; a way that was not measured is a row that says why."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from benchmarks.cells import NONE, failure_table, share_cell
from benchmarks.comparison import compare_passes
from benchmarks.machine import Ceiling
from benchmarks.throughput.result import NOTEBOOK, OURS, Throughput, Way
from bertline.report import Table

_SPEED = ("way", "rows/s", "spread", "first pass", "× notebook", "of matrix rate")
_COST = ("way", "start-up s", "peak MiB", "max |Δlogit|", "flips", "MCC")


def summary_table(result: Throughput) -> Table:
    """One row a way, the fastest first: what a reader chooses by, in one table.

    The ratios say how many times as fast bertline is: exact (fp32), and its fastest variant.
    """
    ours = [way for way in result.ways if way.is_ours and not way.is_bare]
    bases = [way for way in ours if way.way.endswith(" fp32")]
    bases += [way for way in sorted(ours, key=lambda way: way.median_seconds)[:1] if way not in bases]

    def cells(way: Way) -> list[str]:
        return [
            f"{result.rows_per_second(way):,.0f}",
            f"±{way.spread:.0%}",
            *("" if way is base else str(compare_passes(base.seconds, way.seconds)) for base in bases),
            f"{way.startup_seconds:.1f}",
            f"{way.peak_memory_mib:,.0f}",
            f"{way.max_abs_logit:.0e}",
            f"{way.flips}",
            NONE if way.mcc is None else f"{way.mcc:.3f}",
        ]

    sides = ("start-up s", "peak MiB", "max |Δlogit|", "flips", "MCC")
    names = [f"{base.way.removeprefix(OURS).strip()} ×" for base in bases]
    title = f"Summary; {' and '.join(names)}: how many times as fast {OURS} is" if names else "Summary"
    return _with_failures(title, _whole_ways(result), ("way", "rows/s", "spread", *names, *sides), cells)


def speed_table(result: Throughput, ceiling: Ceiling | None) -> Table:
    """One row a way: median rows/s warm, its spread, rows/s cold, and ratio to the notebook's loop.

    The last column is the share of the processor's own rate for matrix products in the way's number format.
    """
    notebook = result.way(NOTEBOOK)

    def cells(way: Way) -> list[str]:
        return [
            f"{result.rows_per_second(way):,.0f}",
            f"±{way.spread:.1%}",
            f"{result.rows / way.cold_seconds:,.0f}",
            "" if way is notebook else str(compare_passes(way.seconds, notebook.seconds)),
            share_cell(result.share_of_ceiling(way, ceiling)),
        ]

    return _with_failures("Throughput", result, _SPEED, cells)


def cost_table(result: Throughput) -> Table:
    """One row a way: its process's start-up and memory, and its answers against PyTorch fp32 and the labels."""

    def cells(way: Way) -> list[str]:
        return [
            f"{way.startup_seconds:.1f}",
            f"{way.peak_memory_mib:,.0f}",
            f"{way.max_abs_logit:.1e}",
            f"{way.flips}",
            NONE if way.mcc is None else f"{way.mcc:.4f}",
        ]

    return _with_failures("Start-up, memory and answers", result, _COST, cells)


def ratio_table(result: Throughput) -> Table:
    """One row for each other way: how many times as fast each of ours is, in brackets where that is refused."""
    ours = [way for way in result.ways if way.is_ours and not way.is_bare]
    rows = [
        [other.way, *(str(compare_passes(own.seconds, other.seconds)) for own in ours)]
        for other in result.ways
        if not other.is_ours
    ]
    variants = [way.way.removeprefix(f"{OURS} ") for way in ours]
    return Table(["way", *variants], rows, f"How many times as fast {OURS} is, by variant")


def tables(result: Throughput, ceiling: Ceiling | None) -> list[Table]:
    """All of them that have rows and figures."""
    found = [speed_table(result, ceiling), cost_table(result), ratio_table(result), failure_table(result.failures)]
    return [table for table in found if table.rows and len(table.columns) > 1]


def _whole_ways(result: Throughput) -> Throughput:
    """Those that read and write a file, the fastest first."""
    whole = (way for way in result.ways if not way.is_bare)
    return replace(result, ways=tuple(sorted(whole, key=lambda way: way.median_seconds)))


def _with_failures(title: str, result: Throughput, columns: Sequence[str], cells: Callable[[Way], list[str]]) -> Table:
    """A row for each way, and one without figures for each that was not measured."""
    blank = [NONE] * (len(columns) - 1)
    rows = [[way.way, *cells(way)] for way in result.ways] + [[way, *blank] for way in result.failures]
    return Table(columns, rows, title)
