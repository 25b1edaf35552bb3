"""Runs of the command with Ray as a user starts it, and what one that nothing disturbs leaves."""

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.infer.cluster.test_engine import WINDOW, parts

ROWS = 6_000
PART_ROWS = 8 * WINDOW
PARTS = 47
DEADLINE_SECONDS = 120
OPTIONS = ("--label-column", "label", "--logits", "--window", str(WINDOW))
Process = subprocess.Popen[str]


@contextmanager
def running(bundle: Path, table: Path, folder: Path, *options: str) -> Iterator[Process]:
    """The command, in a process group of its own."""
    command = [sys.executable, "-m", "bertline", "infer", str(bundle), str(table), "-o", str(folder), "--engine", "ray"]
    command += [*OPTIONS, "--part-rows", str(PART_ROWS), "--threads", "1", *options]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def finished(process: Process) -> str:
    """What it said when it ended well."""
    out, err = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 0 and out == "", err
    return err


def records(folder: Path) -> int:
    """How many parts are done in an unfinished run."""
    return len(list(folder.glob(".unfinished/part-*.json")))


def wait_for_parts(folder: Path, count: int, process: Process) -> None:
    """Until so many are done."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while records(folder) < count:
        assert process.poll() is None, process.communicate()[1]
        assert time.monotonic() < deadline
        time.sleep(0.01)


def assert_same(folder: Path, whole: Path) -> None:
    """Byte by byte, and nothing left over."""
    assert parts(folder) == parts(whole)
    for part in parts(whole):
        assert (folder / part["file"]).read_bytes() == (whole / part["file"]).read_bytes()
    assert sorted(os.listdir(folder)) == sorted(os.listdir(whole))  # noqa: PTH208
    found: list[dict[str, Any]] = [json.loads((place / "report.json").read_text()) for place in (folder, whole)]
    names = "rows unique_rows tokens padding_share truncated rejected metrics run".split()
    assert {name: found[0][name] for name in names} == {name: found[1][name] for name in names}
