"""Ray itself, on this machine: started and ended by the command."""

import json
import os
import signal
from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.infer.cluster.test_engine import joined
from tests.infer.cluster.undisturbed import (
    DEADLINE_SECONDS,
    OPTIONS,
    PART_ROWS,
    PARTS,
    ROWS,
    assert_same,
    finished,
    running,
    wait_for_parts,
)


def test_the_scores_are_those_of_the_local_engine(
    cli: Cli, bundle: Path, big: Path, whole: Path, tmp_path: Path
) -> None:
    local = tmp_path / "local.tsv"
    assert cli("infer", bundle, big, "-o", local, "-q", *OPTIONS).code == 0
    ours, theirs = (text.splitlines() for text in (joined(whole), local.read_bytes()))
    assert len(ours) == len(theirs) == ROWS + 1
    for mine, other in zip(ours[1:], theirs[1:], strict=True):
        assert mine.split(b"\t")[:4] == other.split(b"\t")[:4]
        numbers = [[float(number) for number in line.split(b"\t")[4:]] for line in (mine, other)]
        assert numbers[0] == pytest.approx(numbers[1], abs=1e-5)
    reports = [json.loads(path.read_text()) for path in (whole / "report.json", tmp_path / "local.tsv.report.json")]
    assert reports[0]["metrics"]["confusion"] == reports[1]["metrics"]["confusion"]
    assert reports[0]["engine"] | {"version": "", "hashed_by_bytes": 0} == {
        "name": "ray", "version": "", "nodes": 1, "workers": 2, "parts": PARTS, "part_rows": PART_ROWS,
        "hashed_by_bytes": 0,
    }  # fmt: skip


def test_ctrl_c(bundle: Path, big: Path, whole: Path, tmp_path: Path) -> None:
    folder = tmp_path / "parts"
    with running(bundle, big, folder) as process:
        wait_for_parts(folder, 3, process)
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does, which reaches the whole group
        out, err = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 130 and out == "" and "Traceback" not in err
    last = err.splitlines()[-1]
    assert last.startswith("bertline: interrupted; ")
    assert last.endswith(f" of {PARTS} parts are done and kept, and the same command with --resume goes on")
    with running(bundle, big, folder, "--resume") as process:
        assert "of these rows were done by the run before" in finished(process)
    assert_same(folder, whole)
