"""Which peers there are, and the ways each of them offers to score a file."""

from dataclasses import dataclass
from pathlib import Path

from bertline.errors import UsageError

SCRIPTS = Path(__file__).parent  # a folder for each peer, with requirements.txt and peer.py; not in the wheel


@dataclass(frozen=True)
class PeerWay:
    """One way to score; `name` is what `peer.py` calls it, `prepares` whether it makes files of the model before.

    `formats` of numbers are those that it may multiply in.
    """

    name: str
    title: str
    prepares: bool = False
    formats: tuple[str, ...] = ("float32",)


_OPENVINO = ("float32", "bfloat16")  # it takes bfloat16 by itself where the processor has it

PEERS: dict[str, tuple[PeerWay, ...]] = {
    "optimum-onnx": (
        PeerWay("fp32", "optimum-onnx pipeline, fp32", prepares=True),
        PeerWay("O3", "optimum-onnx pipeline, O3", prepares=True),
        PeerWay("int8", "optimum-onnx pipeline, dynamic int8", prepares=True, formats=("int8",)),
        PeerWay("bundle", "optimum-onnx pipeline, our bundle"),
    ),
    "cross-encoder": (PeerWay("torch", "CrossEncoder, PyTorch"),),
    "cross-encoder-onnx": (PeerWay("onnx", "CrossEncoder, ONNX", prepares=True),),
    "cross-encoder-openvino": (PeerWay("openvino", "CrossEncoder, OpenVINO", prepares=True, formats=_OPENVINO),),
    "optimum-intel": (PeerWay("openvino", "optimum-intel pipeline, OpenVINO", prepares=True, formats=_OPENVINO),),
}


def chosen_peers(names: str) -> list[str]:
    """The peers that all, none, or a list as a,b means; UsageError for a name that is none."""
    if names in ("all", "none"):
        return list(PEERS) if names == "all" else []
    found = [name.strip() for name in names.split(",")]
    unknown = [name for name in found if name not in PEERS]
    if unknown:
        raise UsageError(f"no peer {unknown[0]!r}; there are all, none, {', '.join(PEERS)}")
    return list(dict.fromkeys(found))
