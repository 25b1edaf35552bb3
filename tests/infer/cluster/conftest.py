"""A table, and the parts of it that an undisturbed run writes."""

from pathlib import Path

import pytest

from tests.conftest import Once
from tests.infer.cluster.test_engine import write_table
from tests.infer.cluster.undisturbed import PARTS, ROWS, finished, running


@pytest.fixture(scope="session")
def big(once: Once) -> Path:
    """Rows of many lengths, some equal."""
    return once("cluster_table", lambda path: write_table(path, ROWS))


@pytest.fixture(scope="session")
def whole(once: Once, bundle: Path, big: Path) -> Path:
    """The parts of a run by two workers that nothing disturbs."""

    def write(folder: Path) -> None:
        with running(bundle, big, folder) as process:
            lines = finished(process).splitlines()
        assert "2 workers of 1 threads" in lines[0] and f"{PARTS} parts" in lines[0]
        assert lines[1].startswith(f"{ROWS:,} rows in") and lines[-1] == f"wrote {folder}"
        assert all(line.startswith(("  ", "accuracy", "confusion", "macro")) for line in lines[2:-1]), lines

    return once("cluster_parts", write)
