"""What the fits say, in words. A step is steep only where noise does not explain it and it is worth a word."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from benchmarks.estimates import Estimate, estimate
from benchmarks.scale.fit import coefficients, exponent, fixed_and_each, local_slopes
from benchmarks.scale.result import LENGTHS, ROWS, Point, Series

WORTH_A_WORD = 0.02  # of an exponent: 5% when the size grows tenfold
_TOO_WIDE = 0.25  # half an interval of an exponent that cannot tell linear from anything else
_ONE_PASS = "one pass does not tell noise"


@dataclass(frozen=True)
class Verdict:
    """How one figure grows."""

    what: str
    exponent: Estimate
    words: str


def verdicts(series: Series) -> list[Verdict]:
    """Of a series of rows or of lengths; none for another, and none where fewer than two points were measured."""
    if len(series.points) < 2:
        return []
    if series.kind == ROWS:
        return [_seconds(series.points), _memory(series.points)]
    return [_length(series.points)] if series.kind == LENGTHS else []


def slopes_after(points: Sequence[Point], figures: NDArray[np.float64]) -> list[Estimate | None]:
    """For each point the exponent of the step that leads to it; None for the first."""
    return [None, *local_slopes([point.x for point in points], figures)] if len(points) > 1 else [None] * len(points)


def seconds_of(points: Sequence[Point]) -> NDArray[np.float64]:
    """(points, passes), of the passes that all have."""
    return _rectangle([point.seconds for point in points])


def seconds_per_row_of(points: Sequence[Point]) -> NDArray[np.float64]:
    """(points, passes), of the passes that all have."""
    rows = np.array([[point.rows] for point in points], np.float64)
    return np.divide(seconds_of(points), rows)


def _rectangle(figures: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    passes = min(map(len, figures))
    return np.array([several[:passes] for several in figures], np.float64)


def _seconds(points: Sequence[Point]) -> Verdict:
    sizes, seconds = [point.x for point in points], seconds_of(points)
    words = growth_in_words(sizes, local_slopes(sizes, seconds), "rows")
    fixed, each = fixed_and_each(sizes, seconds)
    if 0 < fixed.low < math.inf and each.value > 0:
        words += (
            f"; a run costs {fixed.value:.3f} s whatever its rows, start-up apart, and {each.value * 1e6:.1f} µs a row,"
            f" so below {fixed.value / each.value:,.0f} rows the fixed cost is the larger part"
        )
    return Verdict("seconds over rows", exponent(sizes, seconds), words)


def _memory(points: Sequence[Point]) -> Verdict:
    sizes, memory = [point.x for point in points], _rectangle([point.peak_memory_mib for point in points])
    words = memory_in_words(sizes, local_slopes(sizes, memory))
    return Verdict("peak memory over rows", exponent(sizes, memory), words)


def _length(points: Sequence[Point]) -> Verdict:
    lengths, seconds = [point.x for point in points], seconds_per_row_of(points)
    words = growth_in_words(lengths, local_slopes(lengths, seconds), "tokens")
    if len(points) > 2:
        tokens = np.array(lengths, np.float64)
        linear, square = coefficients([tokens, tokens**2], seconds)  # (passes,) each
        share = estimate(square * tokens[-1] / (linear + square * tokens[-1]))
        if share.low > 0:
            words += (
                f"; fitted as a·L + b·L², the square, as of attention, is {share.value:.0%}"
                f" [{share.low:.0%}, {share.high:.0%}] of the time at {lengths[-1]} tokens"
            )
    return Verdict("seconds per row over tokens", exponent(lengths, seconds), words)


def growth_in_words(sizes: Sequence[int], slopes: Sequence[Estimate], unit: str) -> str:
    """`linear within the noise`, or where growth is faster or slower, or why that cannot be told."""
    if math.isinf(slopes[0].high):
        return _ONE_PASS
    faster = spans(sizes, [slope.low > 1 + WORTH_A_WORD for slope in slopes], unit)
    slower = spans(sizes, [slope.high < 1 - WORTH_A_WORD for slope in slopes], unit)
    unclear = spans(sizes, [_is_wide(slope) and not _apart(slope) for slope in slopes], unit)
    words = [f"grows faster than linear {faster}"] if faster else []
    words += [f"slower than linear {slower}"] if slower else []
    words += [f"too noisy to tell {unclear}"] if unclear else []
    if not words:
        return "linear within the noise"
    rest = any(not _apart(slope) and not _is_wide(slope) for slope in slopes)
    return ", ".join(words) + (", else linear within the noise" if rest else "")


def memory_in_words(sizes: Sequence[int], slopes: Sequence[Estimate]) -> str:
    """`flat`, or where it grows, or why that cannot be told."""
    if math.isinf(slopes[0].high):
        return _ONE_PASS
    grows = [slope.low > WORTH_A_WORD for slope in slopes]
    unclear = spans(sizes, [_is_wide(slope) for slope in slopes], "rows")
    if not any(grows):
        return f"too noisy to tell {unclear}" if unclear else "flat within the noise"
    end = max(index for index, true in enumerate(grows) if true) + 1
    clear = end < len(slopes) and not any(_is_wide(slope) for slope in slopes[end:])
    flat = f", flat from {sizes[end]:,} rows on" if clear else ""
    noisy = f", too noisy to tell {unclear}" if unclear else ""
    return f"grows {spans(sizes, grows, 'rows')}{flat}{noisy}"


def _is_wide(slope: Estimate) -> bool:
    return (slope.high - slope.low) / 2 > _TOO_WIDE


def _apart(slope: Estimate) -> bool:
    """Whether a step is surely not linear."""
    return slope.low > 1 + WORTH_A_WORD or slope.high < 1 - WORTH_A_WORD


def spans(sizes: Sequence[int], steps: Sequence[bool], unit: str) -> str:
    """The steps that are True, in words: `from 100 to 1,000 rows and from 10,000 rows on`; empty where none is."""
    runs: list[tuple[int, int]] = []  # indices of sizes
    for index, true in enumerate(steps):
        if true and runs and runs[-1][1] == index:
            runs[-1] = (runs[-1][0], index + 1)
        elif true:
            runs.append((index, index + 1))
    parts = [
        f"from {sizes[first]:,} {unit} on" if end == len(steps) else f"from {sizes[first]:,} to {sizes[end]:,} {unit}"
        for first, end in runs
    ]
    return " and ".join(parts)
