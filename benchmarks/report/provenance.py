"""What figures were measured on: in a line, and as a section of a page."""

from benchmarks.documents import Document
from benchmarks.machine import Machine
from bertline.report import Facts, Section


def provenance(document: Document) -> str:
    """Machine, threads and day, in a line."""
    machine = document.machine
    state = "; interrupted, and what was finished is here" if document.result.interrupted else ""
    return f"{machine.cpu}, {machine.threads} threads, {document.measured}{state}"


def machine_section(machine: Machine) -> Section:
    """The machine, its own best, and versions."""
    facts = {
        "processor": machine.cpu,
        "threads": f"{machine.threads} of {machine.cpus} CPUs",
        "memory": f"{machine.memory_mib / 1024:.0f} GiB",
        "system": machine.system,
    }
    if machine.ceiling:
        rates = machine.ceiling.matrix_flops.items()
        facts["matrix products"] = ", ".join(f"{name} {rate / 1e12:.2f} TFLOP/s" for name, rate in rates)
        facts["reading memory"] = f"{machine.ceiling.memory_bytes_per_second / 1e9:.1f} GB/s"
    facts["versions"] = ", ".join(f"{name} {version}" for name, version in machine.versions.items())
    return Section("Environment", [Facts(facts)])
