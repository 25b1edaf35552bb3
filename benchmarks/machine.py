"""What a measurement ran on, and what that machine can do at best."""

import os
import platform
from dataclasses import dataclass

from infer.cpus import cpu_name, usable_cpus
from infer.versions import installed, runtime_versions

_PACKAGES = ("torch", "transformers")


@dataclass(frozen=True)
class Ceiling:
    """Yardsticks, measured in the same run: a way's own figures are shares of them."""

    matrix_flops: dict[str, float]  # FLOP/s of matrix products of BERT-base's shapes, by number format
    memory_bytes_per_second: float  # reading, from arrays that no cache holds

    def matrix_rate(self, formats: tuple[str, ...]) -> float | None:
        """FLOP/s of the fastest of these number formats; None where none was measured."""
        return max((self.matrix_flops[name] for name in formats if name in self.matrix_flops), default=None)


@dataclass(frozen=True)
class Machine:
    """Names and sizes that figures rest on."""

    cpu: str
    cpus: int  # that this process may use
    threads: int
    memory_mib: int
    system: str
    versions: dict[str, str]
    ceiling: Ceiling | None = None  # None: not measured


def this_machine(threads: int, *, ceiling: bool = True) -> Machine:
    """The machine as it is; its ceiling takes some seconds to measure, a minute where bf16 is emulated."""
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") // 2**20
    versions = runtime_versions() | {name: found for name in _PACKAGES if (found := installed(name))}
    return Machine(
        cpu_name(),
        usable_cpus(),
        threads,
        memory,
        f"{platform.system()} {platform.machine()}",
        versions,
        _ceiling(threads) if ceiling else None,
    )


def _ceiling(threads: int) -> Ceiling:
    from benchmarks.ceiling import measure_ceiling  # which loads PyTorch

    return measure_ceiling(threads)
