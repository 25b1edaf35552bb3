"""Small peers that need nothing but Python, good ones and bad ones."""

import sys
from pathlib import Path

from benchmarks.peers.environments import PROTOCOL
from benchmarks.throughput.candidates import Candidate

LENGTHS = """
PACKAGES = ("pip", "no-such-package")

def prepare(request):
    open(request["folder"] + "/made", "w").close()

def load(request):
    print("a library says hello")
    factor = {"long": 1.0, "short": -1.0}[request["way"]]
    return lambda texts: [[0.0, factor * (len(text) - 10)] for text in texts]
"""
IMPORTS_NOTHING_THERE = "import surely_not_installed\n"
CRASHES = "import sys; sys.stderr.write('out of luck\\n'); sys.exit(7)"
DIES = "import os, signal; input(); os.kill(os.getpid(), signal.SIGKILL)"
HANGS = "import time; time.sleep(600)"
PRINTS_RUBBISH = "input(); print('Loading weights: 100%')"
ANSWERS_ANOTHER = 'input(); print(\'{"done": "lunch"}\')'


def script(folder: Path, text: str, name: str = "peer.py") -> Path:
    """A file with this text."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def served(path: Path) -> tuple[str | Path, ...]:
    """The command that serves a script by the protocol, isolated as peers are."""
    return sys.executable, "-I", PROTOCOL, path


def program(text: str) -> tuple[str | Path, ...]:
    """A program that does not know the protocol."""
    return sys.executable, "-I", "-c", text


def candidate(title: str, path: Path, way: str = "long", **more: object) -> Candidate:
    """A candidate whose script is `path`."""
    return Candidate(title, way, served(path), **more)  # type: ignore[arg-type]
