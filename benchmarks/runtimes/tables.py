"""What a run over a bundle's consumers says, as tables."""

from benchmarks.cells import NONE, failure_table
from benchmarks.machine import Ceiling
from benchmarks.runtimes.result import Figures, Runtimes
from bertline.report import Section, Table

_FIGURES = ("runtime", "variant", "cold start s", "rows/s", "max |Δlogit|", "labels differ", "self-check", "verdict")


def summary_table(result: Runtimes) -> Table:
    """One row a consumer: what it is, its speed on the first variant, and its answers on each."""
    variants = result.variants
    first = next(iter(variants), NONE)
    ids = f"other ids, of {result.token_rows:,}" if result.token_rows else "other ids"
    columns = ["runtime", "versions", "MB", f"cold start s, {first}", f"rows/s, {first}"]
    columns += [f"max |Δlogit| {variant}" for variant in variants]
    columns += [ids, f"of {result.hard_rows:,} hard", "verdict"]
    counts = {of.runtime: of for of in result.token_ids}
    rows = []
    for runtime in result.runtimes:
        found = result.of_runtime(runtime.name)
        if runtime.name not in counts or not found:
            continue
        of = counts[runtime.name]
        rows.append(
            [
                runtime.name,
                ", ".join(f"{name} {version}" for name, version in runtime.versions.items()),
                f"{runtime.size_mb:,.0f}",
                _seconds(found[first]) if first in found else NONE,
                _rate(result, found[first]) if first in found else NONE,
                *(f"{found[variant].max_abs_logit:.1e}" if variant in found else NONE for variant in variants),
                f"{of.mismatches:,}" if result.token_rows else NONE,
                f"{of.hard_mismatches:,}",
                "; ".join(f"{name}: {text}" for name, figures in found.items() for text in result.faults(figures))
                or "same",
            ]
        )
    return Table(
        columns, rows, f"Runtimes: {result.bundle}, {result.rows:,} rows, against bertline on the same variant"
    )


def figures_table(result: Runtimes) -> Table:
    """One row a consumer and variant."""
    rows = [
        [
            figures.runtime,
            figures.variant,
            _seconds(figures),
            _rate(result, figures),
            f"{figures.max_abs_logit:.1e}",
            f"{figures.labels_differ:,}",
            "failed" if figures.self_check else "passed",
            "; ".join(result.faults(figures)) or "same answers",
        ]
        for figures in result.figures
    ]
    return Table(_FIGURES, rows, "Each runtime on each variant")


def size_table(result: Runtimes) -> Table:
    """One row a consumer: what has to be installed beside the bundle."""
    rows = [[runtime.name, f"{runtime.size_mb:,.1f}", runtime.counted] for runtime in result.runtimes]
    return Table(["runtime", "MB", "of"], rows, "Installed size")


def tables(result: Runtimes, ceiling: Ceiling | None) -> list[Table]:
    """All of them that have rows."""
    found = [summary_table(result), figures_table(result), size_table(result), failure_table(result.failures)]
    return [table for table in found if table.rows]


def runtimes_section(result: Runtimes) -> Section:
    """All of it, for a report."""
    return Section("Runtimes", [*tables(result, None)])


def _seconds(figures: Figures) -> str:
    return NONE if figures.cold_start_seconds is None else f"{figures.cold_start_seconds:.2f}"


def _rate(result: Runtimes, figures: Figures) -> str:
    rate = result.rows_per_second(figures)
    return NONE if rate is None else f"{rate:,.0f}"
