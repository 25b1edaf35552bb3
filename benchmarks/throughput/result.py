"""What a throughput run found, as its document keeps it."""

from dataclasses import dataclass

import numpy as np

from benchmarks.machine import Ceiling

OURS = "bertline"  # what the titles of our own ways begin with
BARE = f"{OURS}'s session alone"
NOTEBOOK = "notebook's loop, PyTorch fp32"  # what all are compared with


@dataclass(frozen=True)
class Way:
    """One way: seconds of its first pass and of each later one, what it takes, and its answers against PyTorch fp32."""

    way: str  # its title
    formats: tuple[str, ...]  # of numbers that it may multiply in
    cold_seconds: float
    seconds: tuple[float, ...]
    max_abs_logit: float
    flips: int
    mcc: float | None  # None: the rows have no labels
    startup_seconds: float  # from the start of its process to a model that is ready
    prepare_seconds: float | None  # to export, optimize or quantize the model, once, before; None: nothing to do
    peak_memory_mib: float
    versions: dict[str, str]
    stage_seconds: dict[str, float] | None = None  # medians over the warm passes; stages overlap. None: not told

    @property
    def is_ours(self) -> bool:
        return self.way.startswith(OURS)

    @property
    def is_bare(self) -> bool:
        """Whether it is our session alone, which reads and writes no file."""
        return self.way.startswith(BARE)

    @property
    def median_seconds(self) -> float:
        """Over the warm passes."""
        return float(np.median(self.seconds))

    @property
    def quartiles(self) -> tuple[float, float]:
        """Seconds between which the middle half of the warm passes lies."""
        low, high = map(float, np.percentile(self.seconds, [25, 75]))
        return low, high

    @property
    def spread(self) -> float:
        """Half the width of the middle half of the warm passes, as a share of the median."""
        low, high = self.quartiles
        return (high - low) / 2 / self.median_seconds


@dataclass(frozen=True)
class Throughput:
    """All ways on one file, and why the others were not measured."""

    model: str  # the folder's name
    file: str
    rows: int
    tokens: int
    encoder_flop_per_row: float | None  # of matrix products; None: the model's config does not tell
    ways: tuple[Way, ...]
    failures: dict[str, str]  # title of a way to reason
    interrupted: bool = False

    def rows_per_second(self, way: Way) -> float:
        """Median over the warm passes."""
        return self.rows / way.median_seconds

    def share_of_ceiling(self, way: Way, ceiling: Ceiling | None) -> float | None:
        """Of the machine's rate for matrix products in the way's own number format."""
        rate = ceiling.matrix_rate(way.formats) if ceiling else None
        flop = self.encoder_flop_per_row
        return self.rows_per_second(way) * flop / rate if flop and rate else None

    def way(self, title: str) -> Way:
        """The way of that title; KeyError where it was not measured."""
        return {way.way: way for way in self.ways}[title]

    def problems(self) -> list[str]:
        """What keeps these figures from being shown."""
        titles = [way.way for way in self.ways]
        found = [f"no way is {NOTEBOOK!r}"] if NOTEBOOK not in titles else []
        found += ["two ways have one title"] if len(set(titles)) < len(titles) else []
        found += ["there are no rows"] if self.rows < 1 else []
        for way in self.ways:
            if not way.seconds or min(*way.seconds, way.cold_seconds) <= 0:
                found.append(f"{way.way}: has no passes, or one that took no time")
        return found
