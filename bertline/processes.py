"""The processes of one run that a launcher started, as torchrun and `accelerate launch` do, and what they agree on."""

import json
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Any, Self, TypeVar

from bertline.errors import BertlineError, UsageError

_RUN = "TORCHELASTIC_RUN_ID"  # set by torchrun, which `accelerate launch` uses as well
_CONNECTING = timedelta(seconds=60)
_WAITING = timedelta(days=365)  # the launcher ends who waits for a process that is no more

T = TypeVar("T")


@dataclass(frozen=True)
class Processes:
    """This process among those of the run; by itself where no launcher started it.

    They speak through the launcher's own key-value store, so that it works before any device is chosen, and however
    long one of them takes.
    """

    rank: int = 0  # of this process, from 0
    count: int = 1  # of all machines
    local_rank: int = 0  # on this machine

    @classmethod
    def from_environment(cls) -> Self:
        """As the launcher's variables say; UsageError for several processes that no such launcher looks after."""
        text = os.environ.get("WORLD_SIZE", "")
        count = int(text) if text.isdecimal() else 1
        if count <= 1:
            return cls()
        if _RUN not in os.environ:
            raise UsageError(
                f"WORLD_SIZE is {count}, but this process was not started by torchrun or accelerate launch; use one of "
                "them, or unset WORLD_SIZE"
            )
        return cls(int(os.environ["RANK"]), count, int(os.environ["LOCAL_RANK"]))

    @property
    def first(self) -> bool:
        """Whether this is the one that writes, prints and shows progress."""
        return self.rank == 0

    def from_first(self, name: str, work: Callable[[], T]) -> T:
        """What `work` gives in the first process, as JSON brings it to the others, which wait for it.

        Where it ends with a BertlineError, all of them raise that. `name` is the question's, each asked once.
        """
        if not self.first:
            return self.hear(name)  # type: ignore[no-any-return]
        with self.telling(name) as answer:
            answer["result"] = result = work()
        return result

    def in_turn(self, name: str, work: Callable[[], T]) -> T:
        """`work` in every process, in the first of each machine before the others: those find what it downloaded."""
        here = f"{name} on machine {os.environ.get('GROUP_RANK', '0')}"
        if self.local_rank:
            self.hear(here)
            return work()
        with self.telling(here, teller=True):
            return work()

    @contextmanager
    def telling(self, name: str, *, teller: bool | None = None) -> Iterator[dict[str, Any]]:
        """In the first process: how the block ends is told to those that `hear`. In the others, nothing."""
        answer: dict[str, Any] = {"result": None}
        if self.count == 1 or not (self.first if teller is None else teller):
            yield answer
            return
        try:
            yield answer
        except BertlineError as error:
            self._set(name, {"error": str(error), "exit_code": error.exit_code})
            raise
        self._set(name, answer)

    def hear(self, name: str) -> Any:
        """Wait for what the first process tells; the BertlineError that its block ended with is raised here as well."""
        answer = json.loads(self._store.get(self._key(name)))
        if "error" in answer:
            error = BertlineError(answer["error"])
            error.exit_code = answer["exit_code"]
            raise error
        return answer["result"]

    def speaks(self) -> bool:
        """Whether this process is the first that asks: of all that fail, one says why. The launcher ends the rest."""
        if self.count == 1:
            return True
        try:
            return int(self._store.add(self._key("speaker"), 1)) == 1
        except RuntimeError:  # the launcher is no more
            return self.first

    @cached_property
    def _store(self) -> Any:
        from torch.distributed import TCPStore

        address, port = os.environ["MASTER_ADDR"], int(os.environ["MASTER_PORT"])
        store = TCPStore(address, port, is_master=False, wait_for_workers=False, timeout=_CONNECTING)
        store.set_timeout(_WAITING)
        return store

    def _set(self, name: str, answer: dict[str, Any]) -> None:
        self._store.set(self._key(name), json.dumps(answer))

    def _key(self, name: str) -> str:
        """Of this start of this run: the launcher may start all processes anew, on the same store."""
        return f"bertline/{os.environ[_RUN]}/{os.environ.get('TORCHELASTIC_RESTART_COUNT', '0')}/{name}"
