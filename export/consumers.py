"""Consumers: small programs for other runtimes, copied into the bundle, that score and check themselves there."""

import shutil
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bertline.bundle import FileEntry, Manifest
from bertline.errors import UsageError
from export.openvino_tokenizer import require_openvino, write_openvino_tokenizer
from export.triton import write_configs
from export.web_page import add_libraries, have_libraries

SOURCES = Path(__file__).parent / "runtimes"  # a folder each, as it goes into the bundle
FOLDER = "runtimes"  # in the bundle


@dataclass(frozen=True)
class Consumer:
    """What `export --runtimes` knows by one name."""

    name: str
    says: str  # one line for the model card: the command that checks it
    sources: tuple[str, ...] = ()  # folders of SOURCES that are copied into one; none: the one of its own name
    require: Callable[[], object] = lambda: None  # raises BertlineError where `make` lacks something, before any work
    make: Callable[[Path, Manifest, Path], None] = lambda bundle, manifest, target: None
    # `make(bundle, manifest, target)` writes what depends on the bundle into the copied folder


CONSUMERS = {
    consumer.name: consumer
    for consumer in (
        Consumer("python-lean", "python runtimes/python-lean/bertline_lean.py selfcheck"),
        Consumer(
            "openvino-python",
            "python runtimes/openvino-python/bertline_openvino.py selfcheck",
            sources=("python-lean", "openvino-python"),
        ),
        Consumer(
            "cpp",
            "cmake -S runtimes/cpp -B BUILD && cmake --build BUILD && BUILD/bertline_cpp selfcheck",
            require=require_openvino,
            make=write_openvino_tokenizer,
        ),
        Consumer("node", "node runtimes/node/bertline.js selfcheck", sources=("javascript", "node")),
        Consumer("web", "bertline web .", sources=("javascript", "web"), require=have_libraries, make=add_libraries),
        Consumer("triton", "python runtimes/triton/repository.py make MODELS", make=write_configs),
    )
}


def wanted_consumers(names: str | None) -> list[Consumer]:
    """The consumers a list as `node,web` names, once each; UsageError for a name that is none."""
    wanted = list(dict.fromkeys(name.strip() for name in names.split(","))) if names else []
    for name in wanted:
        if name not in CONSUMERS:
            raise UsageError(f"--runtimes {name}: there are {', '.join(CONSUMERS)}")
    return [CONSUMERS[name] for name in wanted]


def add_consumers(bundle: Path, manifest: Manifest, consumers: Sequence[Consumer]) -> dict[str, FileEntry]:
    """Write them below the unfinished bundle's `runtimes/`; the entries of their files, for the manifest."""
    entries: dict[str, FileEntry] = {}
    for consumer in consumers:
        target = bundle / FOLDER / consumer.name
        for source in consumer.sources or (consumer.name,):
            shutil.copytree(SOURCES / source, target, ignore=_left_behind, dirs_exist_ok=True)
        consumer.make(bundle, manifest, target)
        files = sorted(path for path in target.rglob("*") if path.is_file())
        entries |= {path.relative_to(bundle).as_posix(): FileEntry.of(path) for path in files}
    return entries


def consumers_in(manifest: Manifest) -> list[Consumer]:
    """Those a bundle has."""
    return [
        consumer
        for consumer in CONSUMERS.values()
        if any(name.startswith(f"{FOLDER}/{consumer.name}/") for name in manifest.files)
    ]


_left_behind = shutil.ignore_patterns("node_modules", "build", "__pycache__", ".*")  # what a developer's own runs made
