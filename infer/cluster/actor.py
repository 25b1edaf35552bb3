"""What runs on the workers."""

import os
import socket
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bertline.bundle import Bundle
from bertline.errors import BertlineError
from infer.cluster.answers import Fault, answer, answers
from infer.cluster.ledger import TRIES, Begin
from infer.cluster.node_check import check_node, what_is_there
from infer.cluster.part import PartDone, Task, score_part
from infer.cluster.slices import Part
from infer.cluster.survey import look_at
from infer.facts import Facts
from infer.scorer import Scorer


@dataclass(frozen=True)
class Opening:
    """How a worker opens its scorer; paths, not contents: what Ray keeps for restarts may be lost with a machine."""

    bundle: Path
    driver: dict[str, Any]  # what is there on the driver's machine, by infer.cluster.node_check
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
        if bundle.sha256 != self.driver["bundle"]:
            raise BertlineError(f"{self.bundle}: is another bundle than the driver's; copy the driver's there")
        return Scorer.open(
            bundle,
            device=self.device,
            variant=self.variant,
            provider=self.provider,
            threads=self.threads,
            max_length=self.max_length,
            batch_tokens=self.batch_tokens,
        )


@dataclass(frozen=True)
class Found:
    """What a worker's scorer is."""

    facts: Facts
    window_rows: int  # where nobody wants another number
    reason: str  # why its variant was chosen
    remark: str | None  # what the user should know of the device


def find(opening: Opening) -> Found | Fault:
    """Open a scorer as a worker will, to see what it is."""

    def found(opening: Opening) -> Found:
        scorer = opening.open()
        reason = f"{scorer.choice.reason}; {scorer.choice.recorded_loss}"
        return Found(Facts.of(scorer), scorer.window_rows, reason, scorer.remark)

    result: Found | Fault = answer(found, opening)
    return result


def look(batch: dict[str, Any]) -> dict[str, list[bytes]]:
    """Look at chunks of inputs; each item is a chunk and a spec."""
    return answers(lambda item: look_at(*item), batch)


class PartScorer:
    """Opens a scorer once, then scores part after part."""

    def __init__(self, opening: Opening, facts: Facts, task: Task, begin: Begin) -> None:
        self._task, self._begin = task, begin
        self._fault: BertlineError | None = None
        path = str(opening.bundle)
        try:
            check_node(what_is_there(path), opening.driver, path)  # machines may join a run that is going on
            self._open(opening, facts)
        except BertlineError as error:  # to be told with the first part: Ray would try again, and show a traceback
            self._fault = error

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[bytes]]:
        return answers(self._score, batch)

    def _score(self, part: Part) -> PartDone:
        if self._fault:
            raise self._fault
        if self._begin(part.number) > TRIES:
            where = part.slices[0].described()
            raise BertlineError(
                f"{where['file']}, from line {where['first']} on: this part has ended its worker {TRIES} times, "
                "perhaps for lack of memory; give fewer --workers, or a lower --window or --batch-tokens"
            )
        return score_part(part, self._task, self._scorer)

    def _open(self, opening: Opening, facts: Facts) -> None:
        try:
            self._scorer = opening.open()
            self._check(facts)
        except BertlineError as error:
            raise type(error)(f"node {socket.gethostname()}: {error}") from None

    def _check(self, facts: Facts) -> None:
        """BertlineError where this worker would score otherwise than others, or write elsewhere."""
        mine = Facts.of(self._scorer)
        for name in ("device", "variant", "provider", "threads", "max_length", "batch_tokens"):
            if getattr(mine, name) != getattr(facts, name):
                option = f"--{name.replace('_', '-')}"
                raise BertlineError(
                    f"runs with {option} {getattr(mine, name)} where others run with {getattr(facts, name)}; "
                    f"give {option} that suits all machines"
                )
        self._task.require_folder()
