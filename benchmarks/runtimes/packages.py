"""Python packages that a consumer needs: whether they are here, what they bring with them, and their size."""

from collections.abc import Iterable
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from benchmarks.runtimes.consumer import megabytes
from bertline.errors import BertlineError


def required_packages(requirements: Path) -> list[Distribution]:
    """Those that a requirements.txt names; BertlineError for those that our own Python lacks."""
    lines = [line.strip() for line in requirements.read_text(encoding="utf-8").splitlines()]
    wanted = [Requirement(line) for line in lines if line and not line.startswith("#")]
    if missing := [str(requirement) for requirement in wanted if not _is_here(requirement)]:
        raise BertlineError(f"needs {', '.join(missing)}; pip install -r {requirements}")
    return [distribution(requirement.name) for requirement in wanted]


def with_all_required(packages: Iterable[Distribution]) -> list[Distribution]:
    """They, and what they require without extras."""
    found: dict[str, Distribution] = {}
    waiting = list(packages)
    while waiting:
        package = waiting.pop()
        if (name := canonicalize_name(package.name)) not in found:
            found[name] = package
            required = map(Requirement, package.requires or ())
            waiting += [distribution(of.name) for of in required if not of.marker or of.marker.evaluate({"extra": ""})]
    return list(found.values())


def package_megabytes(packages: Iterable[Distribution]) -> float:
    """Of the files that their installations list, bytecode included."""
    return megabytes(*(Path(str(file.locate())) for package in packages for file in package.files or ()))


def _is_here(requirement: Requirement) -> bool:
    try:
        return requirement.specifier.contains(distribution(requirement.name).version, prereleases=True)
    except PackageNotFoundError:
        return False
