"""Consumers as programs: what each needs of the machine, what its README says to do first, and how it is called."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.runtimes.needs import REPOSITORY, needs


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
    )
}
