"""What runs on the workers. Errors come back as values: Ray would wrap them into pages of traceback."""

import os
import pickle
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertline.bundle import Bundle
from bertline.errors import BertlineError, UsageError, VerificationError
from infer.cluster.ledger import TRIES
from infer.cluster.names import RUN
from infer.cluster.part import PartDone, Task, score_part
from infer.cluster.slices import Part
from infer.cluster.survey import look_at
from infer.facts import Facts
from infer.scorer import Scorer

_KINDS = {kind.__name__: kind for kind in (BertlineError, UsageError, VerificationError)}


@dataclass(frozen=True)
class Fault:
    """An error that the user can act on, as it travels."""

    kind: str
    message: str

    @classmethod
    def of(cls, error: BertlineError) -> "Fault":
        name = type(error).__name__
        return cls(name if name in _KINDS else BertlineError.__name__, str(error))

    def error(self) -> BertlineError:
        return _KINDS[self.kind](self.message)


@dataclass(frozen=True)
class Opening:
    """How a worker opens its scorer; paths, not contents: what Ray keeps for restarts may be lost with a machine."""

    bundle: Path
    sha256: str  # of the bundle, as the driver sees it
    device: str
    variant: str
    provider: str
    threads: int
    max_length: int | None
    batch_tokens: int | None

    def open(self) -> Scorer:
        """A scorer like every other worker's; BertlineError where it cannot be."""
        os.environ["RAYON_NUM_THREADS"] = str(self.threads)  # of the tokenizer, which reads it at its first text
        bundle = Bundle.open(self.bundle)
        if bundle.sha256 != self.sha256:
            raise BertlineError(f"{self.bundle}: is another bundle than the driver's; copy that one there")
        return Scorer.open(
            bundle,
            device=self.device,
            variant=self.variant,
            provider=self.provider,
            threads=self.threads,
            max_length=self.max_length,
            batch_tokens=self.batch_tokens,
        )


def facts_there(opening: Opening) -> tuple[Facts, int, str, str | None] | Fault:
    """What a worker's scorer is: its facts, rows of a window, why its variant was chosen, and a remark."""
    try:
        scorer = opening.open()
    except BertlineError as error:
        return Fault.of(error)
    reason = f"{scorer.choice.reason}; {scorer.choice.recorded_loss}"
    return Facts.of(scorer), scorer.window_rows, reason, scorer.remark


class PartScorer:
    """An actor: opens a scorer once, then scores part after part."""

    def __init__(self, opening: Opening, facts: Facts, task: Task, ledger: Any) -> None:
        self._task, self._ledger = task, ledger
        self._fault: Fault | None = None
        try:
            with on_this_node():
                self._scorer = opening.open()
                self._check(facts)
        except BertlineError as error:
            self._fault = Fault.of(error)

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[bytes]]:
        return answers(batch, self._score, self._fault)

    def _score(self, part: Part) -> PartDone:
        import ray

        if ray.get(self._ledger.begin.remote(part.number)) > TRIES:
            where = part.slices[0].described()
            raise BertlineError(
                f"{where['file']}, from line {where['first']} on: this part has ended its worker {TRIES} times, "
                "perhaps for lack of memory; give fewer --workers, or a lower --window or --batch-tokens"
            )
        return score_part(part, self._task, self._scorer)

    def _check(self, facts: Facts) -> None:
        """BertlineError where this worker would score otherwise than others, or writes elsewhere."""
        mine = Facts.of(self._scorer)
        for name in ("variant", "provider", "threads", "batch_tokens", "max_length"):
            if getattr(mine, name) != getattr(facts, name):
                raise BertlineError(
                    f"its {name} is {getattr(mine, name)} where the others have {getattr(facts, name)}; "
                    f"name one that all have"
                )
        try:
            found = (self._task.working / RUN).read()
        except FileNotFoundError:
            found = b""
        if self._task.run.encode() not in found:
            raise BertlineError(
                f"{self._task.folder.name}: is not the folder that the driver sees; name one that all machines share, "
                "or one on an object store, such as s3://bucket/folder"
            )


def look(batch: dict[str, Any]) -> dict[str, list[bytes]]:
    """A task: chunks of inputs, with how to read them, looked at."""
    return answers(batch, lambda item: look_at(*item))


def answers(batch: dict[str, Any], work: Callable[[Any], Any], fault: Fault | None = None) -> dict[str, list[bytes]]:
    """What `work` makes of each item, or what is at fault."""
    return {"answer": [pickle.dumps(fault or _answer(work, item)) for item in batch["item"]]}


def _answer(work: Callable[[Any], Any], item: bytes) -> Any:
    try:
        return work(pickle.loads(item))
    except BertlineError as error:
        return Fault.of(error)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        told = f"on node {socket.gethostname()}: {where}{error.strerror or error}"
        return Fault.of(BertlineError(f"{told}; check the disk's space and permissions"))


@contextmanager
def on_this_node() -> Iterator[None]:
    """Errors name the machine: what is wrong may be so on one of many only."""
    try:
        yield
    except BertlineError as error:
        raise type(error)(f"on node {socket.gethostname()}: {error}") from None
