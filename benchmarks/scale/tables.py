"""What a scale run says, as tables."""

import numpy as np

from benchmarks.scale.result import Scale
from bertline.report import Table

_COLUMNS = ("file", "rows", "run", "seconds", "µs/row", "× first", "peak MiB", "× first")


def size_table(result: Scale) -> Table:
    """One row a file: median seconds, time per row and peak memory, each also against the first file."""
    first = result.sizes[0]
    rows = [
        [
            size.name,
            f"{size.rows:,}",
            f"{size.unique_rows:,}",
            f"{np.median(size.seconds):.2f}",
            f"{size.microseconds_per_row:.1f}",
            f"{size.microseconds_per_row / first.microseconds_per_row:.3f}",
            f"{size.peak_memory_mib:,.0f}",
            f"{size.peak_memory_mib / first.peak_memory_mib:.3f}",
        ]
        for size in result.sizes
    ]
    return Table(_COLUMNS, rows, f"Scale, {result.variant} on {result.provider}")
