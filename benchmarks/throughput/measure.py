"""Throughput: one file, scored in all the ways a person would today, interleaved, file to file."""

from collections.abc import Callable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from benchmarks.ceiling import flop_per_row
from benchmarks.peers.environments import default_folder
from benchmarks.single_texts import single_texts
from benchmarks.throughput.candidates import own_candidates, peer_candidates
from benchmarks.throughput.equal_lengths import NOTEBOOK_LENGTH, ROWS
from benchmarks.throughput.result import NOTEBOOK, Throughput, Way
from benchmarks.throughput.turns import Run, Task, take_turns
from benchmarks.variants import chosen_variants
from bertline.bundle import Bundle
from bertline.errors import BertlineError
from bertline.metrics import confusion_matrix, matthews
from bertline.model_folder import ModelFolder
from bertline.problems import SINGLE_LABEL, Problem
from bertline.tsv import TableSpec
from infer.cpus import usable_cpus
from infer.encode import Encoder
from infer.scorer import WINDOW_ROWS

TIMEOUT_SECONDS = 1800.0


def measure_throughput(
    bundle: Path,
    model_dir: Path,
    table: Path,
    spec: TableSpec,
    *,
    variants: str = "all",
    peers: Sequence[str] = (),
    peers_folder: Path | None = None,
    rows: int = 1024,
    passes: int = 3,
    threads: int | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
    progress: Callable[[str], None] = lambda line: None,
) -> Throughput:
    """Score at most `rows` rows of a table, spread evenly over it, in every way, `passes` times after one cold pass.

    Each way has a process of its own, so that start-up and memory are its own, too; each pass reads a file and writes
    a file; models are loaded before. Ways take turns. A way that cannot run, or gives no answer within
    `timeout_seconds`, is a failure with its reason. Ctrl-C keeps what has two passes.

    Raises BertlineError as opening bundle, model folder and table does, and where the notebook's loop gives nothing to
    compare with; KeyboardInterrupt where it came before that.
    """
    threads = threads or usable_cpus()
    opened, config = Bundle.open(bundle), ModelFolder.open(model_dir).config
    own = own_candidates(chosen_variants(opened, variants, threads))
    texts, labels = _rows(table, spec, opened, rows)
    candidates = own + peer_candidates(peers, peers_folder or default_folder())
    with TemporaryDirectory() as name:
        file = Path(name) / "rows.tsv"
        file.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
        task = Task(
            model_dir,
            bundle,
            file,
            (len(texts), len(opened.manifest.labels)),
            threads,
            NOTEBOOK_LENGTH,
            ROWS,
            timeout_seconds,
        )
        measured = take_turns(candidates, task, Path(name), passes, progress)
    if NOTEBOOK not in measured.runs:
        if measured.interrupted:
            raise KeyboardInterrupt("nothing was measured yet")
        raise BertlineError(f"{NOTEBOOK}, which all are compared with: {measured.failures[NOTEBOOK]}")
    truth, problem = _logits(measured.runs[NOTEBOOK]), opened.manifest.problem
    formats = {candidate.title: candidate.formats for candidate in candidates}
    lengths = Encoder(bundle / "tokenizer.json", NOTEBOOK_LENGTH).encode(texts).lengths
    return Throughput(
        model_dir.resolve().name,
        table.name,
        len(texts),
        int(lengths.sum()),
        flop_per_row(config, lengths),
        tuple(_way(title, formats[title], run, truth, problem, labels) for title, run in measured.runs.items()),
        measured.failures,
        measured.interrupted,
    )


def _rows(table: Path, spec: TableSpec, bundle: Bundle, rows: int) -> tuple[list[str], NDArray[np.int64] | None]:
    """Texts, and label ids (rows,) where the table has labels and the model gives one of them."""
    one_label = bundle.manifest.problem_type == SINGLE_LABEL
    why = "benchmark throughput compares ways for single texts"
    source = single_texts(bundle, table, spec, why, use_labels=one_label)
    texts: list[str] = []
    labels: list[int] = []
    for window in source.windows(WINDOW_ROWS):
        texts += map(str, window.texts)
        labels += window.labels
    chosen = evenly_spread(len(texts), min(rows, len(texts)))
    return [texts[index] for index in chosen], np.array(labels)[chosen] if source.labelled else None


def evenly_spread(total: int, count: int) -> NDArray[np.int64]:
    """So many different indices below `total`, in order and evenly spread."""
    return np.arange(count) * total // max(count, 1)


def _way(
    title: str,
    formats: tuple[str, ...],
    run: Run,
    truth: NDArray[np.float32],
    problem: Problem,
    labels: NDArray[np.int64] | None,
) -> Way:
    logits = _logits(run)
    return Way(
        title,
        formats,
        run.seconds[0],
        tuple(run.seconds[1:]),
        float(np.abs(logits - truth).max()),
        int(problem.flipped(logits, truth).sum()),
        None if labels is None else matthews(confusion_matrix(labels, problem.decide(logits), logits.shape[1])),
        run.startup_seconds,
        run.prepare_seconds,
        run.peak_memory_mib,
        run.versions,
        _stages(run),
    )


def _stages(run: Run) -> dict[str, float] | None:
    """Medians over the warm passes."""
    warm = run.stage_seconds[1:]
    return {name: float(np.median([stages[name] for stages in warm])) for name in warm[0]} if warm else None


def _logits(run: Run) -> NDArray[np.float32]:
    assert run.logits is not None  # every first pass leaves some
    return run.logits
