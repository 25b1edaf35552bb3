"""The session runs where it was asked to, or says why not."""

from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import pytest

from bertline.errors import BertlineError
from infer.providers import CPU_PROVIDER
from infer.session import OnnxSession

MODEL = Path("onnx") / "model.onnx"


def ids(*shape: int) -> dict[str, np.ndarray]:
    return {
        "input_ids": np.full(shape, 5, np.int64),
        "attention_mask": np.ones(shape, np.int64),
        "token_type_ids": np.zeros(shape, np.int64),
    }


def test_the_graphs_own_names_and_shapes_are_known(bundle: Path) -> None:
    session = OnnxSession(bundle / MODEL)
    assert (session.device, session.provider) == ("cpu", CPU_PROVIDER)
    assert session.inputs == ("input_ids", "attention_mask", "token_type_ids")
    assert session.outputs["logits"][1] == 2
    logits = session.run(ids(3, 7))
    assert logits.shape == (3, 2) and logits.dtype == np.float32


def test_a_norm_is_not_fused_with_the_sum_before_it(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def options() -> onnxruntime.SessionOptions:
        made = plain()
        made.optimized_model_filepath = str(tmp_path / "optimized.onnx")
        return made

    plain = onnxruntime.SessionOptions
    monkeypatch.setattr(onnxruntime, "SessionOptions", options)
    OnnxSession(bundle / MODEL)
    operators = {node.op_type for node in onnx.load(tmp_path / "optimized.onnx").graph.node}
    assert "LayerNormalization" in operators and "SkipLayerNormalization" not in operators
    assert "BiasGelu" in operators  # the other fusions stay


@pytest.mark.parametrize("content", [b"", b"not a graph"])
def test_what_is_no_graph_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "model.onnx").write_bytes(content)
    with pytest.raises(BertlineError, match=r"model\.onnx: .*; export the model again"):
        OnnxSession(tmp_path / "model.onnx")


def external_entry(order: tuple[str, str], location: str) -> bytes:
    """A `StringStringEntryProto` of external data, its two fields in the order given."""
    fields = {"key": b"\x0a\x08location", "value": b"\x12" + bytes([len(location)]) + location.encode()}
    return b"".join(fields[name] for name in order)


@pytest.mark.parametrize("order", [("key", "value"), ("value", "key")])
def test_weights_in_other_files_are_refused_however_the_reference_is_framed(
    bundle: Path, tmp_path: Path, order: tuple[str, str]
) -> None:
    model = onnx.load(bundle / MODEL)
    weight = next(tensor for tensor in model.graph.initializer if tensor.raw_data)
    onnx.external_data_helper.set_external_data(weight, "weights.bin")
    (tmp_path / "weights.bin").write_bytes(weight.raw_data)
    weight.ClearField("raw_data")
    content = model.SerializeToString()
    usual, other = external_entry(("key", "value"), "weights.bin"), external_entry(order, "weights.bin")
    assert usual in content
    (tmp_path / "model.onnx").write_bytes(content.replace(usual, other))
    onnx.load(tmp_path / "model.onnx")  # it is a valid graph
    with pytest.raises(BertlineError, match="refers to data outside the file, which is refused"):
        OnnxSession(tmp_path / "model.onnx")


def test_a_batch_that_the_graph_does_not_take_is_one_line(bundle: Path) -> None:
    session = OnnxSession(bundle / MODEL)
    with pytest.raises(BertlineError, match=r"model\.onnx: failed on a batch of 1×65 tokens: .*lower --batch-tokens"):
        session.run(ids(1, 65))


def test_a_run_from_host_memory_is_never_recorded_as_a_graph(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A recording gives nothing back, and would be replayed for batches of other shapes."""
    session, recorded = OnnxSession(bundle / MODEL), []
    session.graphs = True
    plain = session.session.run

    def run(outputs: list[str], feeds: dict[str, np.ndarray], options: onnxruntime.RunOptions | None = None) -> object:
        recorded.append(options.get_run_config_entry("gpu_graph_id") if options else "0")
        return plain(outputs, feeds)

    monkeypatch.setattr(session.session, "run", run)
    session.run(ids(3, 7))
    assert recorded == ["-1"]
