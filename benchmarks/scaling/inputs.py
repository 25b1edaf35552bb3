"""What the model is fed: each figure measured here, or assumed for a reason that is told.

To put a measurement in an assumption's place, give it below by `Input(…, measured=True)` with its document as the
source: `bertline benchmark gpu` measures a device's rows a second.
"""

from dataclasses import dataclass, replace

from benchmarks.scaling.model import Cluster, Costs, Overheads
from benchmarks.scaling.result import STAGES, Scaling

PART_ROWS, CUDA_PART_ROWS = 16 * 8192, 16 * 32768  # what infer cuts where nobody says otherwise: sixteen windows
_BERT_BASE_FLOP = 1.93e9  # a row of 11.39 tokens, the mean of CoLA; encoder_flops of benchmarks/ceiling.py


@dataclass(frozen=True)
class Input:
    """A figure with its unit, and where it comes from."""

    name: str
    value: float
    unit: str
    source: str
    measured: bool = False


CORES = Input("cores of a CPU node", 32, "", "a common size to rent")
CORE_SPEED = Input(
    "speed of a node's core, all being busy", 1.0, "of one here", "unknown; the check below is of two cores at most"
)
CARDS = Input("H200 of a GPU node", 8, "", "NVIDIA's HGX and DGX H200")
GPU_CORES = Input("cores of a GPU node", 112, "", "DGX H200 by its datasheet: two processors of 56 cores")
TENSOR_FLOPS = Input("H200, dense fp16", 989e12, "FLOP/s", "NVIDIA's datasheet")
SHARE = Input(
    "of which packed fp16 BERT-base gets",
    0.37,
    "",
    "not measured on any card: 0.29 to 0.45 expected, from matrix products at 60 to 65% and the work between them",
)
NETWORK = Input("network of a CPU node", 25e9 / 8, "bytes/s", "25 Gbit/s, usual where such nodes are rented")
GPU_NETWORK = Input("network of a GPU node, for storage", 100e9 / 8, "bytes/s", "100 Gbit/s; DGX H200 has more")
STORAGE = Input("storage, all nodes together", 10e9, "bytes/s", "a small parallel file system, or an object store")
ASSUMED = (CORES, CORE_SPEED, CARDS, GPU_CORES, TENSOR_FLOPS, SHARE, NETWORK, GPU_NETWORK, STORAGE)


@dataclass(frozen=True)
class Setting:
    """One model on one kind of machine."""

    title: str
    costs: Costs
    node: Cluster  # of one node
    part_rows: int


def costs_of(result: Scaling, flop_per_row: float | None = None) -> Costs:
    """What was measured; for another model of the same tokenizer, the session's share grows as its FLOP do."""
    read, tokenize, session, write = (result.cpu_seconds[stage] / CORE_SPEED.value for stage in STAGES)
    session *= (flop_per_row or result.flop_per_row) / result.flop_per_row
    python = result.python_seconds / CORE_SPEED.value
    look = result.look_cpu_seconds * result.bytes_in / CORE_SPEED.value
    return Costs(read, tokenize, python, session, write, result.bytes_in, result.bytes_out, look)


def overheads_of(result: Scaling) -> Overheads:
    """As measured, on one machine."""
    return Overheads(result.startup_seconds, result.part_seconds, result.driver_seconds)


def measured(result: Scaling) -> list[Input]:
    """What comes from the document."""
    by_stage = {
        "read": "reading a row",
        "tokenize": "tokenizing it",
        "session": "running the session on it",
        "write": "writing it",
    }
    found = [
        Input(by_stage[stage], result.cpu_seconds[stage] * 1e6, "µs of a core", "CPU time of the process, one thread")
        for stage in STAGES
    ]
    found += [
        Input(
            "of tokenizing, in Python",
            result.python_seconds * 1e6,
            "µs of a core",
            "CPU time but the tokenizer's own threads'; one thread at a time",
        ),
        Input("bytes of a row, in", result.bytes_in, "", "the file's size"),
        Input("bytes of a row, out", result.bytes_out, "", "the scored file's size"),
        Input(
            "looking at the input", result.look_cpu_seconds * 1e9, "ns of a core a byte", "CPU time: hash and line ends"
        ),
        Input("a part, to its worker", result.part_seconds * 1e3, "ms", "a small file in many parts and in few"),
        Input("a part, to the driver", result.driver_seconds * 1e3, "ms of a core", "the same, CPU time of the driver"),
        Input(
            "start-up of a run", result.startup_seconds, "s", "median of the checks: Ray on one machine, and workers"
        ),
    ]
    return [replace(item, measured=True) for item in found]


def settings(result: Scaling) -> list[Setting]:
    """The measured model, and BERT-base, on CPUs and on cards."""
    cores, cards = int(CORES.value), int(CARDS.value)
    cpu = Cluster(1, cores, cores // 4, 4, NETWORK.value, STORAGE.value)
    threads = int(GPU_CORES.value) // cards
    rate = TENSOR_FLOPS.value * SHARE.value

    def gpu(flop: float) -> Cluster:
        return Cluster(1, threads * cards, cards, threads, GPU_NETWORK.value, STORAGE.value, rate / flop)

    small, base = costs_of(result), costs_of(result, _BERT_BASE_FLOP)
    models = ("The measured model", small, result.flop_per_row), ("BERT-base", base, _BERT_BASE_FLOP)
    on_cores = [Setting(f"{name} on nodes of {cores} cores", costs, cpu, PART_ROWS) for name, costs, _ in models]
    on_cards = [
        Setting(f"{name} on nodes of {cards} H200", costs, gpu(flop), CUDA_PART_ROWS) for name, costs, flop in models
    ]
    return on_cores + on_cards
