"""How much memory this process has held at most."""

import resource
import sys
from pathlib import Path

_LINUX_STATUS = Path("/proc/self/status")


def peak_memory_mib() -> float:
    """The largest resident set so far, in MiB."""
    if _LINUX_STATUS.exists():
        # getrusage counts what the parent held when it forked: a large parent would be reported as ours.
        lines = dict(line.split(":", 1) for line in _LINUX_STATUS.read_text().splitlines() if ":" in line)
        return int(lines["VmHWM"].split()[0]) / 2**10
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (2**20 if sys.platform == "darwin" else 2**10)
