"""What a test of a consumer needs on this machine."""

import os
import shutil
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[2]
# Program, header or file of the repository, to the command that brings it.
HOW = {
    "node": "install Node 20 or later from your system's packages or https://nodejs.org",
    "npm": "install Node 20 or later, which brings npm",
    "cmake": "apt-get install cmake",
    "g++": "apt-get install g++",
    "nlohmann/json.hpp": "apt-get install nlohmann-json3-dev",
    "openssl/evp.h": "apt-get install libssl-dev",
    ".runtimes/node/.installed": "make runtimes",
    ".runtimes/loaders/.installed": "make runtimes",
    ".runtimes/peers/.installed": "make runtimes",
    ".runtimes/triton/.installed": "make runtimes",
}
FOLDERS = (REPOSITORY, Path("/usr/include"), Path("/usr/local/include"))
REQUIRED = "BERTLINE_RUNTIMES"  # set to "required", as CI does, a missing program is a failure


def needs(*names: str) -> None:
    """Skip the test, or fail where they are required, with what is missing and how to get it."""
    missing = [f"no {name} here; {HOW[name]}" for name in names if not _is_here(name)]
    if missing:
        (pytest.fail if os.environ.get(REQUIRED) == "required" else pytest.skip)("; ".join(missing))


def _is_here(name: str) -> bool:
    return shutil.which(name) is not None or any((folder / name).is_file() for folder in FOLDERS)
