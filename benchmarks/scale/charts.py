"""A scale run as curves."""

from benchmarks.comparison import compare_passes
from benchmarks.scale.result import LENGTHS, ROWS, THREADS, Point, Series
from bertline.charts import line_chart


def charts(series: Series) -> list[str]:
    """SVG of a series with two points or more; repeats have none."""
    points = series.points
    if len(points) < 2:
        return []
    if series.kind == ROWS:
        return [_time_over_rows(points), _memory_over_rows(points)]
    if series.kind == LENGTHS:
        return [_time_over_length(points)]
    return [_speed_up(points)] if series.kind == THREADS else []


def _time_over_rows(points: tuple[Point, ...]) -> str:
    return line_chart(
        {"median": [(point.x, point.seconds_per_row * 1e6) for point in points]},
        title="Time per row as a file grows",
        x_label="rows",
        y_label="microseconds per row",
        log_x=True,
    )


def _memory_over_rows(points: tuple[Point, ...]) -> str:
    return line_chart(
        {"largest": [(point.x, point.largest_memory_mib) for point in points]},
        title="Peak memory as a file grows",
        x_label="rows",
        y_label="MiB",
        log_x=True,
    )


def _time_over_length(points: tuple[Point, ...]) -> str:
    first = points[0]
    each = first.seconds_per_row * 1e6 / first.x
    return line_chart(
        {
            "measured": [(point.x, point.seconds_per_row * 1e6) for point in points],
            "in proportion": [(point.x, each * point.x) for point in points],
        },
        title="Time per row as rows grow longer",
        x_label="tokens of each row",
        y_label="microseconds per row",
        log_x=True,
        log_y=True,
    )


def _speed_up(points: tuple[Point, ...]) -> str:
    first = points[0]
    return line_chart(
        {
            "measured": [(point.x, compare_passes(point.seconds, first.seconds).ratio) for point in points],
            "ideal": [(point.x, point.x / first.x) for point in points],
        },
        title="Speed-up over threads",
        x_label="threads",
        y_label=f"times as fast as with {first.x}",
    )
