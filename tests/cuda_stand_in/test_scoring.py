"""Files scored by ONNX Runtime's CUDA provider on the stand-in: the answers are the CPU's, in the same order."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from infer.scorer import Scorer
from tests.cuda_stand_in.conftest import Machine, Ran

WITHIN = {"cuda-fp16": 5e-3, "fp32": 1e-4}  # max |Δlogit| against fp32 on the CPU
LITTLE_MEMORY = 3_000_000  # bytes: the model and batches of 2,048 tokens fit, those of 4,096 do not
LESS_THAN_THE_MODEL = 10_000

Infer = Callable[..., Ran]


@pytest.fixture(scope="module")
def expected(packed_bundle: Path, sentences: list[str]) -> np.ndarray:
    """Logits (rows, labels) float32 of the texts."""
    return Scorer.open(packed_bundle, device="cpu", variant="fp32").score(sentences)


@pytest.fixture
def infer(machine: Machine, packed_bundle: Path, table: Path, tmp_path: Path) -> Infer:
    """`infer("--device", "cuda", …)` writes scored.tsv into the test's folder."""

    def call(*options: object, **settings: int) -> Ran:
        output = tmp_path / "scored.tsv"
        return machine.bertline(
            "infer", packed_bundle, table, "-o", output, "--force", "--logits", *options, **settings
        )

    return call


def logits_in(folder: Path) -> np.ndarray:
    return np.loadtxt(folder / "scored.tsv", np.float32, delimiter="\t", skiprows=1, usecols=(-2, -1))


@pytest.mark.parametrize("variant", WITHIN)
def test_answers_are_those_of_the_cpu(variant: str, infer: Infer, expected: np.ndarray, tmp_path: Path) -> None:
    ran = infer("--device", "cuda", "--variant", variant, "--batch-tokens", 128, "--window", 200, "--quiet")
    assert (ran.code, ran.out, ran.err) == (0, "", "")  # and nothing from ONNX Runtime, which logs by itself
    assert len([kernel for kernel in ran.said("launch") if "LayerNorm" in kernel]) > 100  # which is many batches
    assert np.abs(logits_in(tmp_path) - expected).max() <= WITHIN[variant]


def test_several_devices_give_the_bytes_of_one(infer: Infer, tmp_path: Path) -> None:
    options = ("--variant", "cuda-fp16", "--window", 40)
    one = infer("--device", "cuda:1", *options, devices=2)
    assert one.code == 0 and {device for device, what, _ in one.events if what == "launch"} == {"1"}
    scored = (tmp_path / "scored.tsv").read_bytes()
    several = infer("--devices", "all", *options, devices=2)
    assert several.code == 0 and {device for device, what, _ in several.events if what == "launch"} == {"0", "1"}
    assert (tmp_path / "scored.tsv").read_bytes() == scored


def test_batches_become_smaller_where_memory_lacks(infer: Infer, expected: np.ndarray, tmp_path: Path) -> None:
    ran = infer("--device", "cuda", "--variant", "cuda-fp16", memory=LITTLE_MEMORY)
    assert ran.code == 0 and "tokens a batch were too many for the device's memory; " in ran.err
    assert np.abs(logits_in(tmp_path) - expected).max() <= WITHIN["cuda-fp16"]


def test_a_model_that_does_not_fit_is_one_line(infer: Infer, tmp_path: Path) -> None:
    ran = infer("--device", "cuda", "--variant", "cuda-fp16", memory=LESS_THAN_THE_MODEL)
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1)
    assert "cannot run on cuda: Failed to allocate memory" in ran.err and "make room on the device" in ran.err


def test_the_budget_is_tried_out_on_the_device(infer: Infer, expected: np.ndarray, tmp_path: Path) -> None:
    ran = infer("--device", "cuda", "--variant", "cuda-fp16", "--batch-tokens", "auto")
    assert ran.code == 0, ran.err
    tried = json.loads((tmp_path / "scored.tsv.report.json").read_text())["batch_tokens_tried"]
    assert tried and tried[0]["batch_tokens"] == 16384
    assert np.abs(logits_in(tmp_path) - expected).max() <= WITHIN["cuda-fp16"]


@pytest.mark.parametrize("variant", WITHIN)
def test_a_bundle_verifies_on_the_device(variant: str, machine: Machine, packed_bundle: Path) -> None:
    ran = machine.bertline("verify", packed_bundle, "--device", "cuda", "--variant", variant)
    assert (ran.code, ran.err) == (0, ""), ran.out
    assert "FAILED" not in ran.out and ran.said("launch")
