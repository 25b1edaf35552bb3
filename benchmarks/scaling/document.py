"""scaling.md, generated from a document of `bertline benchmark scaling`."""

from itertools import groupby

from benchmarks.documents import Document
from benchmarks.report.markdown import markdown_table, plain
from benchmarks.report.provenance import provenance
from benchmarks.scaling.result import Scaling
from benchmarks.scaling.tables import named
from bertline.report import Table

_QUIET = 0.25  # mean processes a core that others may have kept running, for the check to say something
_HEAD = """# What more machines are worth

Rows a second by `bertline infer --engine ray`, by number of nodes, and what limits them: a model of a cluster in
[`scaling/model.py`](scaling/model.py), fed with what is measured on one machine and with assumptions that are marked.
Do not edit: `python -m benchmarks.scaling` writes this page from `results/{name}.json`, which this command wrote:

    {command}

{provenance}; {loaded}. {what}.

## How it is reckoned

A worker's stages overlap, so the slowest decides: Python (reading, writing and its part of tokenizing, one thread at a
time), the tokenizer, the session or the device, and all that runs on cores together. A part costs its worker some time
in which it scores nothing. Parts are scored in rounds, one for each worker, and the last round is as long as the
others. What workers share limits them all: network, storage, and the one driver, which sees to each part. Before it
scores, a run looks at its inputs once, on all cores. Equal texts are not scored once here, though `infer` does so by
default.
"""
_CHECK = """## Checked

The model's rows a second beside those of real runs here, by workers of one thread each. No input of the model comes
from these runs but the start-up, which is no part of these rates.
"""
_BUSY = """
**Others kept the cores busy meanwhile: these runs had but a share of them, and the check says little.** Inputs in CPU
time suffer less, costs of a part and the start-up as much. Run the command again on a quiet machine.
"""
_TAIL = """## What it does not know

No card was measured: the H200's rows a second are an assumption, and half or twice as much is possible.
`bertline benchmark gpu` measures them; [`scaling/inputs.py`](scaling/inputs.py) says where to put them. A model smaller
than BERT-base gets a smaller share of a card than is taken here. Nor was a network measured, a storage or a second
machine. Memory's bandwidth, which cores share, may slow down a node whose cores are all busy. Of BERT-base on CPUs only
the FLOP are known: its session is taken to cost as many times the measured one. The driver's limit is one of parts a
second: larger `--part-rows` raise it.
"""


def turns(table: Table) -> str:
    """Where one limit takes over from another: `tokenizers up to 8 nodes, driver from 16 on`."""
    runs = [(limit, [str(row[0]) for row in rows]) for limit, rows in groupby(table.rows, key=lambda row: str(row[2]))]
    if len(runs) == 1:
        return f"{runs[0][0]}, whatever the nodes"
    (first, before), *later = runs
    return ", ".join([f"{first} up to {before[-1]} nodes", *(f"{limit} from {nodes[0]} on" for limit, nodes in later)])


def markdown(document: Document, name: str) -> str:
    """The page; `name` is the document's, without its ending."""
    result, cores = document.result, document.machine.cpus
    assert isinstance(result, Scaling)
    inputs, checks, *settings = named(result, cores).items()
    what = (
        f"{result.variant} on {result.provider}, {result.rows:,} rows of {result.tokens / result.rows:.1f} tokens made "
        f"of {result.table}"
    )
    busy = _BUSY if result.load > cores * _QUIET else ""
    parts = [
        _HEAD.format(
            name=name,
            command=" ".join(document.command.split()),
            provenance=plain(provenance(document)),
            loaded=f"load average before it {result.load:.1f}, on {cores} cores",
            what=plain(what),
        ),
        f"## Inputs\n\n{markdown_table(inputs[1])}",
        f"{_CHECK}{busy}\n{plain(checks[1].caption or '')}:\n\n{markdown_table(checks[1])}",
        *(f"## {title}\n\nThe limit: {turns(table)}.\n\n{markdown_table(table)}" for title, table in settings),
        _TAIL,
    ]
    return "\n".join(parts)
