"""The page over one or more documents."""

from collections.abc import Sequence

from benchmarks.documents import Document
from benchmarks.latency.result import Latency
from benchmarks.latency.tables import latency_section
from benchmarks.report.machine_section import machine_section
from benchmarks.scale.result import Scale
from benchmarks.scale.section import scale_section
from benchmarks.throughput.tables import tables
from bertline.report import Commands, Report, Section, render_html


def results_page(documents: Sequence[Document]) -> str:
    """A self-contained HTML page of all of them."""
    sections = [_section(document) for document in documents]
    sections += [machine_section(documents[0].machine)]
    sections += [Section("Commands", [Commands([document.command for document in documents])])]
    return render_html(Report("Benchmarks", documents[0].machine.cpu, [], sections))


def _section(document: Document) -> Section:
    match document.result:
        case Latency() as latency:
            return latency_section(latency)
        case Scale() as scale:
            return scale_section(scale, document.machine.ceiling)
        case throughput:
            return Section("Throughput", tables(throughput, document.machine.ceiling))
