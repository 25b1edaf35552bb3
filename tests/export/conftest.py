"""What tests of the export share."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import onnx
import pytest

from bertline.model_folder import ModelFolder
from export.reference import Reference
from tests import tiny

Change = Callable[[onnx.ModelProto], object]


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    with tiny.one_thread():
        yield


@pytest.fixture
def model_copy(model_dir: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model to change."""
    return Path(shutil.copytree(model_dir, tmp_path / "model"))


@pytest.fixture(scope="session")
def reference(model_dir: Path) -> Reference:
    return Reference(ModelFolder.open(model_dir))


@pytest.fixture
def exporter(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[Change], None]:
    """`exporter(change)`: from now on the exporter writes the tiny model's graph with that change, and in no time."""

    def make(change: Change) -> None:
        def write(model: object, input_names: list[str], path: Path) -> onnx.ModelProto:
            proto = onnx.load(bundle / "onnx" / "model.onnx")
            change(proto)
            onnx.save_model(proto, path)
            return proto

        monkeypatch.setattr("export.bundling.export_graph", write)

    return make
