"""What a latency run says, as tables and as curves."""

from benchmarks.cells import NONE, failure_table, share_cell
from benchmarks.comparison import compare_quartiles
from benchmarks.latency.result import PYTORCH, Cell, Latency
from benchmarks.machine import Ceiling
from benchmarks.timing import Timing
from bertline.charts import line_chart
from bertline.report import Chart, Section, Table

_SHAPE = ("batch", "sequence", "way")
_TIMES = (*_SHAPE, "p50 ms", "p90 ms", "p99 ms", "mean ms", "spread", "first ms", "× PyTorch")
_SHARES = (*_SHAPE, "rows/s", "of matrix rate", "weights, of read rate", "max |Δlogit|")
_WAYS = ("way", "runs on", "loading s", "first call ms", "max |Δlogit|")


def latency_table(result: Latency) -> Table:
    """One row a shape and way: times warm, the first call of the shape apart, and how many times as fast as PyTorch
    fp32, in brackets where that is refused. A way that was not measured has a row without figures.
    """
    pytorch = {(cell.batch, cell.sequence): cell.timing for cell in result.cells if cell.way == PYTORCH}

    def ratio(cell: Cell) -> str:
        if cell.way == PYTORCH:
            return ""
        return str(compare_quartiles(_quartiles(cell.timing), _quartiles(pytorch[cell.batch, cell.sequence])))

    rows = [
        [
            *_shape(cell),
            _milliseconds(cell.timing.p50_ms),
            _milliseconds(cell.timing.p90_ms),
            _milliseconds(cell.timing.p99_ms),
            _milliseconds(cell.timing.mean_ms),
            f"±{cell.spread:.0%}",
            _milliseconds(cell.first_ms),
            ratio(cell),
        ]
        for cell in result.cells
    ]
    measured = {cell.way for cell in result.cells}
    blank = [NONE] * (len(_TIMES) - len(_SHAPE))
    rows += [[NONE, NONE, title, *blank] for title in result.failures if title not in measured]
    return Table(_TIMES, rows, "Latency")


def p50_table(result: Latency) -> Table:
    """One row a shape, one column a way: median, and how many times as fast as PyTorch fp32, in brackets where that is
    refused.
    """
    shapes = dict.fromkeys((cell.batch, cell.sequence) for cell in result.cells)
    found = {(cell.batch, cell.sequence, cell.way): cell for cell in result.cells}

    def text(shape: tuple[int, int], title: str) -> str:
        cell, pytorch = found.get((*shape, title)), found.get((*shape, PYTORCH))
        if cell is None:
            return NONE
        if pytorch is None or cell is pytorch:
            return _milliseconds(cell.timing.p50_ms)
        ratio = compare_quartiles(_quartiles(cell.timing), _quartiles(pytorch.timing))
        return f"{_milliseconds(cell.timing.p50_ms)}, {ratio}×"

    titles = [way.title for way in result.ways]
    rows = [
        [f"{batch} × {sequence}", *(text((batch, sequence), title) for title in titles)] for batch, sequence in shapes
    ]
    return Table(["batch × sequence", *titles], rows, "Median milliseconds, × PyTorch fp32")


def ways_table(result: Latency) -> Table:
    """One row a way: what runs it, what its first call costs, and its answers against PyTorch fp32."""
    rows = []
    for way in result.ways:
        cells = [cell for cell in result.cells if cell.way == way.title]
        first = _milliseconds(cells[0].first_ms) if cells else NONE
        apart = f"{max(cell.max_abs_logit for cell in cells):.0e}" if cells else NONE
        rows.append([way.title, way.provider, f"{way.load_seconds:.1f}", first, apart])
    threads = f"{result.threads} {'thread' if result.threads == 1 else 'threads'}"
    return Table(_WAYS, rows, f"Ways, {threads} each")


def share_table(result: Latency, ceiling: Ceiling | None) -> Table:
    """One row a shape and way: rows/s, and what share that is of what the machine can do at best.

    Large batches are bound by its rate for matrix products, single short rows by reading the weights.
    """
    rows = [
        [
            *_shape(cell),
            f"{cell.rows_per_second:,.0f}",
            share_cell(result.share_of_matrix_rate(cell, ceiling)),
            share_cell(result.share_of_read_rate(cell, ceiling)),
            f"{cell.max_abs_logit:.0e}",
        ]
        for cell in result.cells
    ]
    return Table(_SHARES, rows, "Shares of what the machine can do; above 100% from a cache, or with better kernels")


def tables(result: Latency, ceiling: Ceiling | None) -> list[Table]:
    """All of them that have rows."""
    found = [latency_table(result), share_table(result, ceiling), ways_table(result), failure_table(result.failures)]
    return [table for table in found if table.rows]


def latency_chart(result: Latency, batch: int) -> str:
    """p50 against sequence length for one batch size, a line a way, both axes logarithmic."""
    cells = [cell for cell in result.cells if cell.batch == batch]
    points = {  # all ways, so that each has the same colour for every batch size
        way.title: [(cell.sequence, cell.timing.p50_ms) for cell in cells if cell.way == way.title]
        for way in result.ways
    }
    return line_chart(
        points,
        title=f"p50 latency, batches of {batch} {'row' if batch == 1 else 'rows'}",
        x_label="sequence length, tokens",
        y_label="milliseconds",
        log_x=True,
        log_y=True,
    )


def latency_section(result: Latency, ceiling: Ceiling | None = None) -> Section:
    """Curves and tables, for a report; shares of the ceiling where there is one."""
    batches = sorted({cell.batch for cell in result.cells})
    return Section("Latency", [*(Chart(latency_chart(result, batch)) for batch in batches), *tables(result, ceiling)])


def _shape(cell: Cell) -> list[str]:
    return [str(cell.batch), str(cell.sequence), cell.way]


def _milliseconds(value: float) -> str:
    return f"{value:.2f}" if value < 100 else f"{value:,.0f}"


def _quartiles(timing: Timing) -> tuple[float, float, float]:
    return timing.p25_ms, timing.p50_ms, timing.p75_ms
