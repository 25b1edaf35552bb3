"""One part of a run: scored by the very stages that score files on one machine, and written whole."""

import json
import shutil
import socket
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any

from bertline.errors import BertlineError
from bertline.files import sha256_of
from infer.cluster.names import RUN, done_name, part_name, rejects_name
from infer.cluster.places import Place
from infer.cluster.slices import Part
from infer.facts import Facts
from infer.job import Job
from infer.memory import peak_memory_mib
from infer.output import format_for
from infer.pipeline import problem_for, score_rows
from infer.rows import QUARANTINE_HINT, Rows
from infer.scorer import Scorer
from infer.unfinished import Unfinished, rejects_of

SCHEMA = 1


@dataclass(frozen=True)
class Task:
    """What all parts of a run have in common."""

    run: str  # its name, by which workers see that they have the same folder
    folder: Place  # of the output
    working: Place  # in it, for what goes when the run is done
    ending: str  # of the parts' files: how they are written
    job: Job  # how to score; its inputs and output are none
    schema: Any  # pyarrow.Schema of the inputs where all are Parquet, else None

    def require_folder(self) -> None:
        """BertlineError where the folder is not, or no longer, this run's."""
        try:
            found = json.loads((self.working / RUN).read())["run"]
        except (FileNotFoundError, ValueError, KeyError, TypeError):
            found = None
        if found != self.run:
            raise BertlineError(
                f"{self.folder.name}: is not the folder that the driver writes to; name one that all machines share, "
                "or one on an object store, such as s3://bucket/folder"
            )


@dataclass(frozen=True)
class Written:
    """A file of the output."""

    file: str
    bytes: int
    sha256: str

    @classmethod
    def of(cls, path: Path, name: str) -> "Written":
        return cls(name, path.stat().st_size, sha256_of(path))


@dataclass(frozen=True)
class PartDone:
    """What is known of a part that is scored and written."""

    number: int
    rows: int
    scored: Written
    rejects: Written | None
    rejected: dict[str, int]  # by reason
    blanked: int
    work: dict[str, Any]  # infer.scorer.WorkDone
    facts: Facts
    evaluation: dict[str, Any] | None  # a state; None without labels
    began: float  # when its first row was read: seconds since the epoch, by its machine's clock
    peak_memory_mib: float
    node: str  # the machine's name
    input: list[dict[str, Any]] = field(default_factory=list)  # what was read, as the manifest has it
    schema: int = SCHEMA

    def to_json(self) -> bytes:
        """For `from_json`."""
        return json.dumps(asdict(self)).encode() + b"\n"

    @classmethod
    def from_json(cls, content: bytes) -> "PartDone":
        """ValueError, KeyError or TypeError where it is none of this version."""
        document = json.loads(content)
        if document["schema"] != SCHEMA:
            raise ValueError(document["schema"])
        rejects = document["rejects"]
        return cls(
            **document
            | {
                "scored": Written(**document["scored"]),
                "rejects": Written(**rejects) if rejects else None,
                "facts": Facts(**document["facts"]),
            }
        )


def score_part(part: Part, task: Task, scorer: Scorer) -> PartDone:
    """Score a part and write its file, its rejects and the record that it is done, each whole and in this order.

    Done twice, also at the same time, it writes the same. Raises BertlineError as `infer.pipeline.score_files`.
    """
    began = time.time()
    job, manifest = task.job, scorer.bundle.manifest
    hint = QUARANTINE_HINT if job.on_error == "fail" else ""
    rows = Rows(part.slices, job.spec, manifest, use_labels=job.use_labels, on_error=job.on_error, hint=hint)
    problem = problem_for(job, manifest)
    scratch = task.working.scratch()
    try:
        name = part_name(part.number, task.ending)
        output = scratch / name
        form = format_for(output, rows.columns, problem, job.form, task.schema)
        sink = Unfinished.start(output, None, force=False)
        try:
            run, facts = score_rows(replace(job, output=output), rows, scorer, problem, form, sink)
            sink.publish(form.finish)
        except BaseException:
            sink.abandon()
            raise
        for piece in part.slices:
            piece.check()
        rejects, refused = rejects_of(output), rejects_name(part.number)
        done = PartDone(
            number=part.number,
            rows=run.totals.work.rows,
            scored=Written.of(output, name),
            rejects=Written.of(rejects, refused) if rejects.exists() else None,
            rejected=dict(run.totals.rejected),
            blanked=run.totals.blanked,
            work=asdict(run.totals.work),
            facts=facts,
            evaluation=run.evaluation.state() if run.evaluation else None,
            began=began,
            peak_memory_mib=peak_memory_mib(),
            node=socket.gethostname(),
            input=[piece.described() for piece in part.slices],
        )
        record = scratch / done_name(part.number)
        record.write_bytes(done.to_json())
        task.require_folder()  # this worker's driver may have been killed, and another run begun
        (task.folder / name).take(output)
        if done.rejects:
            (task.folder / refused).take(rejects)
        (task.working / record.name).take(record)
        return done
    finally:
        shutil.rmtree(scratch, ignore_errors=True)
