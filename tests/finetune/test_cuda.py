"""Training on a CUDA device, where the machine has one."""

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from finetune.corpus import Corpus
from finetune.recipe import Recipe
from finetune.train import finetune
from tests.finetune.test_train import weights

_is_available = torch.cuda.is_available


@pytest.fixture(autouse=True)
def card(monkeypatch: pytest.MonkeyPatch) -> None:
    if not _is_available():
        pytest.skip("PyTorch finds no CUDA device here")
    monkeypatch.setattr(torch.cuda, "is_available", _is_available)


@pytest.mark.parametrize("compile", [False, True])
def test_auto_trains_on_it(
    compile: bool, corpus: Corpus, quick: Recipe, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    on_cpu = finetune(corpus, replace(quick, epochs=1, learning_rate=1e-30), tmp_path / "cpu", device="cpu")
    recipe = replace(quick, epochs=1, learning_rate=1e-30, precision="auto", compile=compile)
    run = finetune(corpus, recipe, tmp_path / "card")
    assert capfd.readouterr() == ("", "")
    assert re.fullmatch(r"cuda:0 \(.+\) in (bf16|fp32)", run.trained_on)
    assert run.peak_device_memory_mib and run.peak_device_memory_mib > 0
    assert json.loads((run.folder / "training.json").read_text())["device_name"] in run.trained_on
    # Such a learning rate leaves the weights as they were, so that both judged the same model.
    assert run.epochs[0].validation_loss == pytest.approx(on_cpu.epochs[0].validation_loss, abs=0.05)
    assert run.holdouts["dev"].to_json() == on_cpu.holdouts["dev"].to_json()
    assert weights(run.folder).keys() == weights(on_cpu.folder).keys()
