"""Throughput: one file, scored in all the ways a person would today, interleaved, file to file."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.candidates import NOTEBOOK, OURS, own_candidates, peer_candidates
from benchmarks.ceiling import flop_per_row, matrix_rate
from benchmarks.equal_lengths import NOTEBOOK_LENGTH, ROWS
from benchmarks.peers.environments import default_folder
from benchmarks.turns import Run, Task, take_turns
from bertline.bundle import Bundle
from bertline.errors import BertlineError
from bertline.metrics import confusion_matrix, matthews
from bertline.model_folder import ModelFolder
from bertline.tsv import TableSpec
from infer.cpus import cpu_name, usable_cpus
from infer.encode import Encoder
from infer.rows import Rows
from infer.scorer import WINDOW_ROWS, Scorer
from infer.versions import runtime_versions

TIMEOUT_SECONDS = 1800.0


@dataclass(frozen=True)
class Result:
    """One way: seconds of its first pass and of each later one, what it takes, and its answers against PyTorch fp32."""

    way: str
    rows: int
    cold_seconds: float
    seconds: tuple[float, ...]
    max_abs_logit: float
    flips: int
    mcc: float | None  # None: the rows have no labels
    startup_seconds: float  # from the start of its process to a model that is ready
    prepare_seconds: float | None  # to export, optimize or quantize the model, once, before; None: nothing to do
    peak_memory_mib: float
    versions: dict[str, str]

    @property
    def rows_per_second(self) -> float:
        """Median over the warm passes."""
        return self.rows / float(np.median(self.seconds))

    @property
    def spread(self) -> float:
        """Width of the middle half of the warm passes, as a share of the median."""
        low, middle, high = np.percentile(self.seconds, [25, 50, 75])
        return float((high - low) / middle)


@dataclass(frozen=True)
class Outcome:
    """A throughput run: what was measured, why the rest was not, and on what."""

    results: list[Result]
    failures: dict[str, str]  # way to reason
    environment: dict[str, Any]
    interrupted: bool = False


def measure_throughput(
    bundle: Path,
    model_dir: Path,
    table: Path,
    spec: TableSpec,
    *,
    variants: Sequence[str] = ("fp32",),
    peers: Sequence[str] = (),
    peers_folder: Path | None = None,
    rows: int = 1024,
    passes: int = 3,
    threads: int | None = None,
    timeout_seconds: float = TIMEOUT_SECONDS,
    progress: Callable[[str], None] = lambda line: None,
) -> Outcome:
    """Score at most `rows` rows of a table, spread evenly over it, in every way, `passes` times after one cold pass.

    Each way has a process of its own, so that start-up and memory are its own, too; each pass reads a file and writes
    a file; models are loaded before. Ways take turns. A way that cannot run, or gives no answer within
    `timeout_seconds`, is a failure with its reason. Ctrl-C keeps what has two passes.

    Raises BertlineError as opening bundle, model folder and table does, and where the notebook's loop gives nothing to
    compare with; KeyboardInterrupt where it came before that.
    """
    threads = threads or usable_cpus()
    opened, folder_of_model = Bundle.open(bundle), ModelFolder.open(model_dir)
    for variant in variants:
        Scorer.open(opened, device="cpu", variant=variant, threads=threads)  # else found out after the others started
    texts, labels = _rows(table, spec, opened, rows)
    candidates = own_candidates(variants) + peer_candidates(peers, peers_folder or default_folder())
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
    truth = _logits(measured.runs[NOTEBOOK])
    results = [_result(way, run, truth, labels) for way, run in measured.runs.items()]
    environment = _environment(opened, folder_of_model, texts, threads)
    return Outcome(results, measured.failures, environment, measured.interrupted)


def _rows(table: Path, spec: TableSpec, bundle: Bundle, rows: int) -> tuple[list[str], NDArray[np.int64] | None]:
    """Texts, and label ids (rows,) where the table has labels."""
    if len(bundle.manifest.text_columns) != 1:
        raise BertlineError(f"{bundle.path}: scores pairs; benchmark throughput compares ways for single texts")
    source = Rows([table], spec, bundle.manifest, use_labels=True)
    texts: list[str] = []
    labels: list[int] = []
    for window in source.windows(WINDOW_ROWS):
        texts += map(str, window.texts)
        labels += window.labels
    chosen = np.linspace(0, len(texts) - 1, min(rows, len(texts))).astype(int)
    return [texts[index] for index in chosen], np.array(labels)[chosen] if source.labelled else None


def _result(way: str, run: Run, truth: NDArray[np.float32], labels: NDArray[np.int64] | None) -> Result:
    logits = _logits(run)
    predicted = logits.argmax(axis=1)
    return Result(
        way,
        len(logits),
        run.seconds[0],
        tuple(run.seconds[1:]),
        float(np.abs(logits - truth).max()),
        int((predicted != truth.argmax(axis=1)).sum()),
        None if labels is None else matthews(confusion_matrix(labels, predicted, logits.shape[1])),
        run.startup_seconds,
        run.prepare_seconds,
        run.peak_memory_mib,
        run.versions,
    )


def _logits(run: Run) -> NDArray[np.float32]:
    assert run.logits is not None  # every first pass leaves some
    return run.logits


def _environment(bundle: Bundle, model: ModelFolder, texts: Sequence[str], threads: int) -> dict[str, Any]:
    torch.set_num_threads(threads)
    lengths = Encoder(bundle.path / "tokenizer.json", NOTEBOOK_LENGTH).encode(texts).lengths
    flop = flop_per_row(model.config, lengths)
    return {
        "cpu": cpu_name(),
        "threads": threads,
        "tokens": int(lengths.sum()),
        **({"encoder_flop_per_row": flop} if flop else {}),
        "matrix_flops": {
            str(dtype).removeprefix("torch."): matrix_rate(dtype) for dtype in (torch.float32, torch.bfloat16)
        },
        "versions": runtime_versions() | {"torch": torch.__version__},
    }


def is_ours(result: Result) -> bool:
    """Whether it is a way of bertline's."""
    return result.way.startswith(OURS)


def to_json(outcome: Outcome) -> dict[str, Any]:
    """The document of a throughput run."""
    rows = [asdict(result) | {"rows_per_second": result.rows_per_second} for result in outcome.results]
    return {
        "schema": 1,
        "kind": "throughput",
        "interrupted": outcome.interrupted,
        "environment": outcome.environment,
        "results": rows,
        "failures": [{"way": way, "reason": reason} for way, reason in outcome.failures.items()],
    }
