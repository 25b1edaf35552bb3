"""What workers answer. Errors come back as values: Ray would wrap them into pages of traceback."""

import pickle
import socket
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from bertline.errors import BertlineError, UsageError, VerificationError
from infer.report import InputChangedError

_KINDS = {kind.__name__: kind for kind in (BertlineError, UsageError, VerificationError, InputChangedError)}


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
        """To be raised."""
        return _KINDS[self.kind](self.message)


def answer(work: Callable[[Any], Any], argument: Any) -> Any:
    """What `work` makes of it, or what is at fault."""
    try:
        return work(argument)
    except BertlineError as error:
        return Fault.of(error)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        told = f"on node {socket.gethostname()}: {where}{error.strerror or error}"
        return Fault.of(BertlineError(f"{told}; check the disk's space and permissions"))


def answers(work: Callable[[Any], Any], batch: dict[str, Any]) -> dict[str, list[bytes]]:
    """The same for each item of a batch, as Ray Data hands them on."""
    return {"answer": [pickle.dumps(answer(work, pickle.loads(item))) for item in batch["item"]]}
