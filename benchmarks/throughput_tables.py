"""What a throughput run says, as tables and as a page; a way that was not measured is a row that says why."""

from collections.abc import Callable, Sequence

import numpy as np

from benchmarks.candidates import NOTEBOOK, OURS
from benchmarks.throughput import Outcome, Result, is_ours
from bertline.report import Facts, Report, Section, Table, render_html

SPEED_COLUMNS = ("way", "rows/s", "spread", "first pass", "× notebook", "of matrix rate")
COST_COLUMNS = ("way", "start-up s", "peak MiB", "max |Δlogit|", "flips", "MCC")
FAILURE_COLUMNS = ("way", "not measured, because")
_NONE = "–"


def speed_rows(outcome: Outcome) -> list[list[str]]:
    """One row a way: median rows/s warm, its spread, rows/s cold, and ratio to the notebook's loop.

    The last column is the share of the processor's own best rate for matrix products, measured in the same run.
    """
    notebook = _notebook(outcome)
    flop = outcome.environment.get("encoder_flop_per_row")
    ceiling = max(outcome.environment["matrix_flops"].values())  # bf16 is emulated on CPUs without it, and slower

    def cells(result: Result) -> list[str]:
        return [
            f"{result.rows_per_second:,.0f}",
            f"±{result.spread / 2:.1%}",
            f"{result.rows / result.cold_seconds:,.0f}",
            f"{result.rows_per_second / notebook.rows_per_second:.2f}",
            f"{result.rows_per_second * flop / ceiling:.1%}" if flop else _NONE,
        ]

    return _with_failures(outcome, SPEED_COLUMNS, cells)


def cost_rows(outcome: Outcome) -> list[list[str]]:
    """One row a way: its process's start-up and memory, and its answers against PyTorch fp32 and the labels."""

    def cells(result: Result) -> list[str]:
        return [
            f"{result.startup_seconds:.1f}",
            f"{result.peak_memory_mib:,.0f}",
            f"{result.max_abs_logit:.1e}",
            f"{result.flips}",
            _NONE if result.mcc is None else f"{result.mcc:.4f}",
        ]

    return _with_failures(outcome, COST_COLUMNS, cells)


def ratio_columns(outcome: Outcome) -> list[str]:
    """Each way of ours, to be compared with everybody else's."""
    return ["way", *(result.way for result in outcome.results if is_ours(result))]


def ratio_rows(outcome: Outcome) -> list[list[str]]:
    """One row for each other way: how many times as fast each of ours is, the median over the passes.

    Both of a pass ran within the same minute, so that what slows down the whole machine falls out. In brackets where
    1 lies within the middle half of the passes: that is noise.
    """
    ours = [result for result in outcome.results if is_ours(result)]
    others = [result for result in outcome.results if not is_ours(result)]
    return [[other.way, *(_ratio(own, other) for own in ours)] for other in others]


def failure_rows(outcome: Outcome) -> list[list[str]]:
    """One row for each way that was not measured, with the reason."""
    return [[way, reason] for way, reason in outcome.failures.items()]


def tables(outcome: Outcome) -> list[tuple[str, Sequence[str], list[list[str]]]]:
    """Title, columns and rows of each table that has any."""
    found: list[tuple[str, Sequence[str], list[list[str]]]] = [
        ("Throughput", SPEED_COLUMNS, speed_rows(outcome)),
        ("Start-up, memory and answers", COST_COLUMNS, cost_rows(outcome)),
        ("How many times as fast", ratio_columns(outcome), ratio_rows(outcome)),
        ("Not measured", FAILURE_COLUMNS, failure_rows(outcome)),
    ]
    return [(title, columns, rows) for title, columns, rows in found if rows and len(columns) > 1]


def throughput_page(outcome: Outcome, file: str) -> str:
    """A self-contained HTML page of one throughput run."""
    results, environment, notebook = outcome.results, outcome.environment, _notebook(outcome)
    headline = []
    ours = [result for result in results if result.way.startswith(f"{OURS} ")]
    if ours:
        best = max(ours, key=lambda result: result.rows_per_second)
        times = best.rows_per_second / notebook.rows_per_second
        headline = [(f"{best.rows_per_second:,.0f}", f"rows/s, {best.way}"), (f"{times:.1f}×", "the notebook's loop")]
    facts = {
        "rows, tokens": f"{results[0].rows:,}, {environment['tokens']:,}",
        "threads": environment["threads"],
        "matrix rate": ", ".join(
            f"{name} {rate / 1e12:.2f} TFLOP/s" for name, rate in environment["matrix_flops"].items()
        ),
        "versions": ", ".join(f"{name} {version}" for name, version in environment["versions"].items()),
    }
    versions = {
        result.way: ", ".join(f"{name} {version}" for name, version in result.versions.items()) for result in results
    }
    told = (
        "Ways take turns on the same rows, file to file, each in a process of its own, models loaded before, all with "
        "the same limit of threads. Spread: half of the middle half."
    )
    sections = [Section(title, [Table(columns, rows)]) for title, columns, rows in tables(outcome)]
    sections[0] = Section(sections[0].title, [told, *sections[0].blocks])
    sections += [Section("Environment", [Facts(facts)]), Section("What each way ran on", [Facts(versions)])]
    return render_html(Report(f"Scoring {file} in every way", environment["cpu"], headline, sections))


def _notebook(outcome: Outcome) -> Result:
    return next(result for result in outcome.results if result.way == NOTEBOOK)


def _with_failures(outcome: Outcome, columns: Sequence[str], cells: Callable[[Result], list[str]]) -> list[list[str]]:
    """A row for each result, and one without figures for each way that was not measured."""
    blank = [_NONE] * (len(columns) - 1)
    return [[result.way, *cells(result)] for result in outcome.results] + [[way, *blank] for way in outcome.failures]


def _ratio(own: Result, other: Result) -> str:
    passes = min(len(own.seconds), len(other.seconds))  # the last may have been interrupted
    ratios = np.array(other.seconds[:passes]) / np.array(own.seconds[:passes])
    low, ratio, high = np.percentile(ratios, [25, 50, 75])
    return f"({ratio:.2f})" if low <= 1 <= high else f"{ratio:.2f}"
