"""What the tables of all benchmarks write alike."""

from collections.abc import Mapping

from bertline.report import Table

NONE = "–"  # where there is no figure
NOT_MEASURED = "not measured, because"


def share_cell(share: float | None) -> str:
    """In whole percent."""
    return NONE if share is None else f"{share:.0%}"


def failure_table(failures: Mapping[str, str]) -> Table:
    """One row for each way that was not measured, or not in full, with the reason."""
    return Table(["way", NOT_MEASURED], [[way, reason] for way, reason in failures.items()], "Not measured")
