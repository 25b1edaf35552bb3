"""Memory does not grow with the file."""

import json
import subprocess
import sys
from pathlib import Path

from tests import tiny

ROWS = 8_500  # more than a window


def peak_memory_mib(bundle: Path, table: Path) -> float:
    """Of a process of its own, since a process never forgets its peak."""
    output = table.with_suffix(".scored.tsv")
    command = [sys.executable, "-m", "bertline", "infer", bundle, table, "-o", output, "-q"]
    subprocess.run(command, check=True)
    report = json.loads(output.with_name(output.name + ".report.json").read_text())
    assert report["rows"] == len(table.read_text().splitlines()) - 1
    return float(report["peak_memory_mib"])


def test_ten_times_the_rows_take_the_same_memory(bundle: Path, tmp_path: Path) -> None:
    # Different texts, so that every row is run: a number makes each distinct.
    header, sentences = "sentence\tlabel", tiny.SENTENCES
    rows = [f"{sentences[row % len(sentences)]} {row}\t{row % 2}" for row in range(ROWS)]
    once, often = tmp_path / "once.tsv", tmp_path / "often.tsv"
    once.write_text("\n".join([header, *rows]) + "\n")
    often.write_text("\n".join([header, *(rows * 10)]) + "\n")
    base, grown = peak_memory_mib(bundle, once), peak_memory_mib(bundle, often)
    print(f"{ROWS:,} rows: {base:.0f} MiB; {10 * ROWS:,} rows: {grown:.0f} MiB")
    assert grown <= 1.2 * base
