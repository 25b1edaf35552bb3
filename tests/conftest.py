"""What tests share: no hub, a tiny model and its bundle, and the command line as a function."""

import os
import signal
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ["SE_OFFLINE"] = "true"  # Selenium drives the browser that is here, and loads none

from bertline.cli import run
from tests import tiny

if TYPE_CHECKING:
    from tests.pages.browser import Browser

# A shell starts background jobs deaf to Ctrl-C, and commands under test would inherit that.
signal.signal(signal.SIGINT, signal.default_int_handler)


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str


Cli = Callable[..., Outcome]


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str]) -> Cli:
    """`cli("infer", bundle, table, "-o", out)` in this process."""

    def call(*arguments: object) -> Outcome:
        capsys.readouterr()
        code = run([str(argument) for argument in arguments])
        captured = capsys.readouterr()
        return Outcome(code, captured.out, captured.err)

    return call


@pytest.fixture(scope="session")
def model_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny BERT classifier of two labels."""
    return tiny.write_model(tmp_path_factory.mktemp("tiny") / "model")


@pytest.fixture(scope="session")
def bundle(model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its bundle; read only: copy it before changing anything."""
    from bertline.tsv import TableSpec
    from export.bundling import export_bundle

    output = tmp_path_factory.mktemp("bundle") / "bundle"
    export_bundle(model_dir, output, [], TableSpec())
    return output


@pytest.fixture(scope="session")
def packed_bundle(model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Its bundle with the variant cuda-fp16; read only."""
    from bertline.tsv import TableSpec
    from export.bundling import export_bundle

    output = tmp_path_factory.mktemp("packed") / "bundle"
    export_bundle(model_dir, output, [], TableSpec(), variants=["cuda-fp16"])
    return output


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """24 labelled rows with a header."""
    return tiny.write_table(tmp_path / "table.tsv")


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> "Iterator[Browser]":
    """Chromium, one for all pages. Where it is missing tests skip, or fail if BERTLINE_BROWSER is "required"."""
    from tests.pages.browser import Browser, missing_programs

    if missing := missing_programs():
        told = f"no {' and no '.join(missing)} here; apt-get install chromium chromium-driver fonts-dejavu-core"
        (pytest.fail if os.environ.get("BERTLINE_BROWSER") == "required" else pytest.skip)(told)
    with Browser.started(tmp_path_factory.mktemp("chromium")) as started:
        yield started
