"""What a latency run says, as a table and as curves."""

from benchmarks.comparison import compare_quartiles
from benchmarks.latency.result import PYTORCH, Cell, Latency
from benchmarks.timing import Timing
from bertline.charts import line_chart
from bertline.report import Chart, Section, Table

_COLUMNS = ("batch", "sequence", "way", "p50 ms", "p90 ms", "p99 ms", "rows/s", "× PyTorch")


def latency_table(result: Latency) -> Table:
    """One row a shape and way: percentiles, rows/s, and how many times as fast as PyTorch fp32, in brackets where that
    is refused.
    """
    pytorch = {(cell.batch, cell.sequence): cell.timing for cell in result.cells if cell.way == PYTORCH}

    def ratio(cell: Cell) -> str:
        if cell.way == PYTORCH:
            return ""
        return str(compare_quartiles(_quartiles(cell.timing), _quartiles(pytorch[cell.batch, cell.sequence])))

    rows = [
        [
            str(cell.batch),
            str(cell.sequence),
            cell.way,
            f"{cell.timing.p50_ms:.2f}",
            f"{cell.timing.p90_ms:.2f}",
            f"{cell.timing.p99_ms:.2f}",
            f"{cell.rows_per_second:,.0f}",
            ratio(cell),
        ]
        for cell in result.cells
    ]
    return Table(_COLUMNS, rows, "Latency")


def latency_chart(result: Latency, batch: int) -> str:
    """p50 against sequence length for one batch size, a line a way, both axes logarithmic."""
    cells = [cell for cell in result.cells if cell.batch == batch]
    return line_chart(
        {way: [(cell.sequence, cell.timing.p50_ms) for cell in cells if cell.way == way] for way in result.providers},
        title=f"p50 latency, batches of {batch} {'row' if batch == 1 else 'rows'}",
        x_label="sequence length, tokens",
        y_label="milliseconds",
        log_x=True,
        log_y=True,
    )


def latency_section(result: Latency) -> Section:
    """Curves and the table, for a report."""
    batches = sorted({cell.batch for cell in result.cells})
    return Section("Latency", [*(Chart(latency_chart(result, batch)) for batch in batches), latency_table(result)])


def _quartiles(timing: Timing) -> tuple[float, float, float]:
    return timing.p25_ms, timing.p50_ms, timing.p75_ms
