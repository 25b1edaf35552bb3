"""The runs that one command asks for: one for all inputs, or one for each where the output is a folder."""

import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bertline.errors import BertlineError, UsageError
from bertline.files import check_output_file
from infer.inputs import STDIN
from infer.job import Job, report_path
from infer.output import STDOUT
from infer.unfinished import files_of


def plan_jobs(inputs: Sequence[Path], output: str, report: Path | None, *, html: bool, **how: Any) -> list[Job]:
    """Jobs over input files; `output` is a file, `-`, or a folder if it ends in `/`, made if need be.

    `how` holds the other fields of each job. Raises UsageError where options contradict each other, BertlineError
    where two inputs would go to one file or a report cannot be written.
    """
    if html and Path(output) == STDOUT:
        raise UsageError("--html goes beside an output file; name one with -o")
    if output.endswith(os.sep):
        return _into_folder(inputs, Path(output), report, html=html, **how)
    target = Path(output)
    if report is not None:
        if report.absolute() == target.absolute():
            raise UsageError("--report and --output name the same file; name two")
        reports = [report, report.with_suffix(".html")] if html else [report]
        taken = [path.absolute() for path in files_of(target)] if target != STDOUT else []
        for path in reports:
            if path.absolute() in taken or reports.count(path) > 1:
                raise UsageError(f"--report {report}: {path} is written by the run itself; name another, in .json")
            check_output_file(path, force=how["force"] or how["resume"], inputs=inputs)
    elif target != STDOUT:
        report = report_path(target)
        check_output_file(report, force=True, inputs=inputs)  # it belongs to the output and goes with it
    return [Job(inputs, target, report=report, html=html, **how)]


def _into_folder(inputs: Sequence[Path], folder: Path, report: Path | None, *, html: bool, **how: Any) -> list[Job]:
    if report is not None:
        raise UsageError("--report names one file, and a folder gets a report beside each output; leave it out")
    if STDIN in inputs:
        raise UsageError("-, which is stdin, has no name to give its output in a folder; name a file with -o")
    twice = [name for name, count in Counter(path.name for path in inputs).items() if count > 1]
    if twice:
        raise BertlineError(f"{folder}: several inputs are called {twice[0]}; score them into folders of their own")
    if folder.exists() and not folder.is_dir():
        raise BertlineError(f"{folder}: is a file; name a folder, or leave out the / behind it")
    if not folder.parent.is_dir():
        raise BertlineError(f"{folder}: the folder {folder.parent} does not exist; create it with mkdir -p {folder}")
    folder.mkdir(exist_ok=True)
    targets = [folder / path.name for path in inputs]
    beside = {path for target in targets for path in (report_path(target), *files_of(target)[1:])}
    for target in targets:
        if target in beside:
            raise BertlineError(f"{target}: is left beside the output of another input; score the two one by one")
    return [
        Job([path], target, report=report_path(target), html=html, **how)
        for path, target in zip(inputs, targets, strict=True)
    ]
