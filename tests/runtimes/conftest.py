"""Bundles as consumers meet them: three padded variants, a model of single texts and one of pairs."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from bertline.tsv import TableSpec
from export.bundling import export_bundle
from tests import tiny
from tests.conftest import Once
from tests.runtimes.programs import PROGRAMS, Program

VARIANTS = ("fp32", "fp16", "quantized")


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    with tiny.one_thread():
        yield


def write_bundle(model: Path, output: Path, runtimes: str, spec: TableSpec | None = None) -> Path:
    """A bundle with those consumers."""
    with tiny.plain_cpu():
        export_bundle(model, output, [], spec or TableSpec(), variants=VARIANTS, runtimes=runtimes)
    return output


@pytest.fixture(scope="module", params=PROGRAMS)
def program(request: pytest.FixtureRequest) -> Program:
    """Each consumer that is a program."""
    found = PROGRAMS[request.param]
    found.need()
    return found


@pytest.fixture(scope="module")
def ready(once: Once, model_dir: Path, program: Program) -> Path:
    """A tiny model's bundle with that consumer, ready to run; read only: copy it before changing anything."""
    return once(f"{program.name}_bundle", lambda output: prepared(model_dir, output, program))


@pytest.fixture(scope="module")
def ready_for_pairs(once: Once, program: Program) -> Path:
    """The same of a tiny RoBERTa, which takes pairs of texts."""
    model = once("pair_model", lambda folder: tiny.write_model(folder, "roberta"))
    spec = TableSpec(text_column="first", pair_column="second")
    return once(f"{program.name}_pair_bundle", lambda output: prepared(model, output, program, spec))


@pytest.fixture(scope="session")
def plain_bundle(once: Once, model_dir: Path) -> Path:
    """A tiny model's bundle without consumers, as other people's loaders meet it; read only."""
    return once("plain_bundle", lambda output: write_bundle(model_dir, output, ""))


@pytest.fixture(scope="session")
def plain_pair_bundle(once: Once) -> Path:
    """The same of a tiny RoBERTa, which takes pairs of texts."""
    model = once("pair_model", lambda folder: tiny.write_model(folder, "roberta"))
    spec = TableSpec(text_column="first", pair_column="second")
    return once("plain_pair_bundle", lambda output: write_bundle(model, output, "", spec))


def prepared(model: Path, output: Path, program: Program, spec: TableSpec | None = None) -> Path:
    """A bundle in which the consumer is ready to run."""
    program.prepare(write_bundle(model, output, program.name, spec))
    return output


def scored(path: Path) -> list[dict[str, str]]:
    """The rows of a scored table, by column."""
    head, *rows = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    return [dict(zip(head.split("\t"), row.split("\t"), strict=True)) for row in rows]
