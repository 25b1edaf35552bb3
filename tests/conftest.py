"""What tests share: no hub, a tiny model and its bundle, and the command line as a function."""

import fcntl
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


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The real line takes about as long as all others together and begins first: one process runs it, one the rest."""
    items.sort(key=lambda item: item.path.parent.name != "real")


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


Once = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Once:
    """`once("bundle", write)`: the path that `write(path)` made, for all processes of this test run; read only.

    The first that asks makes it, and the others wait for it: what takes seconds is not made by each.
    """
    folder = tmp_path_factory.getbasetemp()
    if "PYTEST_XDIST_WORKER" in os.environ:
        folder = folder.parent  # of all workers

    def make(name: str, write: Callable[[Path], object]) -> Path:
        target, done = folder / "once" / name, folder / "once" / f"{name}.done"
        target.parent.mkdir(exist_ok=True)
        with target.with_name(f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not done.exists():
                write(target)
                done.touch()
        return target

    return make


@pytest.fixture(scope="session")
def model_dir(once: Once) -> Path:
    """A tiny BERT classifier of two labels."""
    return once("model", tiny.write_model)


@pytest.fixture(scope="session")
def bundle(once: Once, model_dir: Path) -> Path:
    """Its bundle; read only: copy it before changing anything."""
    return once("bundle", lambda output: tiny.export(model_dir, output))


@pytest.fixture(scope="session")
def several_bundle(once: Once) -> Path:
    """A bundle of three labels at once: joy, anger, fear; read only."""
    model = once("several_model", lambda folder: tiny.write_model(folder, labels=("joy", "anger", "fear"), seed=1))
    one = once("three_bundle", lambda output: tiny.export(model, output))
    return once("several_bundle", lambda output: tiny.with_problem(one, output, "multi_label_classification"))


@pytest.fixture(scope="session")
def number_bundle(once: Once, bundle: Path) -> Path:
    """A bundle that predicts a number; read only."""
    return once("number_bundle", lambda output: tiny.with_problem(bundle, output, "regression"))


@pytest.fixture(scope="session")
def packed_bundle(once: Once, model_dir: Path) -> Path:
    """Its bundle with the variant cuda-fp16; read only."""
    return once("packed_bundle", lambda output: tiny.export(model_dir, output, "cuda-fp16"))


@pytest.fixture(scope="session")
def of_family(once: Once) -> Callable[[str], tuple[Path, Path]]:
    """`of_family("roberta")`: a tiny model and its bundle with the variant cuda-fp16; read only."""

    def make(family: str) -> tuple[Path, Path]:
        # With this seed no golden lies on the border between two labels, where float16 would flip it, in any family.
        model = once(f"{family}_model", lambda folder: tiny.write_model(folder, family, tiny.labels_of(family), seed=2))
        return model, once(f"{family}_bundle", lambda output: tiny.export(model, output, "cuda-fp16"))

    return make


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
