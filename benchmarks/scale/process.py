"""`bertline infer` in a process of its own, since one never forgets its peak of memory."""

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from bertline.errors import BertlineError

HEADERLESS = ("--no-header", "--text-column", "1", "--no-labels")  # how infer reads a file of `write_lines`


def score_alone(
    bundle: Path,
    file: Path,
    options: Sequence[str] = (),
    timeout_seconds: float | None = None,
    variables: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """The report of `bertline infer` on a file of `write_lines`; what it wrote beside the file is deleted.

    `variables` are added to its environment. Raises BertlineError where it fails, subprocess.TimeoutExpired where it
    takes longer than it may.
    """
    output = file.with_suffix(".scored")
    arguments = ["infer", bundle, file, "-o", output, *HEADERLESS, "--force"]
    command = [sys.executable, "-m", "bertline", *map(str, arguments), *options, "-q"]
    environment = os.environ | (variables or {})
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_seconds, env=environment)
        if done.returncode:
            said = done.stderr.strip().splitlines()
            reason = said[-1].removeprefix("bertline: ") if said else f"scoring ended with {done.returncode}"
            raise BertlineError(reason)
        report: dict[str, Any] = json.loads(output.with_name(output.name + ".report.json").read_text())
    finally:
        for left in file.parent.glob(f"{output.name}*"):  # of a run that failed, partial files too
            left.unlink()
    return report
