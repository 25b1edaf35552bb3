"""The README's line on real CoLA, run once, command by command; tests then look at what it left."""

import os
from pathlib import Path

import pytest

from bertline.cli import run
from tests import readme

NAMES = {"BERTLINE_COLA_DIR": "cola_public", "BERTLINE_BASE_MODEL": "all-MiniLM-L6-v2"}


def real_path(variable: str) -> Path:
    """The real data that an environment variable names; skips where it is unset."""
    value = os.environ.get(variable)
    if not value:
        pytest.skip(f"{variable} is unset: set it to the folder of {NAMES[variable]}")
    return Path(value).resolve()


@pytest.fixture(scope="session")
def line(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which every command of the README's CoLA section has run, in order."""
    folder = tmp_path_factory.mktemp("line")
    for variable, name in NAMES.items():
        (folder / name).symlink_to(real_path(variable))
    before = Path.cwd()
    os.chdir(folder)
    try:
        for arguments in readme.commands("cola"):
            assert run(arguments) == 0, f"bertline {' '.join(arguments)}"
    finally:
        os.chdir(before)
    return folder
