"""One measurement that fails must not take the others with it."""

import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from bertline.errors import BertlineError

T = TypeVar("T")


class NotHereError(BertlineError):
    """What this device or this model does not have."""


@dataclass(frozen=True)
class Failed:
    """Why there is no result."""

    message: str  # one line
    not_here: bool = False


def attempt(call: Callable[[], T]) -> T | Failed:
    """What `call` returns, or why it does not; Ctrl-C goes through."""
    try:
        return call()
    except BertlineError as error:
        return Failed(str(error), isinstance(error, NotHereError))
    except subprocess.TimeoutExpired:
        return Failed("its process was stopped, since the time was used up")
    except Exception as error:
        # PyTorch, its compilers, transformers and the drivers below them raise what they like: there is no base class,
        # and what comes is written into the document.
        lines = [line.strip() for line in str(error).splitlines() if line.strip()]
        return Failed(": ".join([type(error).__name__, *lines[:1]]))
