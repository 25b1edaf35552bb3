"""How far an unfinished run has come: a line of JSON for each window, written once its data are on disk."""

import base64
import json
import os
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bertline.errors import BertlineError
from bertline.schema import from_json, parse_json
from infer.seen import Placement

SCHEMA = 3


@dataclass(frozen=True)
class Recalled:
    """What a window added to the texts seen: enough to remember it without running it again."""

    logits: str  # base64 of (fresh, labels) float32, little endian
    cut: tuple[int, ...]  # which of the fresh texts were longer than the maximum
    tokens: str  # base64 of (fresh,) int32, little endian

    @classmethod
    def of(cls, placement: Placement) -> "Recalled":
        """From the fresh texts of a window that is scored."""
        fresh = placement.fresh_slots
        cut = tuple(np.flatnonzero(placement.cut[fresh]).tolist())
        return cls(_as_text(placement.slots[fresh], "<f4"), cut, _as_text(placement.tokens[fresh], "<i4"))

    def restore(self, placement: Placement) -> None:
        """Write them back into the placement of the same texts; ValueError or IndexError where they do not fit."""
        fresh = placement.fresh_slots
        logits, tokens = placement.slots[fresh], placement.tokens[fresh]
        logits[:] = _from_text(self.logits, "<f4").reshape(logits.shape)
        tokens[:] = _from_text(self.tokens, "<i4").reshape(tokens.shape)
        placement.cut[fresh][list(self.cut)] = True


@dataclass(frozen=True)
class Checkpoint:
    """The state of a run behind one of its windows; all counts are of the whole run so far."""

    windows: int
    opens_generation: bool  # nothing before this window is remembered
    output_bytes: int
    rejects_bytes: int
    rejected: dict[str, int]  # by reason
    blanked: int  # texts in which a tab or line break became a space
    seconds: float
    batch_tokens: int
    work: dict[str, Any]
    evaluation: dict[str, Any] | None  # None also where another checkpoint has come behind this one
    recalled: Recalled | None  # None where equal texts are not scored once


@dataclass
class Journal:
    """`OUTPUT.journal`. `identity` says what the run is, in the user's words; a run that is another is not resumed."""

    path: Path
    identity: dict[str, Any]
    checkpoints: list[Checkpoint] = field(default_factory=list)  # of the present generation

    @classmethod
    def read(cls, path: Path) -> "Journal":
        """The journal as it was left; a last line that was not finished is dropped. BertlineError for no journal."""
        head, *lines = path.read_bytes().split(b"\n")
        try:
            document = parse_json(head)
            identity = dict(document["identity"]) if document["schema"] == SCHEMA else None
        except (ValueError, KeyError, TypeError):
            identity = None
        if identity is None:
            raise BertlineError(f"{path}: is no journal of this version; start over with --force")
        journal = cls(path, identity)
        for line in lines[:-1]:  # what follows the last line end was not finished
            problems: list[str] = []
            try:
                checkpoint = from_json(Checkpoint, parse_json(line), "", problems)
            except ValueError:
                break
            if problems:
                break
            journal._keep(checkpoint)
        return journal

    @property
    def last(self) -> Checkpoint | None:
        return self.checkpoints[-1] if self.checkpoints else None

    def rewrite(self) -> None:
        """Write the file anew, whole or not at all; it then ends with the last checkpoint."""
        fresh = self.path.with_name(self.path.name + ".new")
        try:
            with fresh.open("wb") as stream:
                stream.write(_line({"schema": SCHEMA, "identity": self.identity}))
                stream.writelines(_line(vars(checkpoint)) for checkpoint in self.checkpoints)
                stream.flush()
                os.fsync(stream.fileno())
            fresh.replace(self.path)
        finally:
            fresh.unlink(missing_ok=True)

    def append(self, checkpoint: Checkpoint) -> None:
        """Add a checkpoint, on disk when this returns. A new generation makes those before it needless."""
        if checkpoint.opens_generation:
            Journal(self.path, self.identity, [checkpoint]).rewrite()
        else:
            with self.path.open("ab") as stream:
                stream.write(_line(vars(checkpoint)))
                stream.flush()
                os.fsync(stream.fileno())
        self._keep(checkpoint)

    def _keep(self, checkpoint: Checkpoint) -> None:
        if checkpoint.opens_generation:
            self.checkpoints.clear()
        if self.last:  # only the last one's is ever gone on with; thousands of them would fill the memory
            self.checkpoints[-1] = replace(self.last, evaluation=None)
        self.checkpoints.append(checkpoint)


def _as_text(array: NDArray[Any], kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(array, kind).tobytes()).decode()


def _from_text(text: str, kind: str) -> NDArray[Any]:
    return np.frombuffer(base64.b64decode(text, validate=True), kind)


def _line(document: dict[str, Any]) -> bytes:
    return json.dumps(document, default=vars).encode() + b"\n"
