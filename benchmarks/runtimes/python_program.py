"""Consumers that are Python programs: run by our own interpreter, with the packages that are installed for it."""

import sys
from importlib.metadata import version

from benchmarks.runtimes.consumer import Program, Setting
from benchmarks.runtimes.packages import package_megabytes, required_packages, with_all_required
from benchmarks.runtimes.result import Installed

_COUNTED = "its packages and all that they require, in site-packages; Python apart"


def open_python(setting: Setting, *, program: str, runtime: str, options: tuple[str, ...]) -> Program:
    """The program of a bundle, which says in requirements.txt what it needs; `options` are Python's own."""
    packages = required_packages(setting.folder / "requirements.txt")
    versions = {name: version(name) for name in (runtime, "tokenizers")}
    size = package_megabytes(with_all_required(packages))
    installed = Installed(setting.folder.name, versions, size, _COUNTED)
    return Program(installed, (sys.executable, *options, setting.folder / program), setting)
