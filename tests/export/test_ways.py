"""Further ways to run a bundle on the CPU. A second provider is played by the plain one under OpenVINO's name."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

import infer.scorer
from bertline.bundle import Bundle
from bertline.tsv import TableSpec
from export.bundling import export_bundle
from export.ways import Terms
from infer import openvino
from infer.golden import read_goldens
from infer.providers import CPU_PROVIDER, OPENVINO_PROVIDER
from infer.session import OnnxSession
from infer.variants import Machine, choose
from tests import tiny
from tests.conftest import Cli
from tests.export.conftest import Change

Errors = dict[str, float]  # what the second provider adds to the first logit, by precision


class Stand(OnnxSession):
    """The plain CPU, which answers to OpenVINO's name."""

    errors: Errors

    def __init__(self, model: Path, device: str, threads: int, *, provider: str, precision: str, **_: Any) -> None:
        super().__init__(model, device, threads)
        self.provider = provider
        self.off = self.errors.get(precision, 0.0) if provider == OPENVINO_PROVIDER else 0.0

    def run(self, feeds: dict[str, NDArray[np.int64]]) -> NDArray[np.float32]:
        logits = super().run(feeds)
        logits[:, 0] += np.float32(self.off)
        return logits


@pytest.fixture(autouse=True)
def _quick(exporter: Callable[[Change], None]) -> None:
    exporter(lambda proto: None)


@pytest.fixture
def second_provider(monkeypatch: pytest.MonkeyPatch) -> Callable[[Errors], None]:
    """`second_provider(errors)`: from now on OpenVINO is there, on a CPU that has bf16, and is off by that much."""

    def make(errors: Errors) -> None:
        monkeypatch.setattr(Stand, "errors", errors, raising=False)
        monkeypatch.setattr(openvino, "missing", lambda: None)
        monkeypatch.setattr(infer.scorer, "OnnxSession", Stand)
        monkeypatch.setattr(infer.scorer, "matrix_formats", lambda: ("avx512_vnni", "amx_bf16"))

    return make


def exported(model_dir: Path, folder: Path, **how: Any) -> tuple[Bundle, list[str]]:
    said: list[str] = []
    table = tiny.write_table(folder / "verify.tsv", rows=40)
    made = export_bundle(model_dir, folder / "b", [table], TableSpec(label_column="label"), say=said.append, **how)
    return made, said


def test_every_way_to_run_fp32_here_has_a_gate_and_auto_takes_the_fastest(
    model_dir: Path, tmp_path: Path, second_provider: Callable[[Errors], None]
) -> None:
    second_provider({"bf16": 1e-4})
    bundle, said = exported(model_dir, tmp_path)
    gates = bundle.manifest.variants["fp32"].gates
    ways = [(gate.provider, gate.precision) for gate in gates]
    assert ways == [(CPU_PROVIDER, "fp32"), (OPENVINO_PROVIDER, "fp32"), (OPENVINO_PROVIDER, "bf16")]
    assert all(gate.passed and gate.rows == 40 and gate.rows_per_second for gate in gates)
    assert bundle.manifest.variants["fp32"].batch_invariant
    assert any("rows/s in turns over 40 rows: fp32 on cpu" in line and "bf16 on openvino" in line for line in said)
    fastest = max(gates, key=lambda gate: gate.rows_per_second or 0)
    choice = choose(bundle, "auto", Machine("cpu", ("amx_bf16",)))
    assert choice.gate == fastest and "flips of 40 rows" in choice.recorded_loss
    assert all(
        golden.logits.keys() == {"pytorch", "fp32", "bf16"} for golden in read_goldens(bundle.path / "golden.jsonl")
    )


def test_a_way_that_nobody_asked_for_and_that_fails_is_only_left_out(
    model_dir: Path, tmp_path: Path, second_provider: Callable[[Errors], None]
) -> None:
    second_provider({"bf16": 9.0, "fp32": 0.01})
    bundle, said = exported(model_dir, tmp_path)
    assert [gate.provider for gate in bundle.manifest.variants["fp32"].gates] == [CPU_PROVIDER]
    assert sum("left out" in line for line in said) == 2
    assert all(golden.logits.keys() == {"pytorch", "fp32"} for golden in read_goldens(bundle.path / "golden.jsonl"))


@pytest.mark.parametrize("runs", [True, False])
def test_bf16_that_was_asked_for_and_fails_or_cannot_run_is_exit_code_3(
    runs: bool, model_dir: Path, tmp_path: Path, cli: Cli, second_provider: Callable[[Errors], None]
) -> None:
    message = "OpenVINO is not here"
    if runs:
        second_provider({"bf16": 9.0})
        message = "labels flip"
    outcome = cli("export", model_dir, "-o", tmp_path / "c", "--variants", "bf16", "-q")
    assert (outcome.code, outcome.err.count("\n")) == (3, 1)
    assert "finished without bf16 (" in outcome.err and message in outcome.err
    Bundle.open(tmp_path / "c").verify()


def test_bf16_verifies_against_logits_of_its_own(
    model_dir: Path, tmp_path: Path, cli: Cli, second_provider: Callable[[Errors], None]
) -> None:
    second_provider({"bf16": 1e-4})
    bundle, _ = exported(model_dir, tmp_path)
    outcome = cli("verify", bundle.path, "--variant", "bf16")
    assert outcome.code == 0, outcome.out
    second_provider({"bf16": 0.1})  # another processor that rounds otherwise
    assert cli("verify", bundle.path, "--variant", "bf16").code == 3


def test_int8_may_flip_one_row_in_a_hundred_and_others_half_of_that_unless_told_otherwise() -> None:
    def measure(*arguments: object) -> Any:
        raise AssertionError

    default, told = Terms(measure), Terms(measure, max_flips=0.02)
    assert [default.limits(name).max_flips for name in ("fp32", "fp16", "quantized", "bf16", "int8")] == [
        0.0, 0.005, 0.005, 0.005, 0.01,
    ]  # fmt: skip
    assert {told.limits(name).max_flips for name in ("fp16", "bf16", "int8")} == {0.02}
    assert told.limits("fp32").max_flips == 0
    assert np.isinf([default.limits(name).max_batch_variance for name in ("int8", "bf16")]).all()
