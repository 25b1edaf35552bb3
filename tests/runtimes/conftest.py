"""Bundles as consumers meet them: three padded variants, a model of single texts and one of pairs."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bertline.tsv import TableSpec
from export.bundling import export_bundle
from tests import tiny
from tests.conftest import Once

RUNTIMES = "python-lean,openvino-python,cpp"
VARIANTS = ("fp32", "fp16", "quantized")


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    with tiny.one_thread():
        yield


def write_bundle(model: Path, output: Path, spec: TableSpec | None = None) -> Path:
    """A bundle with those consumers."""
    with tiny.plain_cpu():
        export_bundle(model, output, [], spec or TableSpec(), variants=VARIANTS, runtimes=RUNTIMES)
    return output


@pytest.fixture(scope="session")
def lean_bundle(once: Once, model_dir: Path) -> Path:
    """The tiny model's bundle; read only: copy it before changing anything."""
    return once("lean_bundle", lambda output: write_bundle(model_dir, output))


@pytest.fixture(scope="session")
def pair_bundle(once: Once) -> Path:
    """A tiny RoBERTa's bundle, of pairs of texts; read only."""
    model = once("pair_model", lambda folder: tiny.write_model(folder, "roberta"))
    spec = TableSpec(text_column="first", pair_column="second")
    return once("pair_bundle", lambda output: write_bundle(model, output, spec))


def scored(path: Path) -> list[dict[str, str]]:
    """The rows of a scored table, by column."""
    head, *rows = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
    return [dict(zip(head.split("\t"), row.split("\t"), strict=True)) for row in rows]


def manifest_of(bundle: Path) -> dict[str, object]:
    """What bertline.json says."""
    document: dict[str, object] = json.loads((bundle / "bertline.json").read_text(encoding="utf-8"))
    return document
