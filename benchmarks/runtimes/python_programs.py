"""Consumers that are Python programs: run by our own interpreter, with the packages that are installed for it."""

import sys
from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks.runtimes.consumer import Program, Setting, megabytes
from benchmarks.runtimes.result import Installed
from bertline.errors import BertlineError

_COUNTED = "its packages and all that they require, in site-packages; Python apart"


def open_python(setting: Setting, *, name: str, program: str, runtime: str, options: tuple[str, ...]) -> Program:
    """The program of a bundle, whose packages its requirements.txt names; `options` are Python's own."""
    file = setting.folder / "requirements.txt"
    lines = [line.strip() for line in file.read_text(encoding="utf-8").splitlines()]
    wanted = [Requirement(line) for line in lines if line and not line.startswith("#")]
    if missing := [str(requirement) for requirement in wanted if not _is_here(requirement)]:
        raise BertlineError(f"needs {', '.join(missing)}; pip install -r {file}")
    versions = {name: distribution(name).version for name in (runtime, "tokenizers")}
    files = [file for found in _with_all_required(wanted) for file in _files(found)]
    installed = Installed(name, versions, megabytes(*files), _COUNTED)
    return Program(installed, (sys.executable, *options, setting.folder / program), setting)


def package_megabytes(*names: str) -> float:
    """Of packages, without what they require."""
    return megabytes(*(file for name in names for file in _files(distribution(name))))


def _is_here(requirement: Requirement) -> bool:
    try:
        return requirement.specifier.contains(distribution(requirement.name).version, prereleases=True)
    except PackageNotFoundError:
        return False


def _with_all_required(wanted: Iterable[Requirement]) -> list[Distribution]:
    """Their packages, and what those require without extras."""
    found: dict[str, Distribution] = {}
    waiting = [requirement.name for requirement in wanted]
    while waiting:
        name = canonicalize_name(waiting.pop())
        if name not in found:
            found[name] = distribution(name)
            required = map(Requirement, found[name].requires or ())
            waiting += [of.name for of in required if of.marker is None or of.marker.evaluate({"extra": ""})]
    return list(found.values())


def _files(package: Distribution) -> list[Path]:
    """Those that its installation lists; the bytecode that pip makes of them is among them."""
    return [Path(str(file.locate())) for file in package.files or ()]
