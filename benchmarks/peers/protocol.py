"""The side of a way to score that runs in a process of its own: lines of JSON in on stdin, one line out for each.

    python protocol.py SCRIPT

Needs nothing but Python, since each peer's environment holds what that peer needs and no more. SCRIPT defines one of

    load(request)        → a function: texts in, a row of logits for each out, in order and by label id
    load_files(request)  → an object as FileToFile, for what reads and writes files by itself

and where it likes

    prepare(request)     makes files in request["folder"] once, in a process that ends before the measured one starts
    PACKAGES             names of packages whose versions belong into the record

Messages are objects with a key `do`; the answer has the same value under `done`, or `error` with one line why not:

    {"do": "prepare" | "load", "way", "model", "bundle", "file", "folder", "threads", "max_length", "batch_rows"}
        → {"done", "seconds", "peak_memory_mib"}, of load also "versions"
    {"do": "warm" | "score", "input", "output", "logits"}
        → {"done", "seconds", "peak_memory_mib"}, perhaps "stage_seconds" by name, of stages that may overlap;
        the logits stand in the .npy file named, float32 (rows, labels)

SCRIPT may import what stands in the folder `shared` beside this file. `warm` is a first pass, which is not counted. The
process ends with its stdin, or after an error.
"""

import json
import math
import os
import runpy
import sys
import time
import traceback
from array import array
from collections.abc import Callable, Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Protocol

Rows = Sequence[Sequence[float]]
_SHARED = Path(__file__).parent / "shared"  # what peers have in common


class FileWay(Protocol):
    """Scores a file of one text a line into another file; `logits` are those of the last run, by label id.

    `run` returns the seconds of its stages, or None where it does not know them.
    """

    def run(self, source: str, target: str) -> dict[str, float] | None: ...
    def logits(self) -> Rows: ...


class FileToFile:
    """What a script of ten lines does around a model: read the file, score it, write text, label and score."""

    def __init__(self, score: Callable[[list[str]], Iterable[Iterable[float]]]) -> None:
        self._score = score
        self._last: list[list[float]] = []

    def run(self, source: str, target: str) -> None:
        texts = Path(source).read_text(encoding="utf-8").splitlines()
        self._last = [[float(value) for value in row] for row in self._score(texts)]
        with Path(target).open("w", encoding="utf-8") as stream:
            for text, row in zip(texts, self._last, strict=True):
                label = max(range(len(row)), key=row.__getitem__)
                score = 1 / sum(math.exp(value - row[label]) for value in row)
                stream.write(f"{text}\t{label}\t{score:.9g}\n")

    def logits(self) -> Rows:
        return self._last


class Server:
    """Answers messages with what a script defines."""

    def __init__(self, script: dict[str, Any]) -> None:
        self._script = script
        self._way: FileWay | None = None

    def answer(self, message: dict[str, Any]) -> dict[str, Any]:
        """The answer to one message; raises whatever the script raises."""
        begin, done = time.perf_counter(), message["do"]
        stages = None
        if done == "prepare":
            self._script["prepare"](message)
        elif done == "load":
            self._way = self._load(message)
        elif done in ("warm", "score") and self._way is not None:
            stages = self._way.run(message["input"], message["output"])
        else:
            raise ValueError(f"{done!r} is not understood here")
        found: dict[str, Any] = {
            "done": done,
            "seconds": time.perf_counter() - begin,
            "peak_memory_mib": peak_memory_mib(),
        }
        if done == "load":
            found["versions"] = versions(self._script.get("PACKAGES", ()))
        elif self._way is not None:
            found |= {"stage_seconds": stages} if stages else {}
            write_npy(Path(message["logits"]), self._way.logits())
        return found

    def _load(self, message: dict[str, Any]) -> FileWay:
        whole: Callable[[dict[str, Any]], FileWay] | None = self._script.get("load_files")
        return whole(message) if whole else FileToFile(self._script["load"](message))


def write_npy(path: Path, rows: Rows) -> None:
    """Rows of floats as a .npy file, float32 (rows, columns); numpy itself may be missing here."""
    shape = (len(rows), len(rows[0]) if len(rows) else 0)
    values = array("f", [value for row in rows for value in row])
    if sys.byteorder == "big":
        values.byteswap()
    header = f"{{'descr': '<f4', 'fortran_order': False, 'shape': {shape}, }}"
    header += " " * (-(10 + len(header) + 1) % 64) + "\n"  # format 1.0: the data begin at a multiple of 64
    with path.open("wb") as stream:
        stream.write(b"\x93NUMPY\x01\x00" + len(header).to_bytes(2, "little") + header.encode("latin1"))
        stream.write(values.tobytes())


def peak_memory_mib() -> float:
    """The largest resident set of this process so far; as infer.memory, which a peer does not have."""
    status = Path("/proc/self/status")
    if status.exists():
        peak = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(peak.split()[1]) / 2**10
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)


def versions(packages: Iterable[str]) -> dict[str, str]:
    """Name to version, of Python and of the packages that are installed."""
    found = {"python": sys.version.split()[0]}
    for name in packages:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def reason_of(error: BaseException) -> str:
    """An exception as one line: its type and the first line of what it says."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return ": ".join([type(error).__name__, *lines[:1]])


def main(script: str) -> int:
    """Serve until stdin ends; the exit code is 1 after an error."""
    # What libraries print must not come between the answers: the real stdout is ours, theirs is stderr.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.path.append(str(_SHARED))  # last: a package of the environment's own comes first
    try:
        server = Server(runpy.run_path(script))
        for line in sys.stdin:
            print(json.dumps(server.answer(json.loads(line))), file=answers, flush=True)
    except Exception as error:
        # A peer and the libraries under it raise what they like: there is no base class, and each becomes a row.
        traceback.print_exc()
        print(json.dumps({"error": reason_of(error)}), file=answers, flush=True)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
