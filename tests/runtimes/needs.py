"""What a test of a consumer needs on this machine."""

import os
import shutil

import pytest

# Program to the command that brings it.
HOW = {
    "node": "install Node 20 or later from your system's packages or https://nodejs.org",
    "npm": "install Node 20 or later, which brings npm",
    "cmake": "apt-get install cmake",
    "g++": "apt-get install g++",
}
REQUIRED = "BERTLINE_RUNTIMES"  # set to "required", as CI does, a missing program is a failure


def needs(*programs: str) -> None:
    """Skip the test, or fail where they are required, with what is missing and how to get it."""
    missing = [f"no {program} here; {HOW[program]}" for program in programs if shutil.which(program) is None]
    if missing:
        (pytest.fail if os.environ.get(REQUIRED) == "required" else pytest.skip)("; ".join(missing))
