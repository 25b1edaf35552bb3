"""What the real onnxruntime-gpu lacks is said in one line, and nothing else is written."""

import os
from pathlib import Path

import pytest

from tests.cuda_stand_in.build import LIBRARIES
from tests.cuda_stand_in.conftest import Machine

DRIVER = "libcuda.so.1"
# libraries that are there, settings, device, what is said
CASES: dict[str, tuple[set[str], dict[str, int], str, list[str]]] = {
    "nothing": (set(), {}, "cuda", ["no NVIDIA driver is here", "--gpus all"]),
    "no driver": (set(LIBRARIES) - {DRIVER}, {}, "cuda", ["no NVIDIA driver is here", "--gpus all"]),
    "no device": (set(LIBRARIES), {"devices": 0}, "cuda", ["the driver sees no CUDA device", "nvidia-smi"]),
    "old driver": ({DRIVER}, {"driver": 12040}, "cuda", ["the driver serves CUDA 12.4", "is built for CUDA 13"]),
    "no libraries": ({DRIVER}, {}, "cuda", ["lacks a library (libcublasLt.so.13: ", "pip install 'bertline[gpu]'"]),
    "no cuDNN": (set(LIBRARIES) - {"libcudnn.so.9"}, {}, "cuda", ["lacks a library (libcudnn.so.9: "]),
    "no third device": (set(LIBRARIES), {"devices": 2}, "cuda:2", ["there are 2 devices, cuda:0 to cuda:1"]),
}


@pytest.mark.parametrize("case", CASES)
def test_what_is_missing_is_one_line(
    case: str, machine: Machine, packed_bundle: Path, table: Path, tmp_path: Path
) -> None:
    there, settings, device, said = CASES[case]
    libraries = tmp_path / "libraries"
    libraries.mkdir()
    for name in there:
        os.link(machine.libraries / name, libraries / name)
    output = tmp_path / "scored.tsv"
    ran = machine.bertline(
        "infer", packed_bundle, table, "-o", output, "--device", device, logits=False, libraries=libraries, **settings
    )
    assert (ran.code, ran.out, ran.err.count("\n")) == (1, "", 1), ran.err
    assert f"--device {device}: " in ran.err and all(part in ran.err for part in said), ran.err
    assert not output.exists()
