"""What a run over a bundle's consumers says, as tables."""

from benchmarks.cells import NONE, failure_table
from benchmarks.machine import Ceiling
from benchmarks.runtimes.result import Figures, Installed, Runtimes
from bertline.report import Section, Table

SAME = "same answers"
_FIGURES = ("runtime", "variant", "cold start s", "rows/s", "max |Δlogit|", "labels differ", "self-check", "verdict")


def summary_table(result: Runtimes) -> Table:
    """One row a consumer: what it is, its speed on the first variant, and its answers on each. One that was not
    measured has a row that says why.
    """
    variants = result.variants
    first = variants[0] if variants else NONE
    columns = ["runtime", "versions", "MB", f"cold start s, {first}", f"rows/s, {first}"]
    columns += [f"max |Δlogit| {variant}" for variant in variants]
    columns += [f"other ids, of {result.token_rows:,}", f"of {result.hard_rows:,} hard", "verdict"]
    rows = [_summary(result, runtime, first) for runtime in result.runtimes if result.of_runtime(runtime.name)]
    shown, blank = {row[0] for row in rows}, [NONE] * (len(columns) - 2)
    rows += [[name, *blank, reason] for name, reason in result.failures.items() if name.split()[0] not in shown]
    return Table(columns, rows, f"Runtimes on {result.bundle}, {result.rows:,} rows, against bertline's own answers")


def _summary(result: Runtimes, runtime: Installed, first: str) -> list[str]:
    found = result.of_runtime(runtime.name)
    faults = {
        variant: "; ".join(result.faults(found[variant]))
        if variant in found
        else result.failures.get(f"{runtime.name} {variant}")
        for variant in result.variants
    }
    ids = next(of for of in result.token_ids if of.runtime == runtime.name)
    return [
        runtime.name,
        ", ".join(f"{name} {version}" for name, version in runtime.versions.items()),
        f"{runtime.size_mb:,.0f}",
        _seconds(found.get(first)),
        _rate(result, found.get(first)),
        *(f"{found[variant].max_abs_logit:.1e}" if variant in found else NONE for variant in result.variants),
        f"{ids.mismatches:,}" if result.token_rows else NONE,
        f"{sum(ids.hard_mismatches.values()):,}",
        "; ".join(f"{variant}: {fault}" for variant, fault in faults.items() if fault) or SAME,
    ]


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
            "; ".join(result.faults(figures)) or SAME,
        ]
        for figures in result.figures
    ]
    return Table(_FIGURES, rows, "Each runtime on each variant")


def hard_table(result: Runtimes) -> Table:
    """One row a category of the hard set, one column a consumer: texts with other token ids."""
    found = {of.runtime: of.hard_mismatches for of in result.token_ids}
    categories = dict.fromkeys(name for counts in found.values() for name in counts)
    rows = [[category, *(str(counts.get(category, 0)) for counts in found.values())] for category in categories]
    return Table(["category", *found], rows, f"Other token ids, of {result.hard_rows:,} hard texts")


def size_table(result: Runtimes) -> Table:
    """One row a consumer: what has to be installed beside the bundle."""
    rows = [[runtime.name, f"{runtime.size_mb:,.1f}", runtime.counted] for runtime in result.runtimes]
    return Table(["runtime", "MB", "of"], rows, "Installed size")


def tables(result: Runtimes, ceiling: Ceiling | None) -> list[Table]:
    """All of them that have rows."""
    found = [
        summary_table(result),
        figures_table(result),
        hard_table(result),
        size_table(result),
        failure_table(result.failures),
    ]
    return [table for table in found if table.rows]


def runtimes_section(result: Runtimes) -> Section:
    """All of it, for a report."""
    return Section("Runtimes", [*tables(result, None)])


def _seconds(figures: Figures | None) -> str:
    seconds = figures.cold_start_seconds if figures else None
    return NONE if seconds is None else f"{seconds:.2f}"


def _rate(result: Runtimes, figures: Figures | None) -> str:
    rate = result.rows_per_second(figures) if figures else None
    return NONE if rate is None else f"{rate:,.0f}"
