"""What a latency run says."""

from benchmarks.latency.result import PYTORCH, Cell, Latency, Plan
from benchmarks.latency.tables import latency_chart, latency_section, latency_table
from benchmarks.timing import Timing
from bertline.report import Chart

OURS = "bertline fp32"


def cell(way: str, milliseconds: float, batch: int = 8, spread: float = 0.1) -> Cell:
    p50, p90, p99 = milliseconds, 2 * milliseconds, 3 * milliseconds
    quartiles = {"p25_ms": p50 * (1 - spread), "p75_ms": p50 * (1 + spread)}
    return Cell(way, batch, 16, Timing(p50, p90, p99, mean_ms=p50, runs=10, **quartiles))


def latency(*cells: Cell) -> Latency:
    return Latency(Plan(), {PYTORCH: "eager", OURS: "a provider"}, cells)


def test_the_table_compares_with_pytorch() -> None:
    table = latency_table(latency(cell(PYTORCH, 4.0), cell(OURS, 2.0)))
    assert table.rows[0] == ["8", "16", PYTORCH, "4.00", "8.00", "12.00", "2,000", ""]
    assert table.rows[1] == ["8", "16", OURS, "2.00", "4.00", "6.00", "4,000", "2.00"]
    assert len(table.columns) == len(table.rows[0])


def test_a_difference_within_the_spread_is_refused() -> None:
    rows = latency_table(latency(cell(PYTORCH, 4.0, spread=0.3), cell(OURS, 3.0, spread=0.3))).rows
    assert rows[1][-1] == "(1.33)"


def test_there_is_a_curve_for_each_batch_size() -> None:
    result = latency(*(cell(way, time, batch) for batch in (1, 8) for way, time in ((PYTORCH, 4.0), (OURS, 2.0))))
    assert "batches of 1 row" in latency_chart(result, 1) and PYTORCH in latency_chart(result, 1)
    assert sum(isinstance(block, Chart) for block in latency_section(result).blocks) == 2
