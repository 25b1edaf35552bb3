"""How many CPUs this process may really use: a container's share, not the host's."""

import math
import os
from pathlib import Path

CGROUP = Path("/sys/fs/cgroup")


def usable_cpus(cgroup: Path = CGROUP) -> int:
    """The smaller of the CPU affinity and the cgroup's quota (v2, then v1), rounded up; at least 1."""
    affinity = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    quota = _cgroup_quota(cgroup)
    return max(1, affinity if quota is None else min(affinity, math.ceil(quota)))


def cpu_name(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """The processor's name and the number formats for matrices it knows, for the records of measurements."""
    if not cpuinfo.exists():
        import platform

        return platform.processor() or platform.machine()
    fields = dict(line.split(":", 1) for line in cpuinfo.read_text().split("\n\n")[0].splitlines() if ":" in line)
    facts = {key.strip(): value.strip() for key, value in fields.items()}
    flags = set(facts.get("flags", "").split())
    known = [
        flag for flag in ("avx2", "avx512f", "avx512_vnni", "avx512_bf16", "amx_bf16", "amx_int8") if flag in flags
    ]
    return " ".join([facts.get("model name", "unknown CPU"), *known])


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
