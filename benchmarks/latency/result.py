"""What a latency run found, as its document keeps it."""

from dataclasses import dataclass

from benchmarks.machine import Ceiling
from benchmarks.timing import Timing

PYTORCH = "PyTorch fp32"  # the way that all are compared with
_BYTES = {"float32": 4, "bfloat16": 2, "int8": 1}  # of a number


@dataclass(frozen=True)
class Plan:
    """What to time. `seconds` is per shape, for all ways together, first calls apart."""

    batches: tuple[int, ...] = (1, 8, 32)  # rows
    sequences: tuple[int, ...] = (8, 16, 64, 128)  # tokens
    seconds: float = 4.0
    min_runs: int = 5


@dataclass(frozen=True)
class LoadedWay:
    """One way that was loaded."""

    title: str
    provider: str  # what really runs
    formats: tuple[str, ...]  # of numbers that it may multiply in
    load_seconds: float  # until it is ready for its first call


@dataclass(frozen=True)
class Cell:
    """One batch shape by one way."""

    way: str  # its title
    batch: int
    sequence: int
    first_ms: float  # the first call of this shape, in which a runtime may compile or plan its memory
    timing: Timing  # of later calls
    max_abs_logit: float  # max |Δlogit| against PyTorch fp32
    flop: float | None  # of the encoder's matrix products; None: the model's config does not tell

    @property
    def rows_per_second(self) -> float:
        return self.batch / self.timing.p50_ms * 1e3

    @property
    def spread(self) -> float:
        """Half the width of the middle half, as a share of the median."""
        return (self.timing.p75_ms - self.timing.p25_ms) / 2 / self.timing.p50_ms


@dataclass(frozen=True)
class Latency:
    """All shapes by all ways, and why some were not measured, or not on every shape."""

    plan: Plan
    threads: int  # of each way
    weights: int  # numbers that every call multiplies by; of embedding tables it looks up some rows only
    ways: tuple[LoadedWay, ...]
    cells: tuple[Cell, ...]
    failures: dict[str, str]  # title of a way to reason
    interrupted: bool = False

    def share_of_matrix_rate(self, cell: Cell, ceiling: Ceiling | None) -> float | None:
        """Of the machine's rate for matrix products in the way's own number format. All products of the model count,
        so that a graph that leaves some out may be above 1.
        """
        rate = ceiling.matrix_rate(self.way(cell.way).formats) if ceiling else None
        return cell.flop / (cell.timing.p50_ms / 1e3) / rate if cell.flop and rate else None

    def share_of_read_rate(self, cell: Cell, ceiling: Ceiling | None) -> float | None:
        """Of the machine's rate of reading memory, for the weights alone; above 1 where they stay in a cache."""
        if ceiling is None:
            return None
        size = self.weights * min(_BYTES[name] for name in self.way(cell.way).formats)
        return size / (cell.timing.p50_ms / 1e3) / ceiling.memory_bytes_per_second

    def way(self, title: str) -> LoadedWay:
        """The way of that title; KeyError where it was not loaded."""
        return {way.title: way for way in self.ways}[title]

    def problems(self) -> list[str]:
        """What keeps these figures from being shown."""
        titles, shapes = {way.title for way in self.ways}, {(cell.batch, cell.sequence) for cell in self.cells}
        compared = {(cell.batch, cell.sequence) for cell in self.cells if cell.way == PYTORCH}
        found = [f"{cell.way}: was not loaded, and has a shape" for cell in self.cells if cell.way not in titles]
        found += [f"{batch} × {sequence}: was not timed by {PYTORCH}" for batch, sequence in sorted(shapes - compared)]
        found += [f"{name}: is no number format" for way in self.ways for name in way.formats if name not in _BYTES]
        for cell in self.cells:
            if min(cell.batch, cell.sequence, cell.timing.p25_ms, cell.timing.p50_ms, cell.timing.p75_ms) <= 0:
                found.append(f"{cell.way}, {cell.batch} × {cell.sequence}: is no shape, or took no time")
        return found
