"""Files to a scored file: windows are read, tokenized, run and written by stages that overlap."""

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from typing import Any, get_args

import numpy as np
from numpy.typing import NDArray

from bertline.bundle import Manifest
from bertline.errors import BertlineError, UsageError
from bertline.evaluation import AnyEvaluation, evaluation_of, restored
from bertline.problems import Problem
from infer.budget import find_budget
from infer.identity import identity_of
from infer.job import Job
from infer.journal import Recalled
from infer.output import STDOUT, Format, format_for
from infer.rejects import rejects_head, rejects_rows
from infer.report import InputChangedError, finished, publish_report, report_of
from infer.rows import QUARANTINE_HINT, OnError, Rows
from infer.scorer import Prepared, Scorer, Tokenized, WindowScorer
from infer.seen import Placement, Seen
from infer.sink import Pipe, Sink
from infer.stages import Behind, ahead
from infer.totals import Totals
from infer.unfinished import Unfinished, check_unfinished, is_unfinished
from infer.windows import Window

Progress = Callable[[int, int, int | None], None]  # rows done, input bytes read, input bytes in all
_SWITCH_SECONDS = 0.0005  # how long a stage in Python may hold up the session; Python's own 5 ms are a small batch


def check_job(job: Job) -> None:
    """Refuse what cannot be done, before anything is loaded. Raises BertlineError or UsageError."""
    if job.on_error not in get_args(OnError):
        raise UsageError(f"--on-error {job.on_error}: give {' or '.join(get_args(OnError))}")
    if job.resume and job.streams:
        raise UsageError("--resume needs files to go on with; pipes, stdin and stdout leave none")
    if job.output == STDOUT:
        if job.on_error == "quarantine":
            raise UsageError("--on-error quarantine writes rejected rows beside the output; name a file with -o")
        return
    check_unfinished(job.output, resume=job.resume, force=job.force, inputs=list(job.inputs))


def score_files(
    job: Job,
    manifest: Manifest,
    open_scorer: Callable[[], WindowScorer],
    progress: Progress = lambda rows, read, total: None,
) -> tuple[dict[str, Any], AnyEvaluation | None]:
    """Score all inputs into one output; returns the report and the evaluation, None where the input has no labels.

    An output that is whole already has its report, too, and is not evaluated again.

    `manifest` is that of the scorer's bundle: outputs and inputs are checked against it before `open_scorer` loads
    the model. Memory holds a few windows. Raises BertlineError for anything wrong with input, bundle or output; no
    output then stands under its name, and what can be gone on with is kept.
    """
    check_job(job)
    hint = QUARANTINE_HINT if job.on_error == "fail" and job.output != STDOUT else ""
    rows = Rows(job.inputs, job.spec, manifest, use_labels=job.use_labels, on_error=job.on_error, hint=hint)
    problem = _problem(job, manifest)
    job.form.refuse(rows.columns, problem, rows.name)
    form = format_for(job.output, rows.columns, problem, job.form, rows.schema)
    started = time.perf_counter()
    scorer = open_scorer()
    startup_seconds = time.perf_counter() - started
    job = replace(job, window_rows=job.window_rows or scorer.window_rows)
    identity = None if job.streams else identity_of(job, scorer)
    if identity and job.resume and job.output.exists() and not is_unfinished(job.output, identity):
        return finished(job, identity), None
    sink = _open_sink(job, identity)
    budget, scorer.out_of_memory_at = scorer.batch_tokens, None
    try:
        run = _Run(job, rows, scorer, problem, form, sink)
        with _switching_often():
            run.score(progress)
        report = report_of(job, rows, scorer, run.totals, run.evaluation, startup_seconds, identity)
        publish_report(job, report, run.evaluation)
        sink.publish(form.finish)
    except (BertlineError, KeyboardInterrupt) as error:
        kept = sink.abandon(resumable=not isinstance(error, InputChangedError))
        if not kept:
            raise
        raise type(error)(f"{error}; {kept}" if str(error) else kept) from None
    except BaseException:
        sink.abandon()
        raise
    finally:
        scorer.batch_tokens = budget  # the next file begins as it would in a run of its own, by which it goes on
    return report, run.evaluation


def _problem(job: Job, manifest: Manifest) -> Problem:
    """What the logits mean, and how they are decided."""
    if not job.thresholds:
        return manifest.problem
    if manifest.why_untunable:
        raise UsageError(f"--thresholds: this bundle {manifest.why_untunable}; leave it out")
    if manifest.tuned_problem is None:
        raise BertlineError("--thresholds: the bundle stores none; find them with bertline threshold BUNDLE TSV")
    return manifest.tuned_problem


def _open_sink(job: Job, identity: dict[str, Any] | None) -> Sink:
    if job.output == STDOUT:
        return Pipe()
    if identity and job.resume:
        unfinished = Unfinished.resume(job.output, identity)
        if unfinished:
            return unfinished
    return Unfinished.start(job.output, identity, force=job.force)


@contextmanager
def _switching_often() -> Iterator[None]:
    before = sys.getswitchinterval()
    sys.setswitchinterval(_SWITCH_SECONDS)
    try:
        yield
    finally:
        sys.setswitchinterval(before)


@dataclass(frozen=True)
class _Ready:
    """A window that is read and tokenized."""

    window: Window
    prepared: Prepared
    rows_read: int  # of all inputs, up to its end
    bytes_read: int


class _Run:
    """The stages of one run: `_windows` runs in the reader's thread, `_ready` in the tokenizer's, `score` with the
    session in the caller's, and `_write` in the writer's. Totals and evaluation are the writer's until it is done.
    """

    def __init__(self, job: Job, rows: Rows, scorer: WindowScorer, problem: Problem, form: Format, sink: Sink) -> None:
        self._job, self._rows, self._scorer, self._form, self._sink = job, rows, scorer, form, sink
        self._problem = problem
        self._done = list(sink.checkpoints)  # of the present generation, the last one last
        last = self._done[-1] if self._done else None
        self.totals = Totals.of(last)
        self.evaluation: AnyEvaluation | None = None
        if rows.labelled:
            self.evaluation = self._restored(last.evaluation or {}) if last else evaluation_of(problem)
        if last:
            scorer.batch_tokens = last.batch_tokens
        self._begin = time.perf_counter()

    def score(self, progress: Progress) -> None:
        """All windows, to their end."""
        tune = self._job.tune and not self._done
        rows_before, bytes_before, bytes_total = self.totals.resumed_rows, 0, self._rows.bytes_total
        with Behind(self._write) as writer, closing(ahead(self._ready(), self._scorer.ahead)) as windows:
            mark = time.perf_counter()
            for ready in windows:
                ready.prepared.work.stage_seconds["wait"] = time.perf_counter() - mark
                if tune:
                    self._tune(ready.prepared)
                    tune = False

                def advance(
                    share: float, ready: _Ready = ready, rows: int = rows_before, read: int = bytes_before
                ) -> None:
                    bytes_read = read + int(share * (ready.bytes_read - read))
                    progress(rows + int(share * (ready.rows_read - rows)), bytes_read, bytes_total)

                logits = self._scorer.run(ready.prepared, advance)
                advance(1.0)
                writer.put((ready, logits))
                rows_before, bytes_before = ready.rows_read, ready.bytes_read
                mark = time.perf_counter()
        if self.evaluation:
            self.evaluation.finish()
        self.totals.seconds += time.perf_counter() - self._begin

    def _tune(self, first: Prepared) -> None:
        assert isinstance(self._scorer, Scorer) and isinstance(first, Tokenized)  # the command refuses several devices
        self._scorer.batch_tokens, self.totals.trials = find_budget(self._scorer, first.plan.encoded)

    def _windows(self) -> Iterator[tuple[Window, float, int, int]]:
        """Each window with the seconds that reading it took, and the rows and bytes read up to its end."""
        mark = time.perf_counter()
        for window in self._rows.windows(self._job.window_rows or self._scorer.window_rows):
            yield window, time.perf_counter() - mark, self._rows.count, self._rows.bytes_read
            mark = time.perf_counter()

    def _ready(self) -> Iterator[_Ready]:
        """The windows that are still to be scored; those that are done are only remembered, as far as that matters."""
        seen = Seen(len(self._scorer.labels), dedupe=self._job.dedupe)
        windows_done = self.totals.windows
        for number, (window, seconds, rows_read, bytes_read) in enumerate(ahead(self._windows())):
            place = number - (windows_done - len(self._done))  # in the present generation
            if number < windows_done:
                if place >= 0 and (recalled := self._done[place].recalled) is not None:
                    self._recall(seen.place(window.texts), recalled)
                continue
            prepared = self._scorer.prepare(window.texts, seen)
            prepared.work.stage_seconds["read"] = seconds
            yield _Ready(window, prepared, rows_read, bytes_read)

    def _restored(self, state: dict[str, Any]) -> AnyEvaluation:
        try:
            return restored(self._problem, state)
        except (ValueError, KeyError, TypeError):
            raise self._damaged() from None

    def _recall(self, placement: Placement, recalled: Recalled) -> None:
        try:
            recalled.restore(placement)
        except (ValueError, IndexError):
            raise self._damaged() from None

    def _damaged(self) -> BertlineError:
        return BertlineError(f"{self._job.output}: its journal is damaged; start over with --force")

    def _write(self, item: tuple[_Ready, NDArray[np.float32]]) -> None:
        begin = time.perf_counter()
        (ready, logits), totals = item, self.totals
        window, placement = ready.window, ready.prepared.placement
        scored = self._form.rows(window, logits, self._problem.decide(logits))
        if not totals.windows:
            scored = self._form.head() + scored
        rejects = rejects_rows(window.rejects)
        if rejects and not totals.rejected:
            rejects = rejects_head() + rejects
        totals.windows += 1
        totals.work += ready.prepared.work
        totals.rejected.update(reject.reason for reject in window.rejects)
        totals.blanked += window.blanked
        if self.evaluation:
            true = self._problem.true(window.labels)
            self.evaluation.add(true, logits, placement.row_tokens, window.texts, window.place)
        sizes = self._sink.write(scored, rejects)
        spent = totals.work.stage_seconds
        spent["write"] = spent.get("write", 0.0) + time.perf_counter() - begin
        self._sink.record(
            totals.checkpoint(
                sizes,
                time.perf_counter() - self._begin,
                self._scorer.batch_tokens,
                self.evaluation,
                placement.opens_generation,
                Recalled.of(placement) if self._job.dedupe else None,
            )
        )
