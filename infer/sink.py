"""Where scored rows go: a file that a later run can go on with (`infer.unfinished`), or a pipe."""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Protocol

from bertline.errors import BertlineError
from infer.journal import Checkpoint


class Sink(Protocol):
    """Takes encoded rows, in order."""

    @property
    def checkpoints(self) -> list[Checkpoint]:
        """What an earlier run left to go on from, oldest first; none for a fresh run."""

    def write(self, scored: bytes, rejects: bytes) -> tuple[int, int]:
        """Append; the lengths of output and rejects so far, in bytes."""

    def record(self, checkpoint: Checkpoint) -> None:
        """Everything written so far belongs to finished windows."""

    def publish(self, finish: Callable[[Path, Path], None]) -> None:
        """All is written; `finish` makes the output out of its partial file."""

    def abandon(self, *, resumable: bool = True) -> str:
        """After an error, which may be such that nobody can go on; a remark on what is kept, or an empty one."""


class Pipe:
    """Standard output: what is written is gone, and nothing can be gone on with."""

    def __init__(self) -> None:
        if sys.stdout is None:
            raise BertlineError("-: stdout is closed; name a file with -o")
        self.checkpoints: list[Checkpoint] = []
        self._bytes = 0

    def write(self, scored: bytes, rejects: bytes) -> tuple[int, int]:
        sys.stdout.buffer.write(scored)
        self._bytes += len(scored)
        return self._bytes, 0

    def record(self, checkpoint: Checkpoint) -> None:
        """A reader at the other end sees whole windows."""
        sys.stdout.buffer.flush()

    def publish(self, finish: Callable[[Path, Path], None]) -> None:
        sys.stdout.buffer.flush()

    def abandon(self, *, resumable: bool = True) -> str:
        return ""
