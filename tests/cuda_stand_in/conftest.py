"""A machine with the stand-in for CUDA, on which bertline runs in processes of their own."""

import os
import random
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests import tiny
from tests.conftest import Once, Outcome
from tests.cuda_stand_in.build import SOURCES, build

ROOT = SOURCES.parent.parent


@dataclass(frozen=True)
class Ran(Outcome):
    """What a process left behind; `events` are the lines of the log: device, what, detail."""

    events: list[tuple[str, str, str]]

    def said(self, what: str) -> list[str]:
        """The details of all events of that kind, in order."""
        return [detail for _, kind, detail in self.events if kind == what]


@dataclass(frozen=True)
class Machine:
    """An interpreter that has onnxruntime-gpu, and the libraries that it finds; `log` is written anew by each run."""

    python: Path
    libraries: Path
    log: Path

    def bertline(self, *arguments: object, logits: bool = True, libraries: Path | None = None, **settings: int) -> Ran:
        """`bertline` with those arguments. logits: computed on the CPU; else they are zeros. settings: memory (bytes a
        device has), devices (how many), driver (its version)."""
        return self.run("-m", "bertline", *arguments, logits=logits, libraries=libraries, **settings)

    def run(self, *arguments: object, logits: bool = True, libraries: Path | None = None, **settings: int) -> Ran:
        """Python with those arguments, as `bertline`."""
        self.log.write_text("")
        environment = {name: value for name, value in os.environ.items() if not name.startswith("CUDA_")} | {
            "PYTHONPATH": os.pathsep.join(map(str, [SOURCES / "logits", ROOT] if logits else [ROOT])),
            "LD_LIBRARY_PATH": str(libraries or self.libraries),
            "CUDA_STAND_IN_LOG": str(self.log),
            **{f"CUDA_STAND_IN_{name.upper()}": str(value) for name, value in settings.items()},
        }
        command = [str(word) for word in (self.python, *arguments)]
        done = subprocess.run(command, env=environment, cwd=self.log.parent, capture_output=True, text=True)
        events = [tuple(line.split(" ", 2)) for line in self.log.read_text().splitlines()]
        return Ran(done.returncode, done.stdout, done.stderr, events)  # type: ignore[arg-type]


@pytest.fixture(scope="session")
def gpu_python() -> Path:
    """The interpreter of an environment with onnxruntime-gpu."""
    python = Path(os.environ.get("BERTLINE_CUDA_PYTHON", ROOT / ".venv-cuda" / "bin" / "python"))
    if not python.exists():
        pytest.skip(f"{python} is not there; make cuda-venv makes it (255 MB, no GPU needed)")
    return python


@pytest.fixture(scope="session")
def stand_in(gpu_python: Path, once: Once) -> Path:
    """The folder of the built libraries."""
    if not (sys.platform == "linux" and shutil.which("g++") and shutil.which("nm")):
        pytest.skip("the stand-in is built on Linux with g++ and nm; apt install g++")
    where = "import importlib.util; print(importlib.util.find_spec('onnxruntime').origin)"
    found = subprocess.run([gpu_python, "-c", where], capture_output=True, text=True, check=True).stdout.strip()
    provider = Path(found).parent / "capi" / "libonnxruntime_providers_cuda.so"

    def write(folder: Path) -> None:
        folder.mkdir()
        build(provider, folder)

    return once("cuda_stand_in", write)


@pytest.fixture
def machine(gpu_python: Path, stand_in: Path, tmp_path: Path) -> Machine:
    """Everything is there, and one device."""
    return Machine(gpu_python, stand_in, tmp_path / "events.log")


@pytest.fixture(scope="session")
def sentences() -> list[str]:
    """300 texts of 1…40 words."""
    choice = random.Random(0)
    return [" ".join(choice.choices(tiny.WORDS, k=choice.randint(1, 40))) for _ in range(300)]


@pytest.fixture(scope="session")
def table(sentences: list[str], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The texts as a column `sentence`."""
    path = tmp_path_factory.mktemp("table") / "table.tsv"
    path.write_text("\n".join(["sentence", *sentences]) + "\n")
    return path
