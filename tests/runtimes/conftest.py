"""Bundles as consumers meet them: three padded variants, a model of single texts and one of pairs."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bertline.problems import MULTI_LABEL
from bertline.tsv import TableSpec
from export.bundling import export_bundle
from tests import tiny
from tests.conftest import Once
from tests.runtimes.programs import PROGRAMS, Program

VARIANTS = ("fp32", "fp16", "quantized")
RUNTIMES = ",".join([*PROGRAMS, "triton"])


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    with tiny.one_thread():
        yield


def write_bundle(model: Path, output: Path, runtimes: str, spec: TableSpec | None = None) -> Path:
    """A bundle with those consumers."""
    with tiny.plain_cpu():
        # Flips of random models say nothing.
        export_bundle(model, output, [], spec or TableSpec(), variants=VARIANTS, runtimes=runtimes, max_flips=1)
    return output


@pytest.fixture(scope="module", params=PROGRAMS)
def program(request: pytest.FixtureRequest) -> Program:
    """Each consumer that is a program."""
    found = PROGRAMS[request.param]
    found.need()
    return found


@pytest.fixture(scope="session")
def shipped(once: Once, model_dir: Path) -> Path:
    """A tiny model's bundle, with every consumer that tests can run as a program or against a stand-in; read only."""
    return once("shipped", lambda output: write_bundle(model_dir, output, RUNTIMES))


@pytest.fixture(scope="session")
def shipped_pairs(once: Once) -> Path:
    """The same of a tiny RoBERTa, which takes pairs of texts."""
    model = once("pair_model", lambda folder: tiny.write_model(folder, "roberta"))
    spec = TableSpec(text_column="first", pair_column="second")
    return once("shipped_pairs", lambda output: write_bundle(model, output, RUNTIMES, spec))


@pytest.fixture(scope="session")
def shipped_several(once: Once) -> Path:
    """The same of a model of several labels at once."""
    labels = ("joy", "anger", "fear")
    model = once(
        "several_model_to_ship",
        lambda folder: tiny.write_model(folder, labels=labels, seed=22, problem_type=MULTI_LABEL),
    )
    return once("shipped_several", lambda output: write_bundle(model, output, RUNTIMES))


@pytest.fixture(scope="session")
def shipped_number(once: Once) -> Path:
    """The same of a model that predicts a number."""
    model = once("number_model_to_ship", lambda folder: tiny.write_model(folder, labels=("score",), seed=1))
    return once("shipped_number", lambda output: write_bundle(model, output, RUNTIMES))


@pytest.fixture(scope="module")
def ready(once: Once, shipped: Path, program: Program) -> Path:
    """The bundle in which that consumer is ready to run; read only: copy it before changing anything."""
    return prepared(once, shipped, program)


@pytest.fixture(scope="module")
def ready_for_pairs(once: Once, shipped_pairs: Path, program: Program) -> Path:
    """The same of the bundle for pairs."""
    return prepared(once, shipped_pairs, program)


def prepared(once: Once, shipped: Path, program: Program) -> Path:
    """A copy of a bundle in which the consumer is ready to run."""

    def write(output: Path) -> None:
        shutil.copytree(shipped, output)
        program.prepare(output)

    return once(f"{shipped.name}_{program.name}", write)


def scored(path: Path) -> list[dict[str, str]]:
    """The rows of a scored table, by column."""
    head, *rows = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    return [dict(zip(head.split("\t"), row.split("\t"), strict=True)) for row in rows]
