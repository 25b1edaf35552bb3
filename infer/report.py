"""The report of a run: what was done, how fast, by what, and how well."""

import json
from dataclasses import asdict
from typing import Any

from bertline.errors import BertlineError
from bertline.evaluation import AnyEvaluation
from bertline.files import partial_of, sha256_of, write_whole
from bertline.schema import parse_json
from infer.identity import differences
from infer.inputs import STDIN
from infer.job import Job
from infer.memory import peak_memory_mib
from infer.rows import Rows
from infer.scorer import WindowScorer
from infer.totals import Totals
from infer.unfinished import journal_of
from infer.versions import runtime_versions


class InputChangedError(BertlineError):
    """What was scored is of no file that there ever was, so that nobody may go on with it."""


def report_of(
    job: Job,
    rows: Rows,
    scorer: WindowScorer,
    totals: Totals,
    evaluation: AnyEvaluation | None,
    startup_seconds: float,
    identity: dict[str, Any] | None,
) -> dict[str, Any]:
    """The document; InputChangedError where an input is no longer what was read, or was not what the identity says."""
    for number, (source, path) in enumerate(zip(rows.read, job.inputs, strict=True), 1):
        if path == STDIN or not path.is_file():
            continue
        if sha256_of(path) != source.sha256 or (identity and source.sha256 not in identity[f"input {number}"]):
            raise InputChangedError(f"{path}: was changed while it was being scored; start over with --force")
    work, manifest = totals.work, scorer.bundle.manifest
    report: dict[str, Any] = {
        "rows": work.rows,
        "unique_rows": work.unique_rows,
        "unique_share": work.unique_rows / work.rows if work.rows else 1.0,
        "tokens": work.tokens,
        "padding_share": work.padding_share,
        "truncated": work.truncated,
        "rejected": dict(totals.rejected),
        "blanked": totals.blanked,
        "resumed_rows": totals.resumed_rows,
        "rows_per_second": work.rows / totals.seconds,
        "seconds": totals.seconds,
        "startup_seconds": startup_seconds,
        "stage_seconds": work.stage_seconds,
        "peak_memory_mib": peak_memory_mib(),
        "device": scorer.device,
        "device_name": scorer.device_name,
        "provider": scorer.provider,
        "variant": scorer.variant,
        "threads": scorer.threads,
        "batch_tokens": scorer.batch_tokens,
        "out_of_memory_at": scorer.out_of_memory_at,
        "batch_tokens_tried": [asdict(trial) for trial in totals.trials],
        "max_length": scorer.max_length,
        "bundle_sha256": scorer.bundle.sha256,
        "problem_type": manifest.problem_type,
        "thresholds": manifest.thresholds_for(job.thresholds),
        "thresholds_variant": manifest.thresholds.variant if job.thresholds and manifest.thresholds else None,
        "input": [asdict(source) for source in rows.read],
        "versions": runtime_versions(),
        "run": identity,
    }
    if evaluation:
        report["metrics"] = evaluation.to_json()
    return report


def publish_report(job: Job, report: dict[str, Any], evaluation: AnyEvaluation | None) -> None:
    """Write the report, and its page, where the job wants them; each whole or not at all."""
    if job.report:
        write_whole(job.report, json.dumps(report, indent=1, ensure_ascii=False) + "\n")
        if job.html:
            from infer.pages import scoring_page

            write_whole(job.page, scoring_page(job, report, evaluation))


def finished(job: Job, identity: dict[str, Any]) -> dict[str, Any]:
    """The report of an output that is whole already, when a run of that `identity` is to be resumed.

    Raises BertlineError where what stands there is not this run's output.
    """
    assert job.report is not None
    try:
        report: dict[str, Any] = parse_json(job.report.read_bytes())
        found = differences(report["run"], identity)
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        raise BertlineError(
            f"{job.output}: the file exists, and no report says that this run wrote it; --force to replace it"
        ) from None
    if found:
        raise BertlineError(
            f"{job.output}: the file exists and is of another run: {'; '.join(found)}; --force to replace it"
        )
    if not partial_of(job.output).exists():  # which would be another run's, unfinished or still going
        journal_of(job.output).unlink(missing_ok=True)  # left by a run that was killed at its very end
    return report
