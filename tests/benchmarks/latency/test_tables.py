"""What a latency run says."""

import re

import pytest

from benchmarks.cells import failure_table
from benchmarks.latency.result import PYTORCH, Cell, Latency, LoadedWay, Plan
from benchmarks.latency.tables import (
    latency_chart,
    latency_section,
    latency_table,
    p50_table,
    share_table,
    tables,
    ways_table,
)
from benchmarks.machine import Ceiling
from benchmarks.output import show
from benchmarks.timing import Timing
from bertline.report import Chart

OURS = "bertline fp32"
CEILING = Ceiling({"float32": 1e12, "bfloat16": 2e12}, 1e10)


def cell(way: str, milliseconds: float, batch: int = 8, spread: float = 0.1) -> Cell:
    p50, p90, p99 = milliseconds, 2 * milliseconds, 3 * milliseconds
    quartiles = {"p25_ms": p50 * (1 - spread), "p75_ms": p50 * (1 + spread)}
    timing = Timing(p50, p90, p99, mean_ms=1.5 * p50, runs=10, **quartiles)
    return Cell(way, batch, 16, 12345.6, timing, 0.002, flop=1e9)


def latency(*cells: Cell, **failures: str) -> Latency:
    ways = LoadedWay(PYTORCH, "eager", ("float32",), 1.25), LoadedWay(OURS, "a provider", ("bfloat16",), 0.5)
    return Latency(Plan(), 2, 5_000_000, ways, cells, failures)


def test_the_table_compares_with_pytorch() -> None:
    table = latency_table(latency(cell(PYTORCH, 4.0), cell(OURS, 2.0)))
    assert table.rows[0] == ["8", "16", PYTORCH, "4.00", "8.00", "12.00", "6.00", "±10%", "12,346", ""]
    assert table.rows[1] == ["8", "16", OURS, "2.00", "4.00", "6.00", "3.00", "±10%", "12,346", "2.00"]
    assert len(table.columns) == len(table.rows[0])


def test_a_difference_within_the_spread_is_refused() -> None:
    rows = latency_table(latency(cell(PYTORCH, 4.0, spread=0.3), cell(OURS, 3.0, spread=0.3))).rows
    assert rows[1][-1] == "(1.33)"


def test_the_short_table_has_a_column_a_way() -> None:
    cells = cell(PYTORCH, 4.0), cell(OURS, 2.0), cell(PYTORCH, 4.0, batch=32, spread=0.5), cell(OURS, 3.0, batch=32)
    table = p50_table(latency(*cells, cell(PYTORCH, 1.0, batch=64)))
    assert table.columns == ["batch × sequence", PYTORCH, OURS]
    assert table.rows == [
        ["8 × 16", "4.00", "2.00, 2.00×"],
        ["32 × 16", "4.00", "3.00, (1.33)×"],
        ["64 × 16", "1.00", "–"],
    ]


def test_shares_are_of_the_ways_own_number_format() -> None:
    result = latency(cell(PYTORCH, 4.0), cell(OURS, 2.0))
    rows = share_table(result, CEILING).rows
    assert rows[0][3:] == ["2,000", "25%", "50%", "2e-03"]  # 1 GFLOP of 4 that it could do; 20 MB of 40
    assert rows[1][3:] == ["4,000", "25%", "50%", "2e-03"]  # half the time, twice the rate, half the bytes
    assert [row[4:6] for row in share_table(result, None).rows] == [["–", "–"]] * 2


def test_ways_say_what_runs_them_and_with_how_many_threads() -> None:
    table = ways_table(latency(cell(PYTORCH, 4.0)))
    assert table.caption == "Ways, 2 threads each"
    assert table.rows == [[PYTORCH, "eager", "1.2", "12,346", "2e-03"], [OURS, "a provider", "0.5", "–", "–"]]


def test_a_way_that_was_not_measured_is_a_row_and_a_reason() -> None:
    result = latency(cell(PYTORCH, 4.0), peer="no compiler")
    assert latency_table(result).rows[-1] == ["–", "–", "peer", *["–"] * 7]
    assert failure_table(result.failures).rows == [["peer", "no compiler"]]
    assert len(tables(result, CEILING)) == 4 and len(tables(latency(cell(PYTORCH, 4.0)), CEILING)) == 3


def test_the_tables_fit_a_terminal(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    long = "PyTorch fp32, compiled"
    cells = cell(PYTORCH, 99.99, batch=32), cell(long, 99999.0, batch=32), cell(OURS, 99.99, batch=32)
    result = latency(*cells)
    result = Latency(result.plan, 2, 1, (*result.ways, LoadedWay(long, "torch.compile", ("float32",), 1)), cells, {})
    for table in tables(result, CEILING):
        show(table)
    lines = [line.rstrip() for line in capsys.readouterr().out.splitlines()]
    assert max(map(len, lines)) <= 110 and any(long in line for line in lines)


def test_there_is_a_curve_for_each_batch_size() -> None:
    result = latency(*(cell(way, time, batch) for batch in (1, 8) for way, time in ((PYTORCH, 4.0), (OURS, 2.0))))
    assert "batches of 1 row" in latency_chart(result, 1) and PYTORCH in latency_chart(result, 1)
    assert sum(isinstance(block, Chart) for block in latency_section(result).blocks) == 2


def test_eight_ways_have_signs_of_their_own() -> None:
    ways = tuple(LoadedWay(f"way {number}", "a provider", ("float32",), 1.0) for number in range(8))
    cells = tuple(cell(way.title, 1.0 + number) for number, way in enumerate(ways))
    chart = latency_chart(Latency(Plan(), 2, 1, ways, cells, {}), 8)
    signs = re.findall(r'stroke="(#\w+)" stroke-width="2" stroke-dasharray="([^"]+)"', chart)
    assert len(signs) == len(set(signs)) == 8
