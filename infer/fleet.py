"""One process a device: each scores whole windows with a scorer of its own, and the answers come back in order."""

import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from multiprocessing import resource_tracker
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bertline.bundle import Bundle
from bertline.devices import parse_device
from bertline.errors import BertlineError, UsageError
from infer.cpus import usable_cpus
from infer.cuda import Driver, require_cuda
from infer.encode import Text
from infer.runners import Logits, Progress
from infer.scorer import Prepared, Scorer, WorkDone
from infer.seen import Seen
from infer.stages import ahead
from infer.variants import Choice

ALL = "all"
_LEAVE_SECONDS = 2.0  # for a process to end by itself


def devices_of(option: str) -> list[str]:
    """What `--devices` says: all CUDA devices, or those named, as in cuda:0,cuda:1; UsageError where that is none."""
    if option == ALL:
        require_cuda(0)
        return [f"cuda:{index}" for index in range(Driver().devices)]
    devices = [device.strip() for device in option.split(",")]
    try:
        places = [parse_device(device) for device in devices]
    except UsageError:
        raise UsageError(f"--devices {option}: give all, or names with commas between, as in cuda:0,cuda:1") from None
    if len({kind for kind, _ in places}) > 1:  # with a variant each, and rounding of its own
        raise UsageError(f"--devices {option}: mixes CUDA devices with the CPU; name devices of one kind")
    twice = {f"{kind}:{index}" for kind, index in places if kind != "cpu" and places.count((kind, index)) > 1}
    if twice:
        raise UsageError(f"--devices {option}: names {', '.join(sorted(twice))} twice; name each device once")
    return devices


@dataclass(frozen=True)
class _Facts:
    """What a process says of its scorer when it is ready."""

    choice: Choice
    device_name: str
    provider: str
    threads: int
    max_length: int
    batch_tokens: int
    window_rows: int
    remark: str | None


@dataclass(frozen=True)
class _Answer:
    """A window's fresh texts, scored."""

    logits: Logits
    cut: NDArray[np.bool_]  # (texts,) whether the text was longer than the maximum
    tokens: NDArray[np.int32]  # (texts,)
    work: WorkDone
    batch_tokens: int  # from now on
    out_of_memory_at: int | None


@dataclass(frozen=True)
class _Sent(Prepared):
    """A window that one of the processes has."""

    member: int


class Fleet:
    """Several devices as one scorer: `prepare` and `run` are those of `Scorer`, windows go to the devices in turns.

    A context manager; its end ends the processes. Up to `ahead` windows should be prepared before one is run.
    """

    def __init__(self, bundle: Bundle, devices: Sequence[str], **options: Any) -> None:
        """Open a scorer on each device, all at once; `options` are those of `Scorer.open`.

        Raises what the first that fails does.
        """
        self.bundle, self.device = bundle, ",".join(devices)
        threads = options.pop("threads", None) or max(1, usable_cpus() // len(devices))
        self._members: list[_Member] = []
        try:
            for device in devices:
                self._members.append(_Member(bundle, device, options | {"threads": threads}))
            facts: list[_Facts] = [member.receive() for member in self._members]
        except BaseException:
            self.close()
            raise
        first = facts[0]
        self.choice, self.threads = first.choice, first.threads
        self.provider: str = first.provider
        self.max_length, self.batch_tokens, self.window_rows = first.max_length, first.batch_tokens, first.window_rows
        self.device_name = ", ".join(fact.device_name for fact in facts)
        self.remark = first.remark
        self.out_of_memory_at: int | None = None
        self.ahead = 2 * len(devices)  # one that a device runs, and one that it tokenizes meanwhile
        self._sent = 0

    @property
    def variant(self) -> str:
        """What `--variant` calls what runs."""
        return self.choice.name

    @property
    def labels(self) -> tuple[str, ...]:
        """Label names, by id."""
        return self.bundle.manifest.labels

    def prepare(self, texts: Sequence[Text], seen: Seen) -> _Sent:
        """Place a window and hand its fresh texts to the next device."""
        placement = seen.place(texts)
        member = self._sent % len(self._members)
        self._sent += 1
        self._members[member].send((placement.fresh, self.batch_tokens))
        return _Sent(texts, placement, WorkDone(len(texts), len(placement.fresh)), member)

    def run(self, prepared: _Sent, progress: Progress = lambda share: None) -> Logits:
        """Logits (rows, labels) float32 of a window, as `Scorer.run`; waits for its device."""
        placement, work = prepared.placement, prepared.work
        answer: _Answer = self._members[prepared.member].receive()
        fresh = placement.fresh_slots
        placement.slots[fresh], placement.cut[fresh], placement.tokens[fresh] = answer.logits, answer.cut, answer.tokens
        if answer.out_of_memory_at:
            self.out_of_memory_at = answer.out_of_memory_at
            self.batch_tokens = min(self.batch_tokens, answer.batch_tokens)
        work += answer.work
        work.truncated = placement.rows_cut
        progress(1.0)
        return placement.logits()

    def __enter__(self) -> "Fleet":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """End all processes, whatever they do."""
        for member in self._members:
            member.hang_up()
        until = time.monotonic() + _LEAVE_SECONDS
        for member in self._members:
            member.end(max(0.0, until - time.monotonic()))


class _Member:
    """The process of one device, seen from outside."""

    def __init__(self, bundle: Bundle, device: str, options: dict[str, Any]) -> None:
        context = multiprocessing.get_context("spawn")  # a fork would share a driver, threads and locks
        self.device = device
        self._ready = False  # its first answer says that it is
        self._connection, other = context.Pipe()
        self._process = context.Process(target=_serve, args=(other, bundle, device, options), daemon=True)
        _start_deaf(self._process)
        other.close()  # so that the end of the process is the end of the pipe

    def send(self, message: Any) -> None:
        """Hand over one window; BertlineError where the process has ended."""
        try:
            self._connection.send(message)
        except OSError:
            raise self._ended() from None

    def receive(self) -> Any:
        """The next answer; raises what went wrong in the process, BertlineError where it has ended."""
        try:
            answer = self._connection.recv()
        except (EOFError, OSError):
            raise self._ended() from None
        if isinstance(answer, BertlineError):
            raise answer
        self._ready = True
        return answer

    def hang_up(self) -> None:
        """Close the pipe, at which an idle process ends by itself."""
        self._connection.close()

    def end(self, patience: float) -> None:
        """Wait so many seconds for the process to end by itself; then kill it."""
        self._process.join(patience)
        if self._process.is_alive():
            self._process.kill()

    def _ended(self) -> BertlineError:
        self._process.join(_LEAVE_SECONDS)
        code = self._process.exitcode
        if not self._ready:
            return BertlineError(
                f"{self.device}: its process ended with code {code} before it was ready; a script that opens several "
                "devices needs if __name__ == '__main__' around what it does"
            )
        return BertlineError(
            f"{self.device}: its process ended with code {code}, perhaps for lack of memory; if it does so again, "
            "start over with a lower --batch-tokens or --window"
        )


def _start_deaf(process: BaseProcess) -> None:
    """Start it deaf to Ctrl-C, which the terminal sends to every process: it is the parent's to handle, which then
    closes the pipe. From its first moment on, since Python would answer with a traceback while it starts; and the
    parent, too, hears of it only afterwards: half a message to the process would end in another.
    """
    pressed: list[int] = []
    in_main = threading.current_thread() is threading.main_thread()  # the only one that hears of it
    handler = signal.signal(signal.SIGINT, lambda number, _: pressed.append(number)) if in_main else None
    resource_tracker.ensure_running()  # which, when it starts, unblocks the signal
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})  # a process begins with what its parent blocks
    try:
        process.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
        if in_main:
            signal.signal(signal.SIGINT, handler)
    if pressed:
        signal.raise_signal(signal.SIGINT)


def _serve(connection: Connection, bundle: Bundle, device: str, options: dict[str, Any]) -> None:
    """The life of a process: a scorer, then window after window, until nobody sends any more."""
    os.environ["RAYON_NUM_THREADS"] = str(options["threads"])  # of the tokenizer, which reads it at its first text
    try:
        scorer = Scorer.open(bundle, device=device, **options)
        connection.send(
            _Facts(
                scorer.choice,
                scorer.device_name,
                scorer.provider,
                scorer.threads,
                scorer.encoder.max_length,
                scorer.batch_tokens,
                scorer.window_rows,
                scorer.remark,
            )
        )
        seen = Seen(len(scorer.labels), dedupe=False)  # what is sent here is new
        for prepared in ahead(scorer.prepare(texts, seen) for texts in _windows(connection, scorer)):
            scorer.run(prepared)
            placement = prepared.placement
            fresh = placement.fresh_slots
            answer = _Answer(
                placement.slots[fresh],
                placement.cut[fresh],
                placement.tokens[fresh],
                replace(prepared.work, rows=0, unique_rows=0, truncated=0),  # which the parent counts
                scorer.batch_tokens,
                scorer.out_of_memory_at,
            )
            connection.send(answer)
    except BertlineError as error:
        connection.send(error)
    except (EOFError, OSError):  # the parent has gone
        return


def _windows(connection: Connection, scorer: Scorer) -> Iterator[Sequence[Text]]:
    while True:
        try:
            texts, batch_tokens = connection.recv()
        except (EOFError, OSError):
            return
        scorer.batch_tokens = min(scorer.batch_tokens, batch_tokens)
        yield texts
