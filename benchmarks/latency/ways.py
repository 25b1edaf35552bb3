"""Who competes for latency: each way behind one call, token ids in, logits out."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from benchmarks.variants import formats_of
from bertline.bundle import Bundle
from infer.runners import Logits
from infer.scorer import Scorer

Feeds: TypeAlias = Mapping[str, NDArray[np.int64]]  # each (batch, sequence), by the name of the model's input
Run: TypeAlias = Callable[[Feeds], Logits]


@dataclass(frozen=True)
class Loaded:
    """A way that is ready: logits (batch, labels) float32 of a batch, BertlineError where it cannot."""

    run: Run
    provider: str  # what really runs


@dataclass(frozen=True)
class Way:
    """One way to run the classifier. `load` leaves in the stack what is to be undone at the end, and raises
    BertlineError where the way cannot run here.
    """

    title: str
    formats: tuple[str, ...]  # of numbers that it may multiply in
    exact: bool  # whether its logits have to be those of PyTorch fp32
    load: Callable[[ExitStack], Loaded]


def bertline_ways(bundle: Bundle, variants: Sequence[str], threads: int) -> list[Way]:
    """The bundle's variants, each on the provider that `--variant` takes here."""
    return [_variant(bundle, variant, threads) for variant in variants]


def _variant(bundle: Bundle, variant: str, threads: int) -> Way:
    def load(stack: ExitStack) -> Loaded:
        session = Scorer.open(bundle, device="cpu", variant=variant, threads=threads).session
        return Loaded(lambda feeds: session.run({name: feeds[name] for name in session.inputs}), session.provider)

    return Way(f"bertline {variant}", formats_of(variant), variant == "fp32", load)
