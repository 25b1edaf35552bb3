"""The device's name, clocks and matrix rate."""

import subprocess
from typing import Any

import pytest
import torch

from benchmarks.gpu import device
from benchmarks.gpu.device import QUERY, clocks, environment, parse_clocks

LINE = "580.95.05, P0, 1980 MHz, 2619 MHz, 1980 MHz, 2619 MHz, 412.05 W, 700.00 W, 41, 81559 MiB\n"


def test_clocks_have_their_units() -> None:
    found = parse_clocks(LINE)
    assert list(found) == list(QUERY)
    assert (found["driver_version"], found["clocks.sm"], found["temperature.gpu"]) == ("580.95.05", "1980 MHz", "41")


def test_an_error_of_nvidia_smi_is_a_remark() -> None:
    assert parse_clocks("", "No devices\nwere found") == {"remark": "nvidia-smi failed: No devices were found"}


def test_on_cuda_it_is_asked_for_this_device(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[list[str]] = []

    class Properties:
        uuid = "d1b2"

    def run(command: list[str], **_: Any) -> Any:
        asked.append(command)
        return subprocess.CompletedProcess(command, 0, LINE, "")

    monkeypatch.setattr(torch.cuda, "get_device_properties", lambda index: Properties)
    monkeypatch.setattr(device.shutil, "which", lambda name: name)
    monkeypatch.setattr(device.subprocess, "run", run)
    assert clocks("cuda:0")["clocks.max.sm"] == "1980 MHz"
    assert asked[0][:3] == ["nvidia-smi", "-i", "GPU-d1b2"] and "clocks.sm" in asked[0][3]
    monkeypatch.setattr(device.shutil, "which", lambda name: None)
    assert clocks("cuda:0") == {"remark": "nvidia-smi is not installed"}


def test_a_cpu_has_no_such_clocks() -> None:
    assert clocks("cpu") == {"remark": "not on this device"}
    found = environment("cpu")
    assert found["name"] == found["cpu"] and {"torch", "transformers", "onnxruntime"} <= found["versions"].keys()


def test_results_are_a_share_of_the_best_rate(document: dict[str, Any]) -> None:
    entry = document["sections"]["matrix_rate"]
    assert entry["dtype"] == "float32"  # a CPU's fp16 is no yardstick
    assert entry["matrix_rate"] == max(*entry["best"].values(), entry["sustained"]) > 1e6
    assert list(entry["best"]) == ["64 × 64 × 64", "BERT-base's products, 32 tokens"]
    for row in document["sections"]["throughput_real"]["head_to_head"]:
        if "error" not in row:
            flop = document["sections"]["throughput_real"]["flop_per_row"]
            share = row["rows_per_second"] * flop / entry["matrix_rate"]
            assert row["share_of_matrix_rate"] == pytest.approx(share)
