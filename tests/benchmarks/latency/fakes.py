"""Ways that answer at once."""

from collections.abc import Callable
from contextlib import ExitStack

import numpy as np

from benchmarks.latency.result import PYTORCH
from benchmarks.latency.ways import Feeds, Loaded, Run, Way
from bertline.errors import BertlineError
from infer.runners import Logits


def zeros(feeds: Feeds) -> Logits:
    return np.zeros((len(feeds["input_ids"]), 2), np.float32)


def by(difference: float, *, shape: tuple[int, int] | None = None) -> Run:
    """Logits that far from 0; of one shape only, where one is given."""

    def run(feeds: Feeds) -> Logits:
        return zeros(feeds) + np.float32(difference if shape in (None, feeds["input_ids"].shape) else 0)

    return run


def failing(reason: str, *, shape: tuple[int, int]) -> Run:
    """Fails on one shape."""

    def run(feeds: Feeds) -> Logits:
        if feeds["input_ids"].shape == shape:
            raise BertlineError(reason)
        return zeros(feeds)

    return run


def way(title: str = PYTORCH, run: Run = zeros, *, exact: bool = True, undo: Callable[[], object] = bool) -> Way:
    """A way that runs `run`, and calls `undo` at the end."""

    def load(stack: ExitStack) -> Loaded:
        stack.callback(undo)
        return Loaded(run, "a provider")

    return Way(title, ("float32",), exact, load)


def missing(title: str, reason: str) -> Way:
    """A way that cannot be loaded."""

    def load(stack: ExitStack) -> Loaded:
        raise BertlineError(reason)

    return Way(title, ("float32",), True, load)
