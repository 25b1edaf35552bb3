"""What figures were measured on: in a line, and as a section of a page."""

from collections.abc import Mapping
from types import MappingProxyType

from benchmarks.documents import Document
from benchmarks.machine import Ceiling, Machine
from bertline.report import Facts, Section


def provenance(document: Document) -> str:
    """Machine, threads and day, in a line."""
    machine = document.machine
    state = "; interrupted, and what was finished is here" if document.result.interrupted else ""
    return f"{machine.cpu}, {machine.threads} threads, {document.measured}{state}"


def machine_section(machine: Machine, ceilings: Mapping[str, Ceiling] = MappingProxyType({})) -> Section:
    """The machine, its own best as each run measured it, and versions."""
    facts = {
        "processor": machine.cpu,
        "threads": f"{machine.threads} of {machine.cpus} CPUs",
        "memory": f"{machine.memory_mib / 1024:.0f} GiB",
        "system": machine.system,
    }
    for run, ceiling in ceilings.items():
        rates = (f"{name} {rate / 1e12:.2f} TFLOP/s" for name, rate in ceiling.matrix_flops.items())
        read = f"reading memory {ceiling.memory_bytes_per_second / 1e9:.1f} GB/s"
        facts[f"at best, during {run}"] = ", ".join([*(f"products of {rate}" for rate in rates), read])
    facts["versions"] = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    return Section("Environment", [Facts(facts)])
