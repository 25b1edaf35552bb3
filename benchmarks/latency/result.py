"""What a latency run found, as its document keeps it."""

from dataclasses import dataclass

from benchmarks.timing import Timing

PYTORCH = "PyTorch fp32"  # the way that all are compared with


@dataclass(frozen=True)
class Plan:
    """What to time. `seconds` is per shape, for all ways together."""

    batches: tuple[int, ...] = (1, 8, 32)  # rows
    sequences: tuple[int, ...] = (8, 16, 64, 128)  # tokens
    seconds: float = 2.0
    warmups: int = 3
    min_runs: int = 5


@dataclass(frozen=True)
class Cell:
    """One batch shape by one way."""

    way: str
    batch: int
    sequence: int
    timing: Timing

    @property
    def rows_per_second(self) -> float:
        return self.batch / self.timing.p50_ms * 1e3


@dataclass(frozen=True)
class Latency:
    """All shapes by all ways."""

    plan: Plan
    providers: dict[str, str]  # by way
    cells: tuple[Cell, ...]
    interrupted: bool = False
