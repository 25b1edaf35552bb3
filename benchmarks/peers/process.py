"""A way to score in a process of its own: started, asked, waited for, and killed where it must be."""

import json
import os
import select
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

from bertline.errors import BertlineError

_GRACE_SECONDS = 5.0  # to end by itself once its stdin is closed
_READ_BYTES = 65536
_LONGEST = 300  # characters of a reason


class PeerError(BertlineError):
    """Why a way to score gives no result; one line."""


class PeerProcess:
    """A process that serves `benchmarks.peers.protocol`; use it in a `with` block, which ends it.

    What it writes to stderr goes into `log`. It has a session of its own, so that Ctrl-C reaches us and not it, and
    ends with its stdin where we are killed.
    """

    def __init__(self, command: Sequence[str | Path], log: Path, environment: Mapping[str, str]) -> None:
        """Start it; `environment` is added to ours. Raises PeerError where there is no such program."""
        self._log, self._buffer = log, b""
        with log.open("wb") as stream:
            try:
                self._process = subprocess.Popen(
                    [str(word) for word in command],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=stream,
                    env=os.environ | environment,
                    start_new_session=True,
                )
            except OSError as error:
                raise PeerError(f"does not start: {error.filename or command[0]}: {error.strerror}") from None

    def __enter__(self) -> "PeerProcess":
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def ask(self, message: Mapping[str, Any], timeout_seconds: float) -> dict[str, Any]:
        """Its answer. Raises PeerError where it says why not, ends, is silent for too long, or says anything else."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # it has ended, and what it said before says why
            self._process.stdin.write(json.dumps(message).encode() + b"\n")
            self._process.stdin.flush()
        line = self._line(message["do"], timeout_seconds)
        try:
            answer = json.loads(line)
        except ValueError:
            answer = None
        if isinstance(answer, dict) and isinstance(answer.get("error"), str):
            raise PeerError(_shortened(answer["error"]))
        if not isinstance(answer, dict) or answer.get("done") != message["do"]:
            said = line.decode("utf-8", "replace").strip()
            raise PeerError(_shortened(f"its answer to {message['do']} is not understood: {said}"))
        return answer

    def close(self) -> None:
        """End it and all that it started: first by closing its stdin, then by force."""
        assert self._process.stdin is not None and self._process.stdout is not None
        try:
            with suppress(BrokenPipeError):
                self._process.stdin.close()
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(_GRACE_SECONDS)
        finally:
            self._kill()
            self._process.wait()
            self._process.stdout.close()

    def _line(self, asked: str, timeout_seconds: float) -> bytes:
        """One line of its stdout."""
        assert self._process.stdout is not None
        descriptor, until = self._process.stdout.fileno(), time.monotonic() + timeout_seconds
        while b"\n" not in self._buffer:
            ready, _, _ = select.select([descriptor], [], [], max(0.0, until - time.monotonic()))
            if not ready:
                self._kill()
                raise PeerError(f"did not {asked} within {timeout_seconds:g} s, and was stopped")
            read = os.read(descriptor, _READ_BYTES)
            if not read:
                raise PeerError(self._ending(asked))
            self._buffer += read
        line, _, self._buffer = self._buffer.partition(b"\n")
        return line

    def _ending(self, asked: str) -> str:
        """Why there is no more to come, with the last line that it wrote to stderr."""
        try:
            code = self._process.wait(_GRACE_SECONDS)
        except subprocess.TimeoutExpired:
            return f"closed its stdout while asked to {asked}"
        how = f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"
        lines = [line.strip() for line in self._log.read_text("utf-8", "replace").splitlines() if line.strip()]
        return _shortened(": ".join([f"ended with {how} while asked to {asked}", *lines[-1:]]))

    def _kill(self) -> None:
        with suppress(ProcessLookupError):  # all of its group have ended
            os.killpg(self._process.pid, signal.SIGKILL)


def _shortened(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"


def thread_limits(threads: int) -> dict[str, str]:
    """What keeps libraries of any kind to so many threads, as variables for a process's environment."""
    names = ("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "NUMEXPR_NUM_THREADS", "RAYON_NUM_THREADS")
    return dict.fromkeys(names, str(threads))
