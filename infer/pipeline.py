"""Files to a scored file: read a window, score it, write it, until the end; then say what was done."""

import json
import platform
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import tokenizers

import bertline
from bertline.bundle import Manifest
from bertline.files import check_output_file, write_whole
from bertline.metrics import Evaluation
from bertline.tsv import TableSpec
from infer.memory import peak_memory_mib
from infer.output import STDOUT, OutputFormat, format_for, open_output
from infer.rows import QUARANTINE_HINT, Rows
from infer.scorer import WINDOW_ROWS, Scorer

Progress = Callable[[int, int, int | None], None]  # rows done, input bytes read, input bytes in all


@dataclass(frozen=True)
class Job:
    """What to score, and where to."""

    inputs: Sequence[Path]  # `-` is stdin
    output: Path  # `-` is stdout
    spec: TableSpec
    form: OutputFormat = field(default_factory=OutputFormat)
    use_labels: bool = True
    window_rows: int = WINDOW_ROWS
    force: bool = False


def report_path(output: Path) -> Path:
    """Where the report of a scored file goes."""
    return output.with_name(output.name + ".report.json")


def score_files(
    job: Job,
    manifest: Manifest,
    open_scorer: Callable[[], Scorer],
    progress: Progress = lambda rows, read, total: None,
) -> tuple[dict[str, Any], Evaluation | None]:
    """Score all inputs into one output; returns the report and, where the input has labels, their evaluation.

    `manifest` is that of the scorer's bundle: outputs and inputs are checked against it before `open_scorer` loads
    the model. Memory holds one window. Raises BertlineError for anything wrong with input, bundle or output; no
    output then stands under its name.
    """
    if job.output != STDOUT:
        check_output_file(job.output, force=job.force, inputs=job.inputs)
    rows = Rows(job.inputs, job.spec, manifest, use_labels=job.use_labels, hint=QUARANTINE_HINT)
    job.form.refuse_twice(rows.columns, manifest.labels, rows.name)
    written = format_for(job.output, rows.columns, manifest.labels, job.form, rows.schema)
    started = time.perf_counter()
    scorer = open_scorer()
    startup_seconds = time.perf_counter() - started

    begin = time.perf_counter()
    seconds = {"read": 0.0, "write": 0.0}
    evaluation = Evaluation(manifest.labels) if rows.labelled else None
    with open_output(job.output, force=job.force, finish=written.finish) as stream:
        stream.write(written.head())
        windows, mark = rows.windows(job.window_rows), time.perf_counter()
        scored_rows, scored_bytes = 0, 0
        for window in windows:
            seconds["read"] += time.perf_counter() - mark

            def advance(share: float, rows_before: int = scored_rows, bytes_before: int = scored_bytes) -> None:
                read = bytes_before + int(share * (rows.bytes_read - bytes_before))
                progress(rows_before + int(share * (rows.count - rows_before)), read, rows.bytes_total)

            logits = scorer.score_window(window.texts, advance)
            predicted = logits.argmax(axis=1)
            mark = time.perf_counter()
            stream.write(written.rows(window, logits, predicted))
            if evaluation:
                evaluation.add(np.array(window.labels, np.int64), predicted)
            scored_rows, scored_bytes = rows.count, rows.bytes_read
            seconds["write"] += time.perf_counter() - mark
            mark = time.perf_counter()
    if evaluation:
        evaluation.finish()
    elapsed = time.perf_counter() - begin
    work = scorer.work
    report: dict[str, Any] = {
        "rows": work.rows,
        "unique_rows": work.unique_rows,
        "tokens": work.tokens,
        "padding_share": work.padding_share,
        "truncated": work.truncated,
        "rejected": {},
        "rows_per_second": work.rows / elapsed,
        "seconds": elapsed,
        "startup_seconds": startup_seconds,
        "stage_seconds": seconds | work.stage_seconds,
        "peak_memory_mib": peak_memory_mib(),
        "device": scorer.session.device,
        "provider": scorer.session.provider,
        "variant": scorer.variant,
        "threads": scorer.threads,
        "batch_tokens": scorer.batch_tokens,
        "max_length": scorer.encoder.max_length,
        "bundle_sha256": scorer.bundle.sha256,
        "input": [asdict(source) for source in rows.read],
        "versions": runtime_versions(),
    }
    if evaluation:
        report["metrics"] = evaluation.to_json()
    return report, evaluation


def write_report(report: dict[str, Any], path: Path) -> None:
    """Write the report as JSON, whole or not at all."""
    write_whole(path, json.dumps(report, indent=1, ensure_ascii=False) + "\n")


def runtime_versions() -> dict[str, str]:
    """Versions of all that scoring rests on."""
    return {
        "bertline": bertline.__version__,
        "python": platform.python_version(),
        "numpy": np.__version__,
        "onnxruntime": onnxruntime.__version__,
        "tokenizers": tokenizers.__version__,
    }
