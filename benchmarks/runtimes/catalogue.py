"""Which consumers can be measured, and how each is made ready."""

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType

from benchmarks.runtimes.consumer import Consumer, Open, Setting
from benchmarks.runtimes.cpp_program import open_cpp
from benchmarks.runtimes.node_program import open_node
from benchmarks.runtimes.python_program import open_python
from benchmarks.runtimes.web_page import open_web
from bertline.bundle import Manifest
from bertline.errors import BertlineError, UsageError
from export.consumers import FOLDER

KNOWN: Mapping[str, Open] = MappingProxyType(
    {
        "python-lean": partial(open_python, program="bertline_lean.py", runtime="onnxruntime", options=("-I",)),
        # It imports the file beside it, which -I does not allow.
        "openvino-python": partial(open_python, program="bertline_openvino.py", runtime="openvino", options=("-E",)),
        "cpp": open_cpp,
        "node": open_node,
        "web": open_web,
    }
)
_WHY_NOT = {"triton": "is a folder for Triton Inference Server, which is not run here"}


def held_consumers(manifest: Manifest) -> tuple[str, ...]:
    """Those that a bundle holds, known here or not."""
    return tuple(dict.fromkeys(name.split("/")[1] for name in manifest.files if name.startswith(f"{FOLDER}/")))


def chosen_consumers(names: str, manifest: Manifest) -> dict[str, Open]:
    """All, those that cannot be measured too, or those of a list as a,b; UsageError for a name that is none."""
    others = {name: partial(_not_measured, name) for name in held_consumers(manifest) if name not in KNOWN}
    if names == "all":
        return {**KNOWN, **others}
    chosen = list(dict.fromkeys(name.strip() for name in names.split(",")))
    for name in chosen:
        if name not in KNOWN:
            raise UsageError(f"--runtimes {name}: there are {', '.join(KNOWN)}")
    return {name: KNOWN[name] for name in chosen}


def _not_measured(name: str, setting: Setting) -> Consumer:
    raise BertlineError(_WHY_NOT.get(name, "is not known to bertline benchmark runtimes"))
