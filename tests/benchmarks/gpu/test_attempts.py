"""A failure becomes one line; Ctrl-C does not."""

import subprocess
import sys

import pytest

from benchmarks.gpu.attempts import Failed, NotHereError, attempt
from bertline.errors import BertlineError


def raising(error: BaseException) -> object:
    raise error


@pytest.mark.parametrize(
    ("error", "failed"),
    [
        (BertlineError("no such bundle"), Failed("no such bundle")),
        (NotHereError("no clocks"), Failed("no clocks", not_here=True)),
        (
            RuntimeError("\n  CUDA error: out of memory \nCompile with …"),
            Failed("RuntimeError: CUDA error: out of memory"),
        ),
        (TypeError(), Failed("TypeError")),
        (ImportError("No module named 'triton'"), Failed("ImportError: No module named 'triton'")),
    ],
)
def test_what_is_raised_is_told_in_one_line(error: Exception, failed: Failed) -> None:
    assert attempt(lambda: raising(error)) == failed


def test_a_result_is_passed_on_and_so_is_ctrl_c() -> None:
    assert attempt(lambda: 3) == 3
    with pytest.raises(KeyboardInterrupt):
        attempt(lambda: raising(KeyboardInterrupt()))


def test_a_process_that_takes_too_long_is_stopped() -> None:
    command = [sys.executable, "-c", "import time; time.sleep(60)"]
    found = attempt(lambda: subprocess.run(command, timeout=0.2))
    assert isinstance(found, Failed) and found.message == "its process was stopped, since the time was used up"
