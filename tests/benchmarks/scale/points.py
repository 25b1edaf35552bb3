"""Points that nobody measured, for tests of what is said of them."""

from collections.abc import Sequence

from benchmarks.scale.result import Point, Scale, Series


def point(x: int, seconds: Sequence[float], memory: float = 100.0, rows: int | None = None) -> Point:
    """`x` rows of ten tokens each, or so many `rows`, in as many passes as there are seconds."""
    rows, passes = rows or x, len(seconds)
    return Point(
        f"{x:,} rows", x, rows, rows, 10 * rows, tuple(seconds), (0.2,) * passes, (memory,) * passes, {}, 1e10 * rows
    )


def scale(*series: Series) -> Scale:
    """A result of these."""
    return Scale("t.tsv", "fp32", "a provider", ("float32",), 2048, 2, series)
