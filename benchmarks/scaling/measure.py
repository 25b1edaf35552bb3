"""What the model needs to know, measured: CPU time of each stage, costs of a part, and runs by several workers."""

import os
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
from numpy.typing import NDArray

from benchmarks.ceiling import flop_per_row
from benchmarks.scale.files import digits_for, distinct, evenly, write_lines
from benchmarks.scale.process import HEADERLESS
from benchmarks.scaling.result import STAGES, Run, Scaling
from benchmarks.single_texts import single_texts
from benchmarks.timing import back_and_forth
from bertline.bundle import Bundle
from bertline.errors import BertlineError, UsageError
from bertline.model_folder import ModelFolder
from bertline.tsv import TableSpec
from infer.cluster.places import place_of
from infer.cluster.survey import chunks_of, look_at
from infer.output import OutputFormat, format_for
from infer.rows import Rows
from infer.scorer import Scorer
from infer.seen import Seen

_SMALL_ROWS, _FEW, _MANY = 2000, 2, 200  # rows of the file that parts are made of, and how many parts
_LINES = TableSpec.from_options(header=False, text_column="1")  # of a file of write_lines
_LOOKS = 20
_POLL_SECONDS = 0.02

Progress = Callable[[str], None]


def measure_scaling(
    bundle: Path,
    table: Path,
    spec: TableSpec,
    model_dir: Path,
    *,
    rows: int,
    part_rows: int,
    workers: Sequence[int],
    passes: int,
    variant: str = "auto",
    provider: str = "auto",
    progress: Progress = lambda line: None,
) -> Scaling:
    """Measure one core's stages in this process, then whole runs by Ray, in turns.

    Raises UsageError where a worker would have less than two parts, BertlineError for a bundle, table or model that
    cannot be used, and where a run fails.
    """
    if rows < 2 * part_rows * max(workers):
        raise UsageError(
            f"--rows {rows}: {max(workers)} workers need two parts each of --part-rows {part_rows} or more"
        )
    load = os.getloadavg()[0]
    opened, config = Bundle.open(bundle), ModelFolder.open(model_dir).config
    scorer = Scorer.open(opened, device="cpu", variant=variant, provider=provider, threads=1)
    why = "benchmark scaling makes files of single texts"
    windows = single_texts(opened, table, spec, why, use_labels=False).windows(scorer.window_rows)
    texts = evenly(str(text) for window in windows for text in window.texts)
    with TemporaryDirectory() as name:
        folder = Path(name)
        file = write_lines(folder / "rows.tsv", distinct(texts, rows, digits_for(texts, rows)))
        small = write_lines(folder / "small.tsv", texts[:1] * _SMALL_ROWS)  # of one length: small parts pad no more
        progress("stages of one core")
        window_rows = min(part_rows, scorer.window_rows)
        cpu_seconds, python_seconds, tokens, scored = _stages(file, scorer, folder / "scored.tsv", window_rows)
        flop = flop_per_row(config, tokens)
        if flop is None:
            raise BertlineError(
                f"{model_dir}: its config.json has not BERT's words for sizes; give a model of BERT's kind"
            )
        look = _look(file)
        facts = (table.name, scorer.variant, scorer.provider, rows, int(tokens.sum()), flop, cpu_seconds)
        sizes = (python_seconds, file.stat().st_size / rows, scored / rows, look / file.stat().st_size)
        del scorer  # and its session: the workers have the machine for themselves
        options = ("--variant", variant, "--provider", provider)
        plans = [(small, 1, _SMALL_ROWS // _FEW), (small, 1, _SMALL_ROWS // _MANY)]
        plans += [(file, count, part_rows) for count in workers]
        found: list[list[tuple[float, float, float]]] = [[] for _ in plans]
        for number in range(passes):
            for place in back_and_forth(range(len(plans)), number):
                source, count, size = plans[place]
                found[place].append(_run(bundle, source, folder / "parts", count, size, options))
                progress(
                    f"pass {number + 1} of {passes}: {count} workers, parts of {size} rows: {found[place][-1][0]:.2f} s"
                )
    counted = [_SMALL_ROWS, _SMALL_ROWS, *[rows] * len(workers)]
    few, many, *checks = (
        Run(count, total, -(-total // size), *(tuple(figures) for figures in zip(*several, strict=True)))
        for (_, count, size), total, several in zip(plans, counted, found, strict=True)
    )
    return Scaling(*facts, *sizes, part_rows, few, many, tuple(checks), load)


def _stages(
    file: Path, scorer: Scorer, output: Path, window_rows: int
) -> tuple[dict[str, float], float, NDArray[np.int64], int]:
    """CPU seconds of a row for each stage, and of tokenizing those that are Python's own; tokens (rows,), and bytes of
    the scored file. One stage runs after the other.

    The first window is run once beforehand, and not counted.
    """
    manifest = scorer.bundle.manifest
    problem = manifest.problem
    form = format_for(output, ("text",), problem, OutputFormat())
    spent, tokens, written, own = dict.fromkeys(STAGES, 0.0), [], 0, 0.0

    def windows() -> Rows:
        return Rows([file], _LINES, manifest, use_labels=False)

    first = next(iter(windows().windows(window_rows)))
    scorer.run(scorer.prepare(first.texts, Seen(len(manifest.labels), dedupe=False)))
    with output.open("wb") as stream:
        mark = time.process_time()

        def charge(stage: str) -> None:
            nonlocal mark
            now = time.process_time()
            spent[stage] += now - mark
            mark = now

        seen = Seen(len(manifest.labels), dedupe=False)
        for window in windows().windows(window_rows):
            charge("read")
            pool, before = _other_threads(), spent["tokenize"]
            prepared = scorer.prepare(window.texts, seen)
            charge("tokenize")
            now = _other_threads()
            own += spent["tokenize"] - before - sum(now[thread] - pool[thread] for thread in pool.keys() & now.keys())
            logits = scorer.run(prepared)
            charge("session")
            written += stream.write(form.rows(window, logits, problem.decide(logits)))
            stream.flush()
            charge("write")
            tokens.append(prepared.placement.row_tokens)
    lengths = np.concatenate(tokens).astype(np.int64)
    rows = len(lengths)
    return {stage: seconds / rows for stage, seconds in spent.items()}, max(0.0, own) / rows, lengths, written


def _other_threads() -> dict[str, float]:
    """CPU seconds of each thread of this process but the caller's.

    The tokenizer's and the session's stay from window to window; those that Python makes end with the window.
    """
    seconds = {}
    for task in Path("/proc/self/task").iterdir():
        if int(task.name) != threading.get_native_id():
            with suppress(FileNotFoundError, ProcessLookupError):  # it has just ended
                seconds[task.name] = int((task / "schedstat").read_text().split()[0]) / 1e9
    return seconds


def _look(file: Path) -> float:
    """CPU seconds of the look at a file that a cluster takes before it scores."""
    [chunk] = chunks_of([place_of(str(file))])
    begin = time.process_time()
    for _ in range(_LOOKS):
        look_at(chunk, _LINES)
    return (time.process_time() - begin) / _LOOKS


def _run(
    bundle: Path, file: Path, output: Path, workers: int, part_rows: int, options: Sequence[str]
) -> tuple[float, float, float]:
    """Seconds, start-up seconds and CPU seconds of the driver, of one run with a thread for each worker.

    Seconds come from when the parts' files were written, those behind each worker's first: the driver may know late
    of the first parts. The rest of the process's time is start-up.
    """
    arguments = ["infer", bundle, file, "-o", output, *HEADERLESS, "--no-dedupe", "--force", "-q", "--device", "cpu"]
    by = ["--engine", "ray", "--workers", workers, "--threads", 1, "--part-rows", part_rows, *options]
    command = [sys.executable, "-m", "bertline", *map(str, [*arguments, *by])]
    begin = time.perf_counter()
    driver = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    cpu_seconds = 0.0
    while driver.poll() is None:
        cpu_seconds = _cpu_seconds(driver.pid) or cpu_seconds
        time.sleep(_POLL_SECONDS)
    took = time.perf_counter() - begin
    assert driver.stderr is not None
    said = driver.stderr.read().strip().splitlines()
    if driver.returncode:
        raise BertlineError(said[-1].removeprefix("bertline: ") if said else f"infer ended with {driver.returncode}")
    ends = sorted(file.stat().st_mtime for file in output.glob("part-??????.tsv"))
    seconds = (ends[-1] - ends[workers - 1]) * len(ends) / (len(ends) - workers)
    return seconds, took - seconds, cpu_seconds


def _cpu_seconds(process: int) -> float | None:
    """Of a process without its children; None where it has just ended."""
    try:
        fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except FileNotFoundError:
        return None
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK") or None
