"""Decision thresholds: found on labelled rows, and stored in the bundle's manifest."""

import json
import os
from collections.abc import Callable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np

from bertline.bundle import MANIFEST, Bundle, Thresholds
from bertline.errors import BertlineError, UsageError
from bertline.evaluation import Evaluation, MultiLabelEvaluation, evaluation_of
from bertline.evaluation.per_label import figures_of, macro_f1
from bertline.evaluation.scores import best_of
from bertline.files import write_whole
from bertline.metrics import Counts, accuracy, f1, matthews
from bertline.problems import MULTI_LABEL
from bertline.schema import parse_json
from bertline.tsv import TableSpec
from infer.rows import Rows
from infer.scorer import Scorer
from infer.seen import Seen
from infer.signing import SIGNATURE

METRICS = ("mcc", "accuracy", "f1")  # of two labels; several have an F1 each
_Progress = Callable[[int, int, int | None], None]  # rows done, input bytes read, input bytes in all


@dataclass(frozen=True)
class LabelChange:
    """What a threshold changes for one label of several."""

    label: str
    threshold: float
    rows: int  # that have it
    before: float  # its F1 at 0.5
    after: float


@dataclass(frozen=True)
class Found:
    """Thresholds, and by label what they change where there are several."""

    thresholds: Thresholds
    changes: list[LabelChange]

    def had_by(self, rows: int) -> list[str]:
        """Labels that so many rows have; where none or all do, their threshold stays 0.5."""
        return [change.label for change in self.changes if change.rows == rows]


def check_tunable(bundle: Bundle, metric: str | None, *, force: bool) -> str:
    """The metric to go by, before anything is loaded; errors for a bundle that has no threshold, or is signed."""
    manifest = bundle.manifest
    if manifest.why_untunable:
        raise UsageError(f"{bundle.path}: {manifest.why_untunable}")
    if manifest.problem_type == MULTI_LABEL:
        if metric not in (None, "f1"):
            raise UsageError(f"--metric {metric}: several labels have a threshold each, by its F1; leave it out")
    elif metric not in (None, *METRICS):
        raise UsageError(f"--metric {metric}: give {', '.join(METRICS)}")
    refuse_signed(bundle, force=force)
    return metric or ("f1" if manifest.problem_type == MULTI_LABEL else "mcc")


def refuse_signed(bundle: Bundle, *, force: bool) -> None:
    """BertlineError for a bundle whose signature would no longer hold, unless `force`."""
    if os.path.lexists(bundle.path / SIGNATURE) and not force:
        raise BertlineError(
            f"{bundle.path}: is signed, and its thresholds are part of what was signed; --force removes {SIGNATURE}, "
            f"and bertline sign {bundle.path} --key PEM makes another"
        )


def find_thresholds(
    scorer: Scorer, table: Path, spec: TableSpec, metric: str, progress: _Progress = lambda rows, read, total: None
) -> Found:
    """Score a labelled table as `infer` would, and find the thresholds of the highest metric, of 0.001…0.999.

    `metric` is one of METRICS for two labels, f1 for several. Raises BertlineError for a table without labels, or
    with one only.
    """
    manifest = scorer.bundle.manifest
    rows = Rows([table], spec, manifest, use_labels=True)
    if not rows.labelled:
        raise BertlineError(
            f"{rows.name}: has no column of labels that the bundle knows; name one of {', '.join(rows.columns)} with "
            "--label-column"
        )
    evaluation, seen = evaluation_of(manifest.problem), Seen(len(scorer.labels))
    for window in rows.windows(scorer.window_rows):
        prepared = scorer.prepare(window.texts, seen)
        logits = scorer.run(prepared)
        true = manifest.problem.true(window.labels)
        evaluation.add(true, logits, prepared.placement.row_tokens, window.texts)
        progress(rows.count, rows.bytes_read, rows.bytes_total)
    changes: list[LabelChange] = []
    if isinstance(evaluation, MultiLabelEvaluation):
        changes = _of_several(evaluation, rows.name)
        found = {change.label: change.threshold for change in changes}
        before, after = (_several_figures(evaluation, at) for at in (dict.fromkeys(found, 0.5), found))
    else:
        assert isinstance(evaluation, Evaluation)  # a number was refused
        threshold = _of_two(evaluation, metric, rows.name)
        found = {evaluation.labels[1]: threshold}
        before, after = (_two_figures(evaluation.scores.at(at)) for at in (0.5, threshold))
    thresholds = Thresholds(
        metric=metric,
        labels=found,
        rows=evaluation.rows,
        table=Path(rows.read[0].name).name,
        sha256=rows.read[0].sha256,
        variant=scorer.variant,
        before=before,
        after=after,
    )
    return Found(thresholds, changes)


def store_thresholds(bundle: Bundle, thresholds: Thresholds | None) -> Bundle:
    """Write them into the manifest, whole or not at all, and keep all else; a signature goes first.

    The bundle's sha256, which is the manifest's, is another then.
    """
    path = bundle.path / MANIFEST
    document: dict[str, Any] = parse_json(path.read_bytes())
    document["thresholds"] = None if thresholds is None else asdict(thresholds)
    (bundle.path / SIGNATURE).unlink(missing_ok=True)
    write_whole(path, json.dumps(document, indent=1, ensure_ascii=False) + "\n")
    return Bundle.open(bundle.path)


def _of_two(evaluation: Evaluation, metric: str, name: str) -> float:
    true = evaluation.scores.counts.sum(axis=1)
    if not true.all():
        only = evaluation.labels[int(true.argmax())]
        raise BertlineError(f"{name}: all rows are labelled {only}; thresholds need rows of both labels")
    return best_of(evaluation.scores.threshold_curve(), metric).threshold


def _two_figures(confusion: Counts) -> dict[str, float]:
    return {"accuracy": accuracy(confusion), "mcc": matthews(confusion), "f1": f1(confusion)}


def _of_several(evaluation: MultiLabelEvaluation, name: str) -> list[LabelChange]:
    having = evaluation.counts[:, 1]
    if not ((having > 0) & (having < evaluation.rows)).any():
        raise BertlineError(
            f"{name}: no label is on some rows only; thresholds need rows with a label, and rows without"
        )
    return [
        LabelChange(label, threshold, int(scores.counts[1].sum()), f1(scores.at(0.5)), after)
        for label, scores, (threshold, after) in zip(
            evaluation.labels, evaluation.scores, evaluation.best_thresholds(), strict=True
        )
    ]


def _several_figures(evaluation: MultiLabelEvaluation, thresholds: dict[str, float]) -> dict[str, float]:
    confusions = np.stack(
        [scores.at(thresholds[label]) for label, scores in zip(evaluation.labels, evaluation.scores, strict=True)]
    )
    right, given, true = confusions[:, 1, 1], confusions[:, :, 1].sum(axis=1), confusions[:, 1].sum(axis=1)
    per_label = figures_of(evaluation.labels, right, given, true)
    return {"micro_f1": f1(confusions.sum(axis=0)), "macro_f1": macro_f1(per_label)}
