"""Each of PyTorch's ways answers as the model does, whatever the batches."""

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from benchmarks.gpu import torch_ways
from benchmarks.gpu.attempts import NotHereError
from benchmarks.gpu.torch_ways import FP16_GRAPHS, FP32, WAYS, TorchSpec, TorchWay
from bertline.errors import BertlineError
from bertline.model_folder import ModelFolder
from export.reference import Reference
from tests import tiny

UNPADDED_FP32 = TorchSpec("unpadded", torch.float32, unpadded=True)


@pytest.fixture(scope="module", params=tiny.FAMILIES)
def reference(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Reference:
    folder = tiny.write_model(tmp_path_factory.mktemp(request.param) / "model", request.param)
    return Reference(ModelFolder.open(folder))


@pytest.fixture(scope="module")
def bert(model_dir: Path) -> Reference:
    return Reference(ModelFolder.open(model_dir))


@pytest.mark.parametrize("spec", [FP32, UNPADDED_FP32], ids=lambda spec: spec.name)
@pytest.mark.parametrize("budget", [1, 30, 1000])
def test_padded_and_unpadded_batches_answer_alike_for_every_family(
    spec: TorchSpec, budget: int, reference: Reference
) -> None:
    encoded = reference.encode(tiny.SENTENCES * 2, 64)
    way = TorchWay(spec, reference, "cpu")
    np.testing.assert_allclose(way.ready(encoded, budget)(), reference.logits(encoded), atol=5e-6)
    np.testing.assert_allclose(way.one(encoded), reference.logits(encoded), atol=5e-6)


@pytest.mark.parametrize("spec", WAYS, ids=lambda spec: spec.name)
def test_lower_precision_and_compilers_stay_close(spec: TorchSpec, bert: Reference) -> None:
    encoded = bert.encode(tiny.SENTENCES, 64)
    way, expected = TorchWay(spec, bert, "cpu", compiler="eager"), bert.logits(encoded)
    for budget in (20, 50, 1000):
        found = way.ready(encoded, budget)()
        assert found.dtype == np.float32 and np.abs(found - expected).max() < 1e-2
    assert (found.argmax(axis=1) == expected.argmax(axis=1)).all()


@pytest.mark.parametrize("spec", [spec for spec in WAYS if spec.mode], ids=lambda spec: spec.name)
def test_shapes_are_compiled_once(spec: TorchSpec, bert: Reference) -> None:
    compiled: list[Any] = []

    def compiler(graph: Any, inputs: Any, **_: Any) -> Any:
        compiled.append(graph)
        return graph.forward

    torch._dynamo.reset()
    way = TorchWay(spec, bert, "cpu")
    way._model = torch.compile(way._model._orig_mod, dynamic=True, backend=compiler)
    encoded = bert.encode([text for text in tiny.SENTENCES if len(text) > 15], 64)
    for budget in (25, 40, 60, 1000):
        way.ready(encoded, budget)()
    assert 1 <= len(compiled) <= 4  # with a mask and without, and batches of one row, which torch.compile sets apart


def test_the_model_of_others_stays_as_it_is(bert: Reference) -> None:
    TorchWay(WAYS[3], bert, "cpu")
    assert bert.model.dtype == torch.float32 and bert.model.config._attn_implementation == "sdpa"


def test_what_a_device_or_a_family_lacks_is_said(bert: Reference, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(NotHereError, match="CUDA graphs"):
        TorchWay(FP16_GRAPHS, bert, "cpu")
    monkeypatch.setattr(torch_ways, "FAMILIES", {})
    with pytest.raises(BertlineError, match="unpadding is not known for the family 'bert'"):
        TorchWay(UNPADDED_FP32, bert, "cpu")


@pytest.fixture(scope="module")
def varlen_on_cpu() -> None:
    """A kernel for PyTorch's varlen_attn, which has one for CUDA only: sentence by sentence."""
    from torch.nn.attention import varlen

    def kernel(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, ends: torch.Tensor, *_: Any, **__: Any) -> Any:
        assert ends.dtype == torch.int32 and q.is_contiguous()
        parts = [
            torch.nn.functional.scaled_dot_product_attention(*(x[start:stop].transpose(0, 1) for x in (q, k, v)))
            for start, stop in pairwise(ends.tolist())
        ]
        out = torch.cat(parts, dim=1).transpose(0, 1).contiguous()
        return out, torch.zeros(q.shape[1], q.shape[0]), torch.zeros(2, dtype=torch.uint64)

    varlen._varlen_attn.register_kernel("cpu")(kernel)


@pytest.mark.parametrize("backend", ["", "eager", "aot_eager"])
def test_what_runs_on_cuda_calls_varlen_attn_as_it_is_installed(
    backend: str, varlen_on_cpu: None, bert: Reference, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(torch_ways._ATTENTION, "cpu", torch_ways._attend_varlen)
    torch._dynamo.reset()
    spec = TorchSpec("varlen", torch.float32, unpadded=True, mode="default" if backend else None)
    way = TorchWay(spec, bert, "cpu", compiler=backend)
    encoded = bert.encode(tiny.SENTENCES, 64)
    for budget in (20, 45, 1000):
        np.testing.assert_allclose(way.ready(encoded, budget)(), bert.logits(encoded), atol=5e-6)


def test_another_scale_is_refused() -> None:
    states = torch.zeros(1, 2, 5, 4)
    how: dict[str, Any] = {"token_offset": torch.zeros(2, 3), "cu_seqlens": torch.tensor([0, 3, 5])}
    with pytest.raises(BertlineError, match=r"scaled by 0.1, and PyTorch's varlen_attn by 0.5"):
        torch_ways._attend_varlen(torch.nn.Identity(), states, states, states, None, scaling=0.1, **how)
