"""A bundle with `python-lean`, and copies of it whose consumer lies."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from bertline.bundle import FileEntry
from bertline.tsv import TableSpec
from export.bundling import export_bundle
from tests import tiny
from tests.conftest import Once

PROGRAM = "runtimes/python-lean/bertline_lean.py"
Altered = Callable[[str, str], Path]


@pytest.fixture(scope="session")
def lean_bundle(once: Once, model_dir: Path) -> Path:
    """With fp32 and quantized; read only."""

    def write(output: Path) -> None:
        with tiny.plain_cpu():
            variants = ["fp32", "quantized"]
            export_bundle(model_dir, output, [], TableSpec(), variants=variants, runtimes="python-lean,node")

    return once("benchmarked_bundle", write)


@pytest.fixture
def altered(lean_bundle: Path, tmp_path: Path) -> Altered:
    """`altered(old, new)`: a copy whose consumer has `new` in the place of `old`, under a hash that fits."""

    def make(old: str, new: str) -> Path:
        bundle = Path(shutil.copytree(lean_bundle, tmp_path / "altered"))
        program, manifest = bundle / PROGRAM, bundle / "bertline.json"
        text = program.read_text(encoding="utf-8")
        assert text.count(old) == 1
        program.write_text(text.replace(old, new), encoding="utf-8")
        document, entry = json.loads(manifest.read_text(encoding="utf-8")), FileEntry.of(program)
        document["files"][PROGRAM] = {"sha256": entry.sha256, "bytes": entry.bytes}
        manifest.write_text(json.dumps(document), encoding="utf-8")
        return bundle

    return make
