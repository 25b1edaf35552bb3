"""Consumers as programs: what each needs of the machine, what its README says to do first, and how it is called."""

import fcntl
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from export.consumers import SOURCES
from tests.runtimes.needs import REPOSITORY, needs

CPP_BUILD = REPOSITORY / ".runtimes/cpp"  # kept: the next build compiles what has changed


@dataclass(frozen=True)
class Program:
    """A consumer that scores tables and checks itself."""

    name: str
    command: Callable[[Path], list[object]]  # of the one in a bundle, in front of its arguments
    need: Callable[[], None] = lambda: None  # skips, or fails where it is required, with what is missing
    prepare: Callable[[Path], None] = lambda bundle: None  # in a new bundle, before the first run

    def run(self, bundle: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
        """Call it, away from the repository, so that nothing but the bundle's own files is found."""
        words = [str(word) for word in (*self.command(bundle), *arguments)]
        return subprocess.run(words, capture_output=True, text=True, cwd="/")


def need_node() -> None:
    needs("node", ".runtimes/node/.installed")


def use_packages(bundle: Path) -> None:
    """Give the Node consumer the packages of its lockfile, which `make runtimes` brought."""
    (bundle / "runtimes/node/node_modules").symlink_to(REPOSITORY / ".runtimes/node/node_modules")


def need_compiler() -> None:
    needs("cmake", "g++", "nlohmann/json.hpp", "openssl/evp.h")


def build_cpp(bundle: Path) -> None:
    """Build the C++ consumer, from its source and not in the bundle: it is the same for each."""
    CPP_BUILD.mkdir(parents=True, exist_ok=True)
    settings = [f"-DPython3_EXECUTABLE={sys.executable}", "-DCMAKE_BUILD_TYPE=None", "-DCMAKE_CXX_FLAGS=-O1 -Werror"]
    with (CPP_BUILD / "lock").open("w") as lock:  # tests run in several processes
        fcntl.flock(lock, fcntl.LOCK_EX)
        for words in (["-S", SOURCES / "cpp", "-B", CPP_BUILD, *settings], ["--build", CPP_BUILD, "--parallel", "2"]):
            done = subprocess.run(["cmake", *map(str, words)], capture_output=True, text=True)
            assert done.returncode == 0, done.stdout + done.stderr


PROGRAMS = {
    program.name: program
    for program in (
        Program("python-lean", lambda bundle: [sys.executable, "-I", bundle / "runtimes/python-lean/bertline_lean.py"]),
        Program(
            "node",
            lambda bundle: [shutil.which("node"), bundle / "runtimes/node/bertline.js"],
            need_node,
            use_packages,
        ),
        Program(
            "openvino-python",
            lambda bundle: [sys.executable, "-E", bundle / "runtimes/openvino-python/bertline_openvino.py"],
        ),
        Program("cpp", lambda bundle: [CPP_BUILD / "bertline_cpp", "--bundle", bundle], need_compiler, build_cpp),
    )
}
