"""The CPUs a container grants, not those of its host."""

import os
from pathlib import Path

import pytest

from infer.cpus import cpu_name, usable_cpus


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"cpu.max": "50000 100000\n"}, 1),
        ({"cpu.max": "100000 100000\n"}, 1),
        ({"cpu.max": "max 100000\n"}, None),
        ({"cpu.max": "1 100000\n"}, 1),
        ({"cpu/cpu.cfs_quota_us": "50000\n", "cpu/cpu.cfs_period_us": "100000\n"}, 1),
        ({"cpu/cpu.cfs_quota_us": "-1\n", "cpu/cpu.cfs_period_us": "100000\n"}, None),
        ({}, None),
    ],
    ids=["half", "one", "v2 unlimited", "a sliver", "v1", "v1 unlimited", "no cgroup"],
)
def test_the_quota_limits_what_the_affinity_allows(tmp_path: Path, files: dict[str, str], expected: int | None) -> None:
    for name, content in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(content)
    assert usable_cpus(tmp_path) == (expected or len(os.sched_getaffinity(0)))


def test_a_quota_beyond_the_affinity_grants_no_more(tmp_path: Path) -> None:
    (tmp_path / "cpu.max").write_text("100000000 100000\n")
    assert usable_cpus(tmp_path) == len(os.sched_getaffinity(0))


def test_the_name_says_which_matrix_formats_the_processor_knows(tmp_path: Path) -> None:
    cpuinfo = tmp_path / "cpuinfo"
    cpuinfo.write_text("model name\t: Some CPU\nflags\t\t: fpu amx_int8 avx2\n\nmodel name\t: Other\n")
    assert cpu_name(cpuinfo) == "Some CPU avx2 amx_int8"
    assert cpu_name(tmp_path / "missing") != ""
