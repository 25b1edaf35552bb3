"""Ctrl-C and kill at several moments of a real process: no traceback, and nothing half-written under the name."""

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests import tiny

ROWS = 60_000
DEADLINE_SECONDS = 30


@pytest.fixture(scope="module")
def big_table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows that are all distinct, enough to be still running when the signal comes."""
    path = tmp_path_factory.mktemp("big") / "big.tsv"
    rows = (f"{row}\t{tiny.SENTENCES[row % 8]} {row}" for row in range(ROWS))
    path.write_text("\n".join(["id\tsentence", *rows]) + "\n")
    return path


def start(bundle: Path, table: Path, out: Path, *python_options: str) -> "subprocess.Popen[str]":
    options = [bundle, table, "-o", out, "--window", "500"]
    command = [sys.executable, *python_options, "-m", "bertline", "infer", *options]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_for(path: Path) -> None:
    """Until the file has content."""
    deadline = time.monotonic() + DEADLINE_SECONDS
    while not (path.exists() and path.stat().st_size):
        assert time.monotonic() < deadline
        time.sleep(0.01)


def assert_interrupted(process: "subprocess.Popen[str]", folder: Path) -> None:
    """One line, and nothing left but what --resume goes on with."""
    out, err = process.communicate(timeout=DEADLINE_SECONDS)
    assert process.returncode == 130, err
    assert out == "" and "Traceback" not in err
    left = sorted(path.name for path in folder.iterdir())
    if left:
        assert left == ["o.tsv.journal", "o.tsv.partial"]
        assert err.splitlines()[-1].endswith("rows are done and kept, and the same command with --resume goes on")
    else:
        assert err.splitlines()[-1] == "bertline: interrupted"


@pytest.mark.parametrize(
    "module", ["bertline.errors", "rich", "typer", "infer.cli", "bertline.bundle", "numpy", "tokenizers", "onnxruntime"]
)
def test_ctrl_c_while_loading(bundle: Path, big_table: Path, tmp_path: Path, module: str) -> None:
    process = start(bundle, big_table, tmp_path / "o.tsv", "-X", "importtime")
    assert process.stderr is not None
    for line in process.stderr:  # Python says which modules are loaded
        if line.split("|")[-1].strip().split(".")[: len(module.split("."))] == module.split("."):
            break
    process.send_signal(signal.SIGINT)
    assert_interrupted(process, tmp_path)


@pytest.mark.parametrize("seconds", [0.0, 0.3])
def test_ctrl_c_while_scoring(bundle: Path, big_table: Path, tmp_path: Path, seconds: float) -> None:
    process = start(bundle, big_table, tmp_path / "o.tsv")
    wait_for(tmp_path / "o.tsv.partial")
    time.sleep(seconds)
    process.send_signal(signal.SIGINT)
    assert_interrupted(process, tmp_path)


def test_what_a_killed_run_leaves_is_not_the_output_and_the_next_run_says_so(
    bundle: Path, big_table: Path, tmp_path: Path
) -> None:
    out = tmp_path / "o.tsv"
    killed = start(bundle, big_table, out)
    wait_for(tmp_path / "o.tsv.partial")
    killed.kill()
    killed.communicate()
    left = {path.name for path in tmp_path.iterdir()} - {"o.tsv.journal.new"}  # the journal, where it was being written
    assert left == {"o.tsv.journal", "o.tsv.partial"}

    table = tiny.write_table(tmp_path / "t.tsv")
    refused = start(bundle, table, out)
    assert "o.tsv.partial: an unfinished run, or one still going, has done" in refused.communicate()[1]
    assert refused.returncode == 1 and not out.exists()

    forced = subprocess.run([*refused.args, "--force"], capture_output=True)
    assert forced.returncode == 0
    assert out.exists() and not (tmp_path / "o.tsv.partial").exists()
