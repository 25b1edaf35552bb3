"""The process on the other side of the protocol: what it does wrong is one line, and it never outlives us."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from benchmarks.peers.process import PeerError, PeerProcess, thread_limits
from tests.benchmarks.peers import fakes

LOAD = {"do": "load", "way": "long"}


def test_it_answers(tmp_path: Path) -> None:
    command = fakes.served(fakes.script(tmp_path, fakes.LENGTHS))
    with PeerProcess(command, tmp_path / "log", {}) as process:
        assert process.ask(LOAD, 60)["done"] == "load"
    assert "a library says hello" in (tmp_path / "log").read_text()


@pytest.mark.parametrize(
    ("command", "reason"),
    [
        (fakes.program(fakes.CRASHES), "ended with exit code 7 while asked to load: out of luck"),
        (fakes.program(fakes.DIES), "ended with signal SIGKILL while asked to load"),
        (fakes.program(fakes.PRINTS_RUBBISH), "its answer to load is not understood: Loading weights: 100%"),
        (fakes.program(fakes.ANSWERS_ANOTHER), 'its answer to load is not understood: {"done": "lunch"}'),
        (fakes.program("input(); print('x' * 5000)"), "its answer to load is not understood: xxx"),
        (("/nowhere/python",), "does not start: /nowhere/python: No such file or directory"),
    ],
)
def test_what_goes_wrong_is_one_short_line(command: tuple[str], reason: str, tmp_path: Path) -> None:
    with pytest.raises(PeerError) as raised, PeerProcess(command, tmp_path / "log", {}) as process:
        process.ask(LOAD, 60)
    assert str(raised.value).startswith(reason)
    assert "\n" not in str(raised.value) and len(str(raised.value)) <= 300


def test_an_error_of_the_peer_is_its_reason(tmp_path: Path) -> None:
    command = fakes.served(fakes.script(tmp_path, fakes.IMPORTS_NOTHING_THERE))
    with PeerProcess(command, tmp_path / "log", {}) as process, pytest.raises(PeerError, match="ModuleNotFoundError"):
        process.ask(LOAD, 60)


def test_one_that_hangs_is_stopped_with_its_children(tmp_path: Path) -> None:
    pid = tmp_path / "pid"
    text = (
        "import subprocess, sys, time\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
        f"open({str(pid)!r}, 'w').write(str(child.pid))\n"
        "time.sleep(600)"
    )
    with PeerProcess(fakes.program(text), tmp_path / "log", {}) as process:
        while not (pid.exists() and pid.read_text()):
            time.sleep(0.01)
        with pytest.raises(PeerError, match=r"did not load within 0\.2 s, and was stopped"):
            process.ask(LOAD, 0.2)
    assert _gone(int(pid.read_text()))


def test_it_ends_with_the_block(tmp_path: Path) -> None:
    with PeerProcess(fakes.served(fakes.script(tmp_path, fakes.LENGTHS)), tmp_path / "log", {}) as process:
        process.ask(LOAD, 60)
        pid = process._process.pid
    assert _gone(pid)


def test_it_ends_when_we_are_killed(tmp_path: Path) -> None:
    peer = fakes.script(tmp_path, fakes.LENGTHS)
    text = (
        "import sys, time\nfrom pathlib import Path\n"
        "from benchmarks.peers.process import PeerProcess\n"
        "from tests.benchmarks.peers import fakes\n"
        f"process = PeerProcess(fakes.served(Path({str(peer)!r})), Path({str(tmp_path / 'log')!r}), {{}})\n"
        f"process.ask({LOAD!r}, 60)\nprint(process._process.pid, flush=True)\ntime.sleep(600)"
    )
    ours = subprocess.Popen([sys.executable, "-c", text], stdout=subprocess.PIPE, text=True)
    assert ours.stdout is not None
    pid = int(ours.stdout.readline())
    ours.send_signal(signal.SIGKILL)
    ours.wait()
    ours.stdout.close()
    assert _gone(pid)


def test_the_limit_of_threads_reaches_it(tmp_path: Path) -> None:
    text = "import json, os; input(); print(json.dumps({'done': 'load', 'threads': os.environ['OMP_NUM_THREADS']}))"
    with PeerProcess(fakes.program(text), tmp_path / "log", thread_limits(3)) as process:
        assert process.ask(LOAD, 60)["threads"] == "3"


def _gone(pid: int) -> bool:
    """Whether the process ends within some seconds; one that nobody waited for counts as ended."""
    for _ in range(500):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        status = Path(f"/proc/{pid}/status")
        if status.exists() and "State:\tZ" in status.read_text():
            return True
        time.sleep(0.01)
    return False
