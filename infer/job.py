"""What one run of `bertline infer` is to do, and where its files stand."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from bertline.tsv import TableSpec
from infer.inputs import STDIN
from infer.output import STDOUT, OutputFormat
from infer.rows import OnError


@dataclass(frozen=True)
class Job:
    """What to score, and where to."""

    inputs: Sequence[Path]  # files; `-` is stdin
    output: Path  # `-` is stdout
    spec: TableSpec
    form: OutputFormat = field(default_factory=OutputFormat)
    use_labels: bool = True
    thresholds: bool = False  # decide by those that the bundle stores
    window_rows: int | None = None  # held in memory at once; None: what suits the device
    dedupe: bool = True  # equal texts are scored once
    tune: bool = False  # find the fastest number of tokens a batch in the first seconds
    on_error: OnError = "fail"  # or quarantine: rows that cannot be read are set aside
    resume: bool = False  # go on with an unfinished run, where one stands
    force: bool = False  # replace what stands under the output's name
    report: Path | None = None  # where the report goes
    html: bool = False  # a page beside it

    @property
    def streams(self) -> bool:
        """Whether rows come from a pipe or go to one, so that there is nothing to resume.

        A pipe may have a name, as in `infer BUNDLE <(zcat t.tsv.gz)`. Nobody else may open it: what they read is gone.
        """
        pipes = (path == STDIN or (path.exists() and not path.is_file()) for path in self.inputs)
        return self.output == STDOUT or any(pipes)

    @property
    def page(self) -> Path:
        """Where the report's page goes."""
        assert self.report is not None
        return self.report.with_suffix(".html")


def report_path(output: Path) -> Path:
    """Where the report of a scored file goes."""
    return output.with_name(output.name + ".report.json")
