"""The tables of a document, by the names that a README asks for them."""

from benchmarks.cells import failure_table
from benchmarks.documents import Document
from benchmarks.latency import tables as latency_tables
from benchmarks.latency.result import Latency
from benchmarks.runtimes import tables as runtimes_tables
from benchmarks.runtimes.result import Runtimes
from benchmarks.scale.result import Scale
from benchmarks.scale.tables import failure_table as scale_failures
from benchmarks.scale.tables import growth_table, series_table
from benchmarks.scaling.result import Scaling
from benchmarks.scaling.tables import named as scaling_tables
from benchmarks.throughput.tables import (
    cost_table,
    ratio_table,
    speed_table,
    summary_table,
)
from bertline.report import Table


def named_tables(document: Document) -> dict[str, Table]:
    """Those that have rows, in the order in which they are to be read."""
    found = _tables(document)
    return {name: table for name, table in found.items() if table.rows and len(table.columns) > 1}


def _tables(document: Document) -> dict[str, Table]:
    match document.result:
        case Latency() as latency:
            return {
                "p50": latency_tables.p50_table(latency),
                "latency": latency_tables.latency_table(latency),
                "shares": latency_tables.share_table(latency, document.machine.ceiling),
                "ways": latency_tables.ways_table(latency),
                "failures": failure_table(latency.failures),
            }
        case Scale() as scale:
            ceiling = document.machine.ceiling
            series = {part.kind: series_table(part, scale, ceiling) for part in scale.series if part.points}
            return {"growth": growth_table(scale), **series, "failures": scale_failures(scale)}
        case Runtimes() as runtimes:
            return {
                "runtimes": runtimes_tables.summary_table(runtimes),
                "figures": runtimes_tables.figures_table(runtimes),
                "hard": runtimes_tables.hard_table(runtimes),
                "sizes": runtimes_tables.size_table(runtimes),
                "failures": failure_table(runtimes.failures),
            }
        case Scaling() as scaling:
            return scaling_tables(scaling, document.machine.cpus)
        case throughput:
            return {
                "summary": summary_table(throughput),
                "speed": speed_table(throughput, document.machine.ceiling),
                "cost": cost_table(throughput),
                "ratios": ratio_table(throughput),
                "failures": failure_table(throughput.failures),
            }
