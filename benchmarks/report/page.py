"""The page over one or more documents."""

from collections.abc import Sequence
from dataclasses import replace

from benchmarks.documents import Document
from benchmarks.latency.result import Latency
from benchmarks.latency.tables import latency_section
from benchmarks.report.headline import headline
from benchmarks.report.provenance import machine_section, provenance
from benchmarks.report.throughput_section import throughput_section
from benchmarks.runtimes.result import Runtimes
from benchmarks.runtimes.tables import runtimes_section
from benchmarks.scale.result import Scale
from benchmarks.scale.section import scale_section
from benchmarks.scaling.result import Scaling
from benchmarks.scaling.tables import named as scaling_tables
from benchmarks.throughput.result import Throughput
from bertline.report import Commands, Report, Section, render_html

_SEVERAL = "Figures of different machines stand on this page: they are not to be compared with each other."


def results_page(documents: Sequence[Document]) -> str:
    """A self-contained HTML page of all of them, in the order given; the headline is of the first throughput run."""
    throughputs = [document.result for document in documents if isinstance(document.result, Throughput)]
    machines: dict[str, list[Document]] = {}
    for document in documents:  # of one machine each run has a ceiling of its own
        machines.setdefault(repr(replace(document.machine, ceiling=None)), []).append(document)
    sections = [_section(document) for document in documents] + [_machine(runs) for runs in machines.values()]
    names = dict.fromkeys(document.machine.cpu for document in documents)
    subtitle = "; ".join(names) + (f". {_SEVERAL}" if len(machines) > 1 else "")
    tiles = headline(throughputs[0]) if throughputs else []
    return render_html(Report("What each way of running the model costs", subtitle, tiles, sections))


def _machine(runs: Sequence[Document]) -> Section:
    ceilings = {f"{run.kind}, {run.measured}": run.machine.ceiling for run in runs if run.machine.ceiling}
    return machine_section(runs[0].machine, ceilings)


def _section(document: Document) -> Section:
    match document.result:
        case Throughput() as throughput:
            return throughput_section(document, throughput)
        case Latency() as latency:
            made = latency_section(latency, document.machine.ceiling)
        case Scale() as scale:
            made = scale_section(scale, document.machine.ceiling)
        case Runtimes() as runtimes:
            made = runtimes_section(runtimes)
        case Scaling() as scaling:
            made = Section("More machines", list(scaling_tables(scaling, document.machine.cpus).values()))
    return Section(made.title, [provenance(document), *made.blocks, Commands([document.command])])
