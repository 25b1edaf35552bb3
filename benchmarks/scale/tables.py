"""What a scale run says, as a table a series; a file that was not measured is a row that says why."""

import math
from collections.abc import Sequence

from benchmarks.cells import NONE, NOT_MEASURED, share_cell
from benchmarks.comparison import compare_passes
from benchmarks.estimates import Estimate
from benchmarks.machine import Ceiling
from benchmarks.scale.result import LENGTHS, REPEATS, ROWS, Point, Scale, Series
from benchmarks.scale.verdicts import seconds_of, seconds_per_row_of, slopes_after, verdicts
from bertline.report import Table

_ROWS = ("file", "tokens/row", "seconds", "µs/row", "× first", "step exponent", "peak MiB", "× first", "of matrix rate")
_LENGTHS = ("row", "rows", "seconds", "µs/row", "µs/token", "step exponent", "peak MiB", "of matrix rate")
_THREADS = ("threads", "seconds", "rows/s", "speed-up", "of ideal", "peak MiB")
_REPEATS = ("file", "rows", "run", "seconds", "× once", "µs/row", "peak MiB")


def tables(result: Scale, ceiling: Ceiling | None) -> list[Table]:
    """A table a series that has points, one of exponents, and one of what was not measured, where there are any."""
    found = [series_table(series, result, ceiling) for series in result.series if series.points]
    found += [growth_table(result), failure_table(result)]
    return [table for table in found if table.rows]


def series_table(series: Series, result: Scale, ceiling: Ceiling | None) -> Table:
    """One row a point; `step exponent` is of the step that leads to it, with the interval of all steps together."""
    way = f"{result.variant} on {result.provider}"
    if series.kind == ROWS:
        return Table(_ROWS, _row_cells(series.points, result, ceiling), f"Rows, {way}")
    if series.kind == LENGTHS:
        return Table(
            _LENGTHS,
            _length_cells(series.points, result, ceiling),
            f"Tokens of a row, {way}",
        )
    if series.kind == REPEATS:
        return Table(_REPEATS, _repeat_cells(series.points), f"Repeated sentences, {way}")
    caption = f"Threads of the session, {series.points[0].rows:,} rows, {way}"
    return Table(_THREADS, _thread_cells(series.points), caption)


def growth_table(result: Scale) -> Table:
    """Fitted exponents with 95% intervals over the passes, and what they say."""
    rows = [
        [verdict.what, str(verdict.exponent), verdict.words] for series in result.series for verdict in verdicts(series)
    ]
    return Table(("figure", "exponent [95%]", "verdict"), rows, "Growth")


def failure_table(result: Scale) -> Table:
    """One row for each file that was not measured, with the reason."""
    rows = [[series.kind, name, reason] for series in result.series for name, reason in series.failures.items()]
    return Table(("series", "file", NOT_MEASURED), rows, "Not measured")


def _row_cells(points: Sequence[Point], result: Scale, ceiling: Ceiling | None) -> list[list[str]]:
    first = points[0]
    return [
        [
            point.name,
            f"{point.tokens / point.unique_rows:.1f}",
            f"{point.median_seconds:.2f}",
            f"{point.seconds_per_row * 1e6:.1f}",
            f"{point.seconds_per_row / first.seconds_per_row:.3f}",
            _slope(slope),
            f"{point.largest_memory_mib:,.0f}",
            f"{point.largest_memory_mib / first.largest_memory_mib:.3f}",
            share_cell(result.share_of_ceiling(point, ceiling)),
        ]
        for point, slope in zip(points, slopes_after(points, seconds_of(points)), strict=True)
    ]


def _length_cells(points: Sequence[Point], result: Scale, ceiling: Ceiling | None) -> list[list[str]]:
    return [
        [
            point.name,
            f"{point.rows:,}",
            f"{point.median_seconds:.2f}",
            f"{point.seconds_per_row * 1e6:,.1f}",
            f"{point.median_seconds / point.tokens * 1e6:.2f}",
            _slope(slope),
            f"{point.largest_memory_mib:,.0f}",
            share_cell(result.share_of_ceiling(point, ceiling)),
        ]
        for point, slope in zip(points, slopes_after(points, seconds_per_row_of(points)), strict=True)
    ]


def _thread_cells(points: Sequence[Point]) -> list[list[str]]:
    first = points[0]
    cells = []
    for point in points:
        speed_up = compare_passes(point.seconds, first.seconds)
        cells.append(
            [
                f"{point.x}",
                f"{point.median_seconds:.2f}",
                f"{point.rows / point.median_seconds:,.0f}",
                NONE if point is first else str(speed_up),
                f"{speed_up.ratio * first.x / point.x:.0%}",
                f"{point.largest_memory_mib:,.0f}",
            ]
        )
    return cells


def _repeat_cells(points: Sequence[Point]) -> list[list[str]]:
    once = points[0]
    return [
        [
            point.name,
            f"{point.rows:,}",
            f"{point.unique_rows:,}",
            f"{point.median_seconds:.2f}",
            NONE if point is once else str(compare_passes(once.seconds, point.seconds)),
            f"{point.seconds_per_row * 1e6:.1f}",
            f"{point.largest_memory_mib:,.0f}",
        ]
        for point in points
    ]


def _slope(slope: Estimate | None) -> str:
    if slope is None:
        return NONE
    half = "" if math.isinf(slope.high) else f" ±{(slope.high - slope.low) / 2:.2f}"
    return f"{slope.value:.2f}{half}"
