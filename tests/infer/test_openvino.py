"""OpenVINO as a provider: an explicit precision always, one line where it is not there, the same logits where it is."""

import json
import sys
from pathlib import Path

import numpy as np
import onnxruntime as ort
import pytest

from bertline.errors import BertlineError
from infer import openvino
from infer.providers import CPU_PROVIDER, OPENVINO_PROVIDER
from infer.scorer import Scorer
from infer.session import OnnxSession
from tests import tiny
from tests.conftest import Cli


@pytest.fixture
def fresh_registration(monkeypatch: pytest.MonkeyPatch) -> None:
    """Registration is tried again, and what this process knows of it comes back after the test."""
    monkeypatch.setattr(openvino, "_register", openvino._register.__wrapped__)


def test_precision_and_threads_are_always_named() -> None:
    for precision, hint in (("fp32", "f32"), ("fp16", "f32"), ("int8", "f32"), ("bf16", "bf16")):
        options = json.loads(openvino.provider_options(precision, 3)["load_config"])["CPU"]
        assert (options["INFERENCE_PRECISION_HINT"], options["INFERENCE_NUM_THREADS"]) == (hint, "3")


@pytest.mark.usefixtures("fresh_registration")
def test_a_plugin_that_is_not_installed_is_one_line(
    bundle: Path, cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime_ep_openvino", None)
    monkeypatch.setattr("platform.machine", lambda: "x86_64")
    table, output = tiny.write_table(tmp_path / "t.tsv"), tmp_path / "o.tsv"
    outcome = cli("infer", bundle, table, "-o", output, "--provider", "openvino")
    assert (outcome.code, outcome.err.count("\n")) == (1, 1)
    assert "pip install 'bertline[cpu]'" in outcome.err and not output.exists()
    with pytest.raises(BertlineError, match="pip install"):
        OnnxSession(bundle / "onnx" / "model.onnx", provider=OPENVINO_PROVIDER)
    assert cli("infer", bundle, table, "-o", output).code == 0  # auto does without


@pytest.mark.usefixtures("fresh_registration")
def test_another_processor_is_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime_ep_openvino", None)
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    assert "for x86-64 only, and this is aarch64" in (openvino.missing() or "")


def test_a_cpu_that_the_plugin_does_not_offer_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(openvino, "_register", lambda: None)
    monkeypatch.setattr(ort, "get_ep_devices", lambda: [])
    assert "does not offer this CPU" in (openvino.missing() or "")


def test_fp32_gives_the_same_logits_as_the_cpu_provider(bundle: Path) -> None:
    fault = openvino.missing()
    if fault:
        pytest.skip(fault)
    texts = ["the cat sat", "a dog", "", "the dog saw a cat on the mat"] * 6
    plain = Scorer.open(bundle, device="cpu", provider="cpu")
    other = Scorer.open(bundle, device="cpu", provider="openvino")
    assert (plain.session.provider, other.session.provider) == (CPU_PROVIDER, OPENVINO_PROVIDER)
    assert np.abs(plain.score(texts) - other.score(texts)).max() <= 1e-4
