"""Result documents that tests of tables and pages share; all figures are made up."""

from benchmarks.documents import Document
from benchmarks.machine import Ceiling, Machine
from benchmarks.throughput.candidates import PIPELINE
from benchmarks.throughput.result import NOTEBOOK, OURS, Throughput, Way

MACHINE = Machine(
    "a CPU", 2, 1, 1024, "Linux x86_64", {"bertline": "1"}, Ceiling({"float32": 1e12, "int8": 4e12}, 1e10)
)


def way(title: str, *seconds: float, mcc: float | None = 0.5, formats: tuple[str, ...] = ("float32",)) -> Way:
    """One way that took so long in each warm pass."""
    return Way(title, formats, 4.0, seconds, 2e-6, 1, mcc, 1.25, None, 512.4, {"torch": "2"})


def result(*ways: Way, **failures: str) -> Throughput:
    """These ways on 100 rows."""
    return Throughput("model", "t.tsv", 100, 1000, 1e9, ways, failures)


def throughput_document() -> Document:
    """Three ways, and one that was not measured."""
    ways = way(NOTEBOOK, 4.0), way(PIPELINE, 2.0), way(f"{OURS} fp32", 1.0)
    return Document.of(result(*ways, peer="no | <compiler>"), MACHINE, ["benchmark", "throughput", "bundle", "t.tsv"])
