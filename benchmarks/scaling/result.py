"""What a scaling run measured, as its document keeps it."""

from dataclasses import dataclass

import numpy as np

STAGES = "read", "tokenize", "session", "write"


@dataclass(frozen=True)
class Run:
    """One file scored by `infer --engine ray`; figures of each pass stand in the order of the passes."""

    workers: int
    rows: int
    parts: int
    seconds: tuple[float, ...]  # of scoring
    startup_seconds: tuple[float, ...]  # and end: Ray, the look at the inputs, workers, the report
    driver_cpu_seconds: tuple[float, ...]  # of the driver's process, start-up included

    @property
    def median_seconds(self) -> float:
        """Over the passes."""
        return float(np.median(self.seconds))


@dataclass(frozen=True)
class Scaling:
    """Costs of a row on one core, costs of a part, and runs to hold the model against."""

    table: str  # the file that sentences are of
    variant: str
    provider: str
    rows: int
    tokens: int
    flop_per_row: float  # of the encoder's matrix products
    cpu_seconds: dict[str, float]  # of one row, by stage
    python_seconds: float  # of one row, CPU seconds of tokenizing that are Python's own, one thread at a time
    bytes_in: float  # of one row
    bytes_out: float  # of one row
    look_cpu_seconds: float  # of one byte of input, looked at before it is scored
    part_rows: int  # of the checks
    few: Run  # a small file in few parts, by one worker,
    many: Run  # and in many
    checks: tuple[Run, ...]
    load: float  # mean number of others' processes that wanted a core, in the minute before
    interrupted: bool = False

    @property
    def part_seconds(self) -> float:
        """What a worker is kept from scoring by each part, at least 0."""
        return max(0.0, self.many.median_seconds - self.few.median_seconds) / (self.many.parts - self.few.parts)

    @property
    def driver_seconds(self) -> float:
        """CPU seconds of the driver for each part, at least 0."""
        more = np.median(self.many.driver_cpu_seconds) - np.median(self.few.driver_cpu_seconds)
        return max(0.0, float(more)) / (self.many.parts - self.few.parts)

    @property
    def startup_seconds(self) -> float:
        """Median over the checks' passes."""
        return float(np.median([seconds for run in self.checks for seconds in run.startup_seconds]))

    def problems(self) -> list[str]:
        """What keeps these figures from being shown."""
        found = [f"cpu_seconds of {stage} are missing" for stage in STAGES if not self.cpu_seconds.get(stage, 0) > 0]
        found += [] if self.many.parts > self.few.parts else ["many has no more parts than few"]
        found += [] if self.checks else ["has no checks"]
        for run in (self.few, self.many, *self.checks):
            passes = {len(run.seconds), len(run.startup_seconds), len(run.driver_cpu_seconds)}
            if passes == {0} or len(passes) > 1 or min(run.workers, run.rows, run.parts, *run.seconds) <= 0:
                found.append(f"{run.workers} workers, {run.parts} parts: has no passes, or one that took no time")
        return found
