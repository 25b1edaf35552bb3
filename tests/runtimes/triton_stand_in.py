"""In the place of Triton: a model repository behind its HTTP protocol, for the models that a bundle is laid out as.

What is Triton's own is kept: the schema of configurations, the checks of names, types and shapes, the Python backend's
calls, the ensemble's steps by its maps. Graphs run by ONNX Runtime, the tokenizing model is the very model.py.
"""

import importlib.util
import json
import sys
import threading
import types
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from google.protobuf import json_format, text_format
from numpy.typing import NDArray

Tensors = dict[str, NDArray[Any]]
_DTYPES = {"TYPE_INT64": np.int64, "TYPE_FP32": np.float32, "TYPE_STRING": np.object_}


class RefusedError(Exception):
    """What Triton answers with status 400."""


def schema(client: Path) -> Any:
    """Triton's own `model_config` messages, from tritonclient's generated module alone: its package wants gRPC."""
    module = sys.modules.get("model_config_pb2")
    if module is None:
        spec = importlib.util.spec_from_file_location("model_config_pb2", client / "grpc/model_config_pb2.py")
        assert spec is not None and spec.loader is not None
        module = sys.modules["model_config_pb2"] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
    return module


def python_backend() -> types.ModuleType:
    """`triton_python_backend_utils`, as far as models here use it."""
    module = types.ModuleType("triton_python_backend_utils")

    class Tensor:
        def __init__(self, name: str, array: NDArray[Any]) -> None:
            self._name, self._array = name, array

        def name(self) -> str:
            return self._name

        def as_numpy(self) -> NDArray[Any]:
            return self._array

    class TritonError:
        def __init__(self, message: str) -> None:
            self.message = message

    class InferenceRequest:
        def __init__(self, tensors: Tensors) -> None:
            self.tensors = tensors

    class InferenceResponse:
        def __init__(self, output_tensors: list[Tensor] | None = None, error: TritonError | None = None) -> None:
            self.tensors = {tensor.name(): tensor.as_numpy() for tensor in output_tensors or []}
            self.error = error

    def get_input_tensor_by_name(request: InferenceRequest, name: str) -> Tensor | None:
        return Tensor(name, request.tensors[name]) if name in request.tensors else None

    for part in (Tensor, TritonError, InferenceRequest, InferenceResponse, get_input_tensor_by_name):
        setattr(module, part.__name__, part)
    return module


class Repository:
    """The loaded models of a repository."""

    def __init__(self, folder: Path, messages: Any) -> None:
        self.configs = {
            path.parent.name: text_format.Parse(path.read_text(encoding="utf-8"), messages.ModelConfig())
            for path in folder.glob("*/config.pbtxt")
        }
        self._programs: dict[str, Any] = {}
        self._sessions: dict[str, Any] = {}
        for name, config in self.configs.items():
            assert config.name == name
            version = folder / name / "1"
            assert version.is_dir(), "Triton loads no model without a version"
            if config.backend == "python":
                self._programs[name] = _load_program(version / "model.py", self.config_of(name))
            elif config.backend == "onnxruntime":
                session = self._sessions[name] = onnxruntime.InferenceSession(version / "model.onnx")
                _require_graph(config.input, session.get_inputs())
                _require_graph(config.output, session.get_outputs())
            else:
                assert config.platform == "ensemble"

    def config_of(self, name: str) -> dict[str, Any]:
        """A configuration as JSON, as Triton gives it to its Python backend and over HTTP."""
        found: dict[str, Any] = json_format.MessageToDict(self.configs[name], preserving_proto_field_name=True)
        return found

    def infer(self, name: str, tensors: Tensors) -> Tensors:
        """Run a model, with Triton's checks before and after."""
        config = self.configs[name]
        _require(name, config.input, tensors, config.max_batch_size)
        if name in self._programs:
            found = self.execute(name, [tensors])[0]
        elif name in self._sessions:
            session = self._sessions[name]
            names = [output.name for output in config.output]
            found = dict(zip(names, session.run(names, tensors), strict=True))
        else:
            found = self._run_ensemble(config, tensors)
        _require(name, config.output, found, config.max_batch_size)
        return found

    def execute(self, name: str, requests: list[Tensors]) -> list[Tensors]:
        """One call of a Python model, with all requests that Triton would hand it together."""
        backend: Any = sys.modules["triton_python_backend_utils"]
        responses = self._programs[name].execute([backend.InferenceRequest(tensors) for tensors in requests])
        assert len(responses) == len(requests)
        for response in responses:
            if response.error is not None:
                raise RefusedError(response.error.message)
        return [response.tensors for response in responses]

    def _run_ensemble(self, config: Any, tensors: Tensors) -> Tensors:
        known = dict(tensors)
        for step in config.ensemble_scheduling.step:
            given = {inner: known[outer] for inner, outer in step.input_map.items()}
            found = self.infer(step.model_name, given)
            known |= {outer: found[inner] for inner, outer in step.output_map.items()}
        return {output.name: known[output.name] for output in config.output}


def _load_program(path: Path, config: Mapping[str, Any]) -> Any:
    sys.modules.setdefault("triton_python_backend_utils", python_backend())
    spec = importlib.util.spec_from_file_location("model", path)
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    program = module.TritonPythonModel()
    program.initialize({"model_config": json.dumps(config), "model_name": path.parent.parent.name})
    return program


def _require_graph(stated: Any, graph: Any) -> None:
    """As Triton loads it: the graph has these tensors, of these types and shapes, behind a free first axis."""
    kinds = {"tensor(int64)": "TYPE_INT64", "tensor(float)": "TYPE_FP32"}
    said = {tensor.name: (_type_of(tensor), list(tensor.dims)) for tensor in stated}
    sizes = {tensor.name: [size if isinstance(size, int) else -1 for size in tensor.shape] for tensor in graph}
    assert said == {tensor.name: (kinds[tensor.type], sizes[tensor.name][1:]) for tensor in graph}
    assert {shape[0] for shape in sizes.values()} == {-1}


def _type_of(tensor: Any) -> str:
    kind: str = tensor.DESCRIPTOR.fields_by_name["data_type"].enum_type.values_by_number[tensor.data_type].name
    return kind


def _require(name: str, stated: Any, tensors: Tensors, most_rows: int) -> None:
    """The tensors of a model are those of its configuration, by name, type and shape, with one number of rows."""
    if {tensor.name for tensor in stated} != tensors.keys():
        raise RefusedError(f"[{name}] expected {[tensor.name for tensor in stated]}, got {[*tensors]}")
    for tensor in stated:
        array, dims = tensors[tensor.name], list(tensor.dims)
        shape = array.shape[1:]
        if array.dtype != _DTYPES[_type_of(tensor)]:
            raise RefusedError(f"[{name}] {tensor.name} has type {array.dtype}")
        if len(shape) != len(dims) or any(want not in (-1, size) for want, size in zip(dims, shape, strict=True)):
            raise RefusedError(f"[{name}] {tensor.name} has shape {list(array.shape)}, expected [-1, {dims}]")
        if not 1 <= len(array) <= most_rows:
            raise RefusedError(f"[{name}] {tensor.name} has {len(array)} rows, max_batch_size is {most_rows}")
    if len({len(array) for array in tensors.values()}) != 1:
        raise RefusedError(f"[{name}] tensors differ in their number of rows")


class _Answers(BaseHTTPRequestHandler):
    repository: Repository
    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        _, version, models, name, what = self.path.split("/")
        assert (version, models, what) == ("v2", "models", "config")
        if name not in self.repository.configs:
            return self._answer(400, {"error": f"Request for unknown model: '{name}' is not found"})
        self._answer(200, self.repository.config_of(name))

    def do_POST(self) -> None:
        _, version, models, name, what = self.path.split("/")
        assert (version, models, what) == ("v2", "models", "infer")
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        try:
            found = self.repository.infer(name, {tensor["name"]: _array(tensor) for tensor in body["inputs"]})
        except RefusedError as error:
            return self._answer(400, {"error": str(error)})
        outputs = [
            {"name": key, "datatype": _kind(array), "shape": list(array.shape), "data": array.ravel().tolist()}
            for key, array in found.items()
        ]
        self._answer(200, {"model_name": name, "model_version": "1", "outputs": outputs})

    def _answer(self, code: int, document: object) -> None:
        content = json.dumps(document).encode()
        self.send_response(code)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *arguments: object) -> None:
        """Say nothing."""


def _array(tensor: Mapping[str, Any]) -> NDArray[Any]:
    """A tensor of a request; texts become bytes, as Triton hands them on."""
    data = tensor["data"]
    if tensor["datatype"] == "BYTES":
        return np.array([text.encode() for text in data], np.object_).reshape(tensor["shape"])
    return np.array(data, {"INT64": np.int64, "FP32": np.float32}[tensor["datatype"]]).reshape(tensor["shape"])


def _kind(array: NDArray[Any]) -> str:
    return {np.dtype(np.int64): "INT64", np.dtype(np.float32): "FP32"}[array.dtype]


@contextmanager
def serve(repository: Repository) -> Iterator[str]:
    """The address of a server on loopback."""
    handler = type("Answers", (_Answers,), {"repository": repository})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
