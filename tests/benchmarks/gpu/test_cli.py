"""`bertline benchmark gpu`, from its options to its exit codes."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from benchmarks.gpu import sections
from benchmarks.gpu.tables import markdown
from tests.conftest import Cli

NO_TIME = ("--device", "cpu", "--minutes", "0")


@pytest.fixture
def arguments(packed_bundle: Path, model_dir: Path, rows_file: Path, tmp_path: Path) -> tuple[object, ...]:
    return ("benchmark", "gpu", packed_bundle, rows_file, "--model", model_dir, "-o", tmp_path / "gpu.json", *NO_TIME)


def test_document_tables_and_screen(arguments: tuple[object, ...], cli: Cli, tmp_path: Path) -> None:
    outcome = cli(*arguments)
    assert outcome.code == 0, outcome.err
    document = json.loads((tmp_path / "gpu.json").read_text(encoding="utf-8"))
    assert (document["kind"], document["minutes"]) == ("gpu", 0)
    assert (tmp_path / "gpu.md").read_text(encoding="utf-8") == markdown(document)
    assert "the 0 minutes were used up" in outcome.out and "Targets" in outcome.out
    assert f"wrote {tmp_path / 'gpu.json'} and {tmp_path / 'gpu.md'}" in outcome.err
    again = cli(*arguments)
    assert again.code == 1 and "the file exists" in again.err
    assert cli(*arguments, "--force").code == 0


@pytest.mark.parametrize(
    ("found", "code", "message"),
    [
        ({"faults": ["cuda-fp16: 1 × MemcpyFromHost [/bold]"]}, 3, "1 × MemcpyFromHost"),
        (None, 1, "not measured for an error: one (RuntimeError: broken)"),
    ],
)
def test_faults_and_failures_have_their_exit_codes_and_the_file_is_written(
    found: dict[str, Any] | None,
    code: int,
    message: str,
    arguments: tuple[object, ...],
    cli: Cli,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def section() -> dict[str, Any]:
        if found is None:
            raise RuntimeError("broken")
        return found | {"ways": {}}

    name = "kernels" if found else "one"
    monkeypatch.setattr(sections, "sections", lambda bench: {name: section})
    outcome = cli(*arguments, "--minutes", "1")
    assert (outcome.code, message in outcome.err) == (code, True), outcome.err
    assert list(json.loads((tmp_path / "gpu.json").read_text())["sections"]) == [name]


def test_ctrl_c_says_where_the_finished_part_is(
    arguments: tuple[object, ...], cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop() -> dict[str, Any]:
        raise KeyboardInterrupt

    monkeypatch.setattr(sections, "sections", lambda bench: {"kernels": lambda: {"ways": {}}, "two": stop})
    outcome = cli(*arguments, "--minutes", "1")
    assert outcome.code == 130 and f"what was finished is in {tmp_path / 'gpu.json'}" in outcome.err
    assert (tmp_path / "gpu.md").exists()


def test_some_sections_can_be_asked_for(
    arguments: tuple[object, ...], cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = {name: lambda: {"ways": {}} for name in ("kernels", "latency")}
    monkeypatch.setattr(sections, "sections", lambda bench: calls)
    assert cli(*arguments, "--minutes", "1", "--only", " kernels").code == 0
    found = json.loads((tmp_path / "gpu.json").read_text())["sections"]
    assert found["kernels"]["status"] == "measured"
    assert found["latency"] == {"status": "not measured", "reason": "it was not asked for"}
    outcome = cli(*arguments, "--force", "--only", "kernels,speed")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "--only kernels,speed: 'speed' is none of kernels, latency" in outcome.err


def test_without_a_cuda_device_it_says_so(arguments: tuple[object, ...], cli: Cli, tmp_path: Path) -> None:
    import torch

    if torch.cuda.is_available():
        pytest.skip("there is one")
    outcome = cli(*arguments, "--device", "cuda")
    assert (outcome.code, outcome.err.count("\n")) == (1, 1) and "--device cuda: PyTorch" in outcome.err
    assert not list(tmp_path.glob("gpu.*"))


def test_a_checkout_runs_it_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "benchmarks", "gpu", "--help"], capture_output=True, text=True)
    assert done.returncode == 0 and "--minutes" in done.stdout and "benchmark gpu" in done.stdout
