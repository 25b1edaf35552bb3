"""Ways to score one file, each in a process of its own, that take turns; one that fails does not take others along."""

import os
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.process import PeerError, PeerProcess, thread_limits
from benchmarks.throughput.candidates import Candidate
from benchmarks.timing import back_and_forth

_ROOT = Path(__file__).parent.parent.parent
SETTLE_SECONDS = 0.2  # idle thread pools spin for a while, and would take the next way's cores


@dataclass
class Run:
    """What was measured of one way."""

    startup_seconds: float  # from the start of its process to a model that is ready
    prepare_seconds: float | None  # to make files of the model once, in a process before; None: it needs none
    versions: dict[str, str]
    seconds: list[float] = field(default_factory=list)  # of each pass; the first is the warm-up
    stage_seconds: list[dict[str, float]] = field(default_factory=list)  # of each pass, where it is told
    peak_memory_mib: float = 0.0
    logits: NDArray[np.float32] | None = None  # (rows, labels), of the first pass


@dataclass(frozen=True)
class Measured:
    """Runs of at least two passes, why the others have none, and whether Ctrl-C ended it."""

    runs: dict[str, Run]
    failures: dict[str, str]
    interrupted: bool


@dataclass(frozen=True)
class Task:
    """What all of them do alike."""

    model: Path
    bundle: Path
    file: Path  # one text a line
    shape: tuple[int, int]  # rows, labels
    threads: int
    max_length: int  # tokens that a peer cuts texts to
    batch_rows: int  # of a peer
    timeout_seconds: float  # for each answer of a process

    def request(self, candidate: Candidate, folder: Path) -> dict[str, Any]:
        """The message that prepares or loads a way; see benchmarks.peers.protocol."""
        paths = {"model": self.model, "bundle": self.bundle, "file": self.file, "folder": folder}
        numbers = {"threads": self.threads, "max_length": self.max_length, "batch_rows": self.batch_rows}
        return {"way": candidate.way} | {name: str(path.absolute()) for name, path in paths.items()} | numbers

    @property
    def environment(self) -> dict[str, str]:
        """Variables for every process: one limit of threads, no model hub, and for our own ways this very code."""
        path = os.pathsep.join([str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])])  # peers do not look at it
        offline = {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "true"}
        return thread_limits(self.threads) | offline | {"PYTHONPATH": path}


def take_turns(
    candidates: Sequence[Candidate], task: Task, folder: Path, passes: int, progress: Callable[[str], None]
) -> Measured:
    """Start all, then let each score the file once a pass, `passes` times after a first one, back and forth.

    Ctrl-C ends it, and what has two passes by then is kept.
    """
    everybody, interrupted = _Field(candidates, task, folder, progress), False
    try:
        with ExitStack() as stack:
            everybody.start(stack)
            everybody.score(passes)
    except KeyboardInterrupt:
        interrupted = True
    runs, failures = everybody.runs, everybody.failures
    whole = {title: run for title, run in runs.items() if len(run.seconds) > 1 and title not in failures}
    for candidate in candidates:
        if candidate.title not in whole:
            failures.setdefault(candidate.title, "interrupted before its second pass")
    return Measured(whole, failures, interrupted)


class _Field:
    """All that take part, and what became of them so far."""

    def __init__(
        self, candidates: Sequence[Candidate], task: Task, folder: Path, progress: Callable[[str], None]
    ) -> None:
        self.runs: dict[str, Run] = {}
        self.failures: dict[str, str] = {}
        self._candidates, self._task, self._progress = candidates, task, progress
        self._places = {candidate.title: folder / str(number) for number, candidate in enumerate(candidates)}
        self._processes: dict[str, PeerProcess] = {}

    def start(self, stack: ExitStack) -> None:
        """Prepare and load all; `stack` ends their processes."""
        for candidate in self._candidates:
            title, place = candidate.title, self._places[candidate.title]
            if candidate.missing:
                self._fail(title, candidate.missing)
                continue
            place.mkdir()
            self._progress(f"{title}: starting")
            try:
                prepare_seconds = _prepare(candidate, self._task, place)
                begin = time.perf_counter()
                process = stack.enter_context(PeerProcess(candidate.command, place / "log", self._task.environment))
                answer = process.ask({"do": "load"} | self._task.request(candidate, place), self._task.timeout_seconds)
                seconds = time.perf_counter() - begin
            except PeerError as error:
                self._fail(title, str(error))
                continue
            self.runs[title] = Run(seconds, prepare_seconds, dict(answer.get("versions") or {}))
            self._processes[title] = process

    def score(self, passes: int) -> None:
        """The first pass and the others."""
        for turn in range(passes + 1):
            for title in back_and_forth(list(self._processes), turn):
                if title in self.failures:
                    continue
                time.sleep(SETTLE_SECONDS)
                run = self.runs[title]
                try:
                    _score(self._processes[title], run, self._task, self._places[title])
                except PeerError as error:
                    self._fail(title, str(error))
                    continue
                rate = self._task.shape[0] / run.seconds[-1]
                self._progress(f"pass {turn} of {passes}: {title}: {rate:,.0f} rows/s")

    def _fail(self, title: str, reason: str) -> None:
        self.failures[title] = reason
        self._progress(f"{title}: {reason}")


def _prepare(candidate: Candidate, task: Task, place: Path) -> float | None:
    """Seconds, or None where there is nothing to make."""
    if not candidate.prepares:
        return None
    with PeerProcess(candidate.command, place / "log", task.environment) as process:
        answer = process.ask({"do": "prepare"} | task.request(candidate, place), task.timeout_seconds)
    return _number(answer, "seconds")


def _score(process: PeerProcess, run: Run, task: Task, place: Path) -> None:
    """One pass; PeerError where the answer is none for these rows."""
    logits = place / "logits.npy"
    files = {"input": task.file, "output": place / "scored.tsv", "logits": logits}
    what = "score" if run.seconds else "warm"
    answer = process.ask({"do": what} | {name: str(path) for name, path in files.items()}, task.timeout_seconds)
    seconds, peak = _number(answer, "seconds"), _number(answer, "peak_memory_mib")
    if run.logits is None:
        run.logits = _logits(logits, task.shape)
    run.seconds.append(seconds)
    if stages := answer.get("stage_seconds"):
        run.stage_seconds.append({str(name): float(value) for name, value in stages.items()})
    run.peak_memory_mib = peak


def _number(answer: Mapping[str, Any], name: str) -> float:
    value = answer.get(name)
    if not isinstance(value, int | float) or not 0 < value < float("inf"):
        raise PeerError(f"says {name} {value!r}, which is no measurement")
    return float(value)


def _logits(path: Path, shape: tuple[int, int]) -> NDArray[np.float32]:
    try:
        found = np.load(path)
    except (OSError, ValueError) as error:
        raise PeerError(f"hands over no logits: {error}") from None
    if found.shape != shape:
        raise PeerError(f"gives logits of the shape {found.shape} for {shape[0]} rows of {shape[1]} labels")
    if not np.isfinite(found).all():
        raise PeerError("gives a logit that is no number")
    return np.asarray(found, np.float32)
