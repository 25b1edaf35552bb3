"""What makes a run the run it is: all that its output depends on, named as the user names it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from bertline.files import sha256_of
from infer.job import Job
from infer.scorer import WindowScorer
from infer.versions import runtime_versions

_ON_ERROR = "--on-error"


def identity_of(job: Job, scorer: WindowScorer) -> dict[str, Any]:
    """JSON values by name. Reads all inputs once, for their hashes: that costs less than scoring another file."""
    spec, form = job.spec, job.form
    return {
        "bundle": scorer.bundle.sha256,
        "--variant": scorer.variant,
        "--provider": scorer.provider,
        "--device": scorer.device,
        "--threads": scorer.threads,
        "--max-length": scorer.max_length,
        "--batch-tokens": "auto" if job.tune else scorer.batch_tokens,
        "--window": job.window_rows,
        "--dedupe": job.dedupe,
        _ON_ERROR: job.on_error,
        "--header": spec.header,
        "--columns": list(spec.columns) if spec.columns else None,
        "--text-column": spec.text_column,
        "--pair-column": spec.pair_column,
        "--label-column": spec.label_column,
        "--labels": job.use_labels,
        "--output-header": form.header,
        "--probabilities": form.probabilities,
        "--logits": form.logits,
        "--thresholds": scorer.bundle.manifest.thresholds_for(job.thresholds),
        **{f"input {number}": _input(path) for number, path in enumerate(job.inputs, 1)},
        **{f"version of {name}": version for name, version in runtime_versions().items()},
    }


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """How an earlier run differs from this one, in words.

    A run that stopped at its first bad row has rejected none, so that it may go on with quarantine.
    """
    if before.get(_ON_ERROR) == "fail" and now.get(_ON_ERROR) == "quarantine":
        now = {**now, _ON_ERROR: "fail"}
    return [
        f"{name} was {_shown(before.get(name))} and is {_shown(now.get(name))}"
        for name in (*now, *(before.keys() - now.keys()))
        if before.get(name) != now.get(name)
    ]


def _input(path: Path) -> str:
    name = str(path).encode("utf-8", "backslashreplace").decode()
    return f"{name} ({path.stat().st_size:,} bytes, sha256 {sha256_of(path)})"


def _shown(value: Any) -> str:
    return "not given" if value is None else str(value)
