"""Latency: ways that take turns on the same batches, over a grid of batch × sequence."""

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path

import numpy as np
import torch

from benchmarks.ceiling import flop_per_row
from benchmarks.comparison import SAME_ANSWERS
from benchmarks.latency.belonging import require_own_model
from benchmarks.latency.pytorch_ways import weights_read
from benchmarks.latency.result import PYTORCH, Cell, Latency, LoadedWay, Plan
from benchmarks.latency.ways import Feeds, Run, Way
from benchmarks.timing import BURST, SETTLE_SECONDS, time_in_turns
from bertline.bundle import Bundle
from bertline.errors import BertlineError
from bertline.model_folder import ModelFolder
from export.reference import Reference
from infer.cpus import usable_cpus
from infer.runners import Logits

_LONGEST_BURST = 20
_SEED = 42


def measure_latency(
    bundle: Path,
    model_dir: Path,
    ways: Sequence[Way],
    plan: Plan,
    *,
    threads: int | None = None,
    progress: Callable[[str], None] = lambda line: None,
) -> Latency:
    """Time all ways on the CPU, PyTorch's with as many threads as theirs were made for. PyTorch fp32 is the first.

    The first call of each shape is kept apart. A way that cannot run, or an exact one that answers otherwise than
    PyTorch fp32, is a failure with its reason, and keeps the shapes it has. Sequences beyond the model's positions are
    left out. Ctrl-C keeps finished shapes.

    Raises BertlineError where no sequence is left, where bundle and model folder do not belong together, and where
    PyTorch fp32 fails on the first shape; KeyboardInterrupt where it came before that was finished.
    """
    threads = threads or usable_cpus()
    folder, positions = ModelFolder.open(model_dir), Bundle.open(bundle).manifest.positions
    if min(plan.sequences) > positions:
        raise BertlineError(
            f"--sequences {','.join(map(str, plan.sequences))}: the model takes {positions} tokens at most"
        )
    torch.set_num_threads(threads)
    reference = Reference(folder)
    require_own_model(bundle, reference, model_dir, threads)
    weights, vocabulary = weights_read(reference.model), reference.model.config.vocab_size
    del reference
    field, generator, interrupted = _Field(ways, plan, progress), np.random.default_rng(_SEED), False
    with ExitStack() as stack:
        try:
            field.load(stack)
            for batch in plan.batches:
                for sequence in plan.sequences:
                    if sequence <= positions and PYTORCH not in field.failures:
                        ids = generator.integers(5, vocabulary, (batch, sequence))
                        field.time(ids_feeds(ids), flop_per_row(folder.config, np.array([sequence])))
        except KeyboardInterrupt:
            interrupted = True
    if not field.cells:
        raise KeyboardInterrupt("nothing was measured yet")
    return Latency(plan, threads, weights, tuple(field.ways), tuple(field.cells), field.failures, interrupted)


class _Field:
    """All that take part, and what became of them so far."""

    def __init__(self, ways: Sequence[Way], plan: Plan, progress: Callable[[str], None]) -> None:
        self.ways: list[LoadedWay] = []
        self.cells: list[Cell] = []
        self.failures: dict[str, str] = {}
        self._plan, self._progress = plan, progress
        self._candidates = {way.title: way for way in ways}
        self._runs: dict[str, Run] = {}

    def load(self, stack: ExitStack) -> None:
        """Load all that can be."""
        for title, way in self._candidates.items():
            self._progress(f"{title}: loading")
            begin = time.perf_counter()
            try:
                loaded = way.load(stack)
            except BertlineError as error:
                self._fail(title, str(error))
                continue
            self.ways.append(LoadedWay(title, loaded.provider, way.formats, time.perf_counter() - begin))
            self._runs[title] = loaded.run

    def time(self, feeds: Feeds, flop: float | None) -> None:
        """One shape by all that are left; flop is of one row. It counts only when all are through."""
        batch, sequence = feeds["input_ids"].shape
        self._progress(f"timing batch × sequence {batch} × {sequence}")
        first_ms, warm_ms, apart = {}, {}, {}
        expected: Logits | None = None
        for title, run in list(self._runs.items()):
            try:
                logits, first_ms[title] = _timed(run, feeds)
                expected = logits if expected is None else expected  # PyTorch fp32 is the first
                apart[title] = _distance(logits, expected, exact=self._candidates[title].exact)
                warm_ms[title] = _timed(run, feeds)[1]
            except BertlineError as error:
                self._fail(title, f"{batch} × {sequence}: {error}")
                del self._runs[title]
                if title == PYTORCH:
                    return
        timings = time_in_turns(
            {title: partial(run, feeds) for title, run in self._runs.items()},
            warmups=0,
            min_runs=self._plan.min_runs,
            seconds=self._plan.seconds,
            burst=_burst(list(warm_ms.values())),
        )
        self.cells += [
            Cell(title, batch, sequence, first_ms[title], timing, apart[title], None if flop is None else batch * flop)
            for title, timing in timings.items()
        ]

    def _fail(self, title: str, reason: str) -> None:
        if title == PYTORCH and not self.cells:
            raise BertlineError(f"{title}, which all are compared with: {reason}")
        self.failures[title] = reason
        self._progress(f"{title}: {reason}")


def ids_feeds(ids: np.ndarray[tuple[int, int], np.dtype[np.int64]]) -> Feeds:
    """What any model may want for rows (batch, sequence) that are full, of one text each."""
    return {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}


def _timed(run: Run, feeds: Feeds) -> tuple[Logits, float]:
    """Logits, and milliseconds."""
    begin = time.perf_counter()
    logits = run(feeds)
    return logits, (time.perf_counter() - begin) * 1e3


def _burst(warm_ms: Sequence[float]) -> int:
    """Short calls come in longer bursts, of about the pause before them: more of them are counted in the same time."""
    return int(np.clip(SETTLE_SECONDS * 1e3 / np.median(warm_ms), BURST, _LONGEST_BURST))


def _distance(logits: Logits, expected: Logits, *, exact: bool) -> float:
    """max |Δlogit|; BertlineError where an exact way is further away than rounding explains."""
    if not np.isfinite(logits).all():
        raise BertlineError("gives a logit that is no number")
    distance = float(np.abs(logits - expected).max())
    if exact and distance > SAME_ANSWERS:
        raise BertlineError(f"answers otherwise than {PYTORCH}: max |Δlogit| {distance:.1e}")
    return distance
