"""How many CPUs this process may really use: a container's share, not the host's."""

import math
import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")
CPUINFO = Path("/proc/cpuinfo")
_MATRIX_FORMATS = ("avx2", "avx512f", "avx_vnni", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8")


def usable_cpus(cgroup: Path = CGROUP) -> int:
    """The smaller of the CPU affinity and the cgroup's quota (v2, then v1), rounded up; at least 1."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _cgroup_quota(cgroup)
    return max(1, affinity if quota is None else min(affinity, math.ceil(quota)))


def cpu_name(cpuinfo: Path = CPUINFO) -> str:
    """The processor's name and the number formats for matrices it knows, for the records of measurements."""
    if not cpuinfo.exists():
        import platform

        return platform.processor() or platform.machine()
    return " ".join([_facts(cpuinfo).get("model name", "unknown CPU"), *matrix_formats(cpuinfo)])


def matrix_formats(cpuinfo: Path = CPUINFO) -> tuple[str, ...]:
    """Instruction sets for products of matrices that the processor has; none where the system does not list them."""
    flags = set(_facts(cpuinfo).get("flags", "").split()) if cpuinfo.exists() else set()
    return tuple(name for name in _MATRIX_FORMATS if name in flags)


def _facts(cpuinfo: Path) -> dict[str, str]:
    """What the system says of the first processor."""
    lines = cpuinfo.read_text().split("\n\n")[0].splitlines()
    return {key.strip(): value.strip() for key, _, value in (line.partition(":") for line in lines)}


def _cgroup_quota(cgroup: Path) -> float | None:
    """CPUs' worth of time granted, or None where there is no limit."""
    v2, v1 = cgroup / "cpu.max", cgroup / "cpu" / "cpu.cfs_quota_us"
    if v2.is_file():
        quota, period = v2.read_text().split()
        return None if quota == "max" else int(quota) / int(period)
    if v1.is_file():
        granted = int(v1.read_text())
        return granted / int(v1.with_name("cpu.cfs_period_us").read_text()) if granted > 0 else None
    return None
