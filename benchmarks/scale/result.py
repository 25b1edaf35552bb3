"""What a scale run found, as its document keeps it."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Size:
    """One file, scored by processes of their own."""

    name: str
    rows: int
    unique_rows: int
    seconds: tuple[float, ...]  # of each pass, start-up apart
    peak_memory_mib: float  # the largest of all passes

    @property
    def microseconds_per_row(self) -> float:
        """Median over the passes."""
        return float(np.median(self.seconds)) / self.rows * 1e6


@dataclass(frozen=True)
class Scale:
    """All files, by one way of running."""

    variant: str
    provider: str
    batch_tokens: int
    sizes: tuple[Size, ...]
    interrupted: bool = False
