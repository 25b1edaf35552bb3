"""A consumer's program, run to its end, or to the end of its time."""

import os
import signal
import subprocess
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

from bertline.errors import BertlineError

_LONGEST = 300  # characters of a reason


def run(words: Sequence[str | Path], timeout_seconds: float) -> "subprocess.CompletedProcess[str]":
    """Run a program away from any folder of ours; BertlineError where it does not start, or does not end in time.

    It has a session of its own, so that all that it started ends with it, when we are interrupted, too.
    """
    command = [str(word) for word in words]
    try:
        process = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            cwd="/",
            text=True,
            errors="replace",
            start_new_session=True,
        )
    except OSError as error:
        raise BertlineError(f"does not start: {command[0]}: {error.strerror}") from None
    with process:
        try:
            out, err = process.communicate(timeout=timeout_seconds)
        except subprocess.TimeoutExpired:
            raise BertlineError(f"did not end within {timeout_seconds:g} s, and was stopped") from None
        finally:
            with suppress(ProcessLookupError):  # all of it has ended
                os.killpg(process.pid, signal.SIGKILL)
    return subprocess.CompletedProcess(command, process.returncode, out, err)


def ending(done: "subprocess.CompletedProcess[str]") -> str:
    """How a program ended, with the last line that it wrote to stderr."""
    code = done.returncode
    how = f"ended with exit code {code}" if code >= 0 else f"was ended by {signal.Signals(-code).name}"
    return shortened(": ".join([how, *done.stderr.strip().splitlines()[-1:]]))


def shortened(text: str) -> str:
    """One line that fits into a table."""
    line = " ".join(text.split())
    return line if len(line) <= _LONGEST else line[: _LONGEST - 1] + "…"
