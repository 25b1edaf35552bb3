"""Who competes for throughput: PyTorch and bertline in this environment, peers each in their own."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.catalogue import PEERS
from benchmarks.peers.environments import Environment
from benchmarks.peers.process import PeerError
from benchmarks.throughput.result import BARE, NOTEBOOK, OURS
from benchmarks.variants import FLOAT32, formats_of

PIPELINE = "transformers pipeline, fp32"
TORCH_FP32, TORCH_BF16 = "PyTorch fp32, equal lengths", "PyTorch bf16, equal lengths"
PLAIN_ONNX = "ONNX Runtime fp32, plain graph"
_HERE = Path(__file__).parent


@dataclass(frozen=True)
class Candidate:
    """One way to score a file, in a process of its own."""

    title: str
    way: str  # what its script calls it
    command: tuple[str | Path, ...] = ()  # what serves it
    prepares: bool = False  # files are made of the model before
    formats: tuple[str, ...] = FLOAT32  # of numbers that it may multiply in
    missing: str | None = None  # why it cannot start


def own_candidates(variants: Sequence[str]) -> list[Candidate]:
    """PyTorch's ways, the plain graph, and bertline's variants."""
    torch, onnx = _served("pytorch_ways.py"), _served("onnx_ways.py")
    found = [
        Candidate(NOTEBOOK, "notebook", torch),
        Candidate(PIPELINE, "pipeline", torch),
        Candidate(TORCH_FP32, "float32", torch),
        Candidate(TORCH_BF16, "bfloat16", torch, formats=("bfloat16",)),
        Candidate(PLAIN_ONNX, "plain", onnx, prepares=True),
    ]
    for variant in variants:
        formats = formats_of(variant)
        found.append(Candidate(f"{OURS} {variant}", f"infer {variant}", onnx, formats=formats))
        found.append(Candidate(f"{BARE}, {variant}", f"session {variant}", onnx, formats=formats))
    return found


def peer_candidates(names: Sequence[str], root: Path) -> list[Candidate]:
    """All ways of the peers, whose environments are kept below `root`; also of those that are not there."""
    return [
        Candidate(way.title, way.name, command, way.prepares, way.formats, missing)
        for name in names
        for command, missing in [_peer(name, root)]
        for way in PEERS[name]
    ]


def _peer(name: str, root: Path) -> tuple[tuple[str | Path, ...], str | None]:
    """What serves a peer, and why it cannot."""
    try:
        environment = Environment.of(name, root)
    except PeerError as error:
        return (), str(error)
    return environment.command, environment.missing


def _served(script: str) -> tuple[str | Path, ...]:
    return sys.executable, "-m", "benchmarks.peers.protocol", _HERE / script
