"""A scaling run and what the model makes of it, as tables."""

from dataclasses import replace

import numpy as np

from benchmarks.machine import Ceiling
from benchmarks.scaling.inputs import ASSUMED, Input, Setting, costs_of, measured, overheads_of, settings
from benchmarks.scaling.model import Cluster, predict
from benchmarks.scaling.result import Run, Scaling
from bertline.report import Table

NODES = (1, 2, 4, 8, 16, 32, 64, 128)
_MUCH = 10**9, 10**10
_HERE = 1e12  # bytes a second: what runs on one machine does not wait for


def tables(result: Scaling, ceiling: Ceiling | None = None) -> list[Table]:
    """All of them; the ceiling is not looked at."""
    return list(named(result, cores=2).values())


def named(result: Scaling, cores: int) -> dict[str, Table]:
    """By name, in the order in which they are to be read; checks ran on so many cores."""
    found = {"inputs": inputs_table(result), "checks": checks_table(result, cores)}
    return found | {setting.title: setting_table(setting, result) for setting in settings(result)}


def inputs_table(result: Scaling) -> Table:
    """Every figure that the model is fed."""
    rows = [
        [item.name, _figure(item), "measured" if item.measured else "assumed", item.source]
        for item in (*measured(result), *ASSUMED)
    ]
    return Table(("input", "value", "how", "source, or reason"), rows, "Inputs")


def checks_table(result: Scaling, cores: int) -> Table:
    """Predicted and measured rows a second, while rows are scored."""
    rows = []
    for run in result.checks:
        predicted = predicted_check(result, run, cores)
        rates = run.rows / np.array(run.seconds)
        low, middle, high = np.percentile(rates, (25, 50, 75))
        rows.append(
            [
                str(run.workers),
                f"{middle:,.0f}",
                f"±{(high - low) / 2:,.0f}",
                f"{predicted:,.0f}",
                f"{predicted / middle:.2f}",
            ]
        )
    columns = ("workers", "rows/s, measured", "half of the middle half", "rows/s, predicted", "predicted / measured")
    return Table(columns, rows, f"{result.checks[0].rows:,} rows in parts of {result.part_rows:,}")


def predicted_check(result: Scaling, run: Run, cores: int) -> float:
    """Rows a second that the model says of one of the checks, on one machine of so many cores."""
    here = Cluster(1, cores, run.workers, 1, _HERE, _HERE)
    return predict(costs_of(result), overheads_of(result), here, run.rows, result.part_rows).rows_per_second


def setting_table(setting: Setting, result: Scaling) -> Table:
    """What so many nodes give, and what much costs."""
    overheads, cells = overheads_of(result), []
    for nodes in NODES:
        cluster = replace(setting.node, nodes=nodes)
        several = [predict(setting.costs, overheads, cluster, rows, setting.part_rows) for rows in _MUCH]
        most = several[-1]
        hours = [found.seconds / 3600 for found in several]
        cells.append(
            [
                str(nodes),
                f"{most.rows_per_second:,.0f}",
                most.limit,
                *(_hours(value) for value in hours),
                *(_hours(value * nodes) for value in hours),
            ]
        )
    columns = ("nodes", "rows/s", "limited by", "10⁹ rows, h", "10¹⁰ rows, h", "10⁹, node-hours", "10¹⁰, node-hours")
    return Table(columns, cells, setting.title)


def _hours(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


def _figure(item: Input) -> str:
    value = f"{item.value:,.0f}" if 1e3 <= item.value < 1e6 else f"{item.value:.3g}"
    return f"{value} {item.unit}".strip()
