"""What tests of the export share."""

import copy
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import onnx
import pytest
import torch

from bertline.model_folder import ModelFolder
from export.graph import export_graph
from export.packed import PackedGraph, packed_graph
from export.reference import Reference
from tests import tiny
from tests.conftest import Once

Change = Callable[[onnx.ModelProto], object]


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    with tiny.one_thread():
        yield


@pytest.fixture(scope="module", autouse=True)  # a session's would last into other folders
def plain_cpu() -> Iterator[None]:
    with tiny.plain_cpu():
        yield


@pytest.fixture
def model_copy(model_dir: Path, tmp_path: Path) -> Path:
    """A copy of the tiny model to change."""
    return Path(shutil.copytree(model_dir, tmp_path / "model"))


@pytest.fixture(scope="session")
def reference(model_dir: Path) -> Reference:
    return Reference(ModelFolder.open(model_dir))


@pytest.fixture(scope="session")
def with_biases(once: Once) -> Callable[[str], Reference]:
    """`with_biases("roberta")`: a tiny model of that family. A new model's biases are zeros, and moving or dropping
    zeros would prove nothing: these are not, and differ from layer to layer."""

    def make(family: str) -> Reference:
        reference = Reference(
            ModelFolder.open(once(f"{family}_plain", lambda folder: tiny.write_model(folder, family)))
        )
        torch.manual_seed(1)
        with torch.no_grad():
            for name, parameter in reference.model.named_parameters():
                if name.endswith("bias"):
                    parameter.normal_(0, 0.1)
        return reference

    return make


@pytest.fixture(scope="session")
def graph_of(once: Once, with_biases: Callable[[str], Reference]) -> Callable[[str], Path]:
    """`graph_of("roberta")`: the graph of that model as it was exported, before any pass; read only."""

    def make(family: str) -> Path:
        reference = with_biases(family)
        return once(f"{family}.onnx", lambda path: export_graph(reference.model, reference.input_names, path))

    return make


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


@pytest.fixture(scope="session")
def packed(reference: Reference) -> PackedGraph:
    """The tiny model's packed graph."""
    return packed_graph(reference.model, reference.input_names)


@pytest.fixture
def packed_exporter(
    exporter: Callable[[Change], None], packed: PackedGraph, monkeypatch: pytest.MonkeyPatch
) -> Callable[[Change], None]:
    """`packed_exporter(change)`: as `exporter`, and the change is one of the packed graph."""

    def make(change: Change) -> None:
        def made(model: object, input_names: list[str]) -> PackedGraph:
            graph = copy.deepcopy(packed)
            change(graph.model)
            return graph

        exporter(lambda proto: None)
        monkeypatch.setattr("export.packed_variant.packed_graph", made)

    return make
