"""What a scale run found, as its document keeps it."""

from dataclasses import dataclass

import numpy as np

from benchmarks.machine import Ceiling

ROWS, LENGTHS, THREADS, REPEATS = KINDS = "rows", "lengths", "threads", "repeats"
_WRONG = "has no passes, or one that took no time, or no rows"


@dataclass(frozen=True)
class Point:
    """One file, scored by processes of their own; figures of each pass stand in the order of the passes."""

    name: str
    x: int  # what its series varies: rows, tokens of each row, threads; of repeats, how often each text stands there
    rows: int
    unique_rows: int  # that are run; the others repeat them
    tokens: int  # of these
    seconds: tuple[float, ...]  # start-up apart
    startup_seconds: tuple[float, ...]
    peak_memory_mib: tuple[float, ...]
    stage_seconds: dict[str, float]  # median over the passes; stages overlap
    encoder_flop: float | None = None  # of the matrix products for the rows that are run; None: no model was named

    @property
    def is_whole(self) -> bool:
        """Whether there are rows and passes, and figures of each pass."""
        passes = {len(self.seconds), len(self.startup_seconds), len(self.peak_memory_mib)}
        figures = (*self.seconds, *self.peak_memory_mib)
        return len(passes) == 1 and bool(self.seconds) and min(self.x, self.rows, *figures) > 0

    @property
    def median_seconds(self) -> float:
        """Over the passes."""
        return float(np.median(self.seconds))

    @property
    def seconds_per_row(self) -> float:
        """Median over the passes."""
        return self.median_seconds / self.rows

    @property
    def largest_memory_mib(self) -> float:
        """Over the passes."""
        return max(self.peak_memory_mib)


@dataclass(frozen=True)
class Series:
    """Files that differ in one thing, smallest first, and why others were not measured."""

    kind: str  # ROWS, LENGTHS, THREADS or REPEATS
    points: tuple[Point, ...]
    failures: dict[str, str]  # name of a point to reason


@dataclass(frozen=True)
class Scale:
    """All series, by one way of running."""

    table: str  # the file that sentences are of
    variant: str
    provider: str
    formats: tuple[str, ...]  # of numbers that it may multiply in
    batch_tokens: int
    threads: int  # of all series but the one of threads
    series: tuple[Series, ...]
    interrupted: bool = False

    def share_of_ceiling(self, point: Point, ceiling: Ceiling | None) -> float | None:
        """Of the machine's rate for matrix products in the variant's number format, measured with `threads`."""
        rate = ceiling.matrix_rate(self.formats) if ceiling else None
        return point.encoder_flop / point.median_seconds / rate if point.encoder_flop and rate else None

    def problems(self) -> list[str]:
        """What keeps these figures from being shown."""
        found = [f"{series.kind}: is no series" for series in self.series if series.kind not in KINDS]
        for series in self.series:
            sizes = [point.x for point in series.points]
            if sizes != sorted(set(sizes)):
                found.append(f"{series.kind}: is not in order")
            found += [f"{series.kind}, {point.name}: {_WRONG}" for point in series.points if not point.is_whole]
        return found
