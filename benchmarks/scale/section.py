"""A scale run as a section of a page."""

from benchmarks.machine import Ceiling
from benchmarks.scale.charts import charts
from benchmarks.scale.result import Scale
from benchmarks.scale.tables import tables
from bertline.report import Chart, Section


def scale_section(result: Scale, ceiling: Ceiling | None) -> Section:
    """Curves of each series, then all tables."""
    drawn = [Chart(svg) for series in result.series for svg in charts(series)]
    stopped = ["Interrupted: what is here was finished."] if result.interrupted else []
    return Section("Scale", [*stopped, *drawn, *tables(result, ceiling)])
