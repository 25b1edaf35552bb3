"""Which files the series are made of."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.ceiling import flop_per_row
from benchmarks.scale.files import digits_for, distinct, spelled, spelled_rows
from benchmarks.scale.result import LENGTHS, REPEATS, ROWS, THREADS
from benchmarks.scale.turns import Plan
from infer.cpus import usable_cpus
from infer.encode import Encoder

TIMES = 10  # how often each sentence stands in the file of repeats


@dataclass(frozen=True)
class Sizes:
    """What the series vary; one that is empty, or 0, is left out."""

    rows: tuple[int, ...] = ()  # of files of distinct sentences
    lengths: tuple[int, ...] = ()  # tokens of each row, special ones included
    length_tokens: int = 131_072  # of each such file in all, about
    thread_rows: int = 0  # of the file that is scored with 1, 2, 4… threads
    repeat_rows: int = 0  # distinct sentences that are scored once, and ten times each


@dataclass(frozen=True)
class Planner:
    """Plans for one bundle, the sentences of one table, and one way of running."""

    texts: Sequence[str]  # distinct ones
    sizes: Sizes
    encoder: Encoder
    positions: int  # tokens that the model takes at most
    threads: int
    options: tuple[str, ...]
    config: Mapping[str, Any] | None  # of the model, for its FLOP

    def series(self) -> dict[str, list[Plan]]:
        """By kind of series, those that have any."""
        found = {ROWS: self._rows(), REPEATS: self._repeats(), LENGTHS: self._lengths(), THREADS: self._threads()}
        return {kind: plans for kind, plans in found.items() if plans}

    def _rows(self) -> list[Plan]:
        return [self._sentences(f"{count:,} rows", count, count) for count in sorted(set(self.sizes.rows))]

    def _repeats(self) -> list[Plan]:
        count = self.sizes.repeat_rows
        if not count:
            return []
        names = f"{count:,} sentences once", f"each of them {TIMES} times"

        def shuffled() -> list[str]:
            once = list(distinct(self.texts, count, self._digits))
            return [str(text) for text in np.random.default_rng(42).permutation(once * TIMES)]

        first = self._sentences(names[0], 1, count)
        return [first, replace(first, name=names[1], x=TIMES, file="often", rows=count * TIMES, texts=shuffled)]

    def _lengths(self) -> list[Plan]:
        return [self._length(length) for length in sorted(set(self.sizes.lengths))]

    def _length(self, length: int) -> Plan:
        letters, missing = length - self.encoder.markers(1), None
        if length > self.positions:
            missing = f"the model takes at most {self.positions} tokens"
        elif letters < 1:
            missing = "leaves no token between the markers"
        count = 0 if missing else spelled_rows(letters, self.sizes.length_tokens // length)
        each = self._flop(np.array([length]))
        return Plan(
            f"{length} tokens",
            length,
            str(length),
            count,
            2.0 * letters,
            partial(spelled, letters, count),
            self.threads,
            (*self.options, "--max-length", str(self.positions)),
            count * length,
            None if each is None else each * count,
            missing,
        )

    def _threads(self) -> list[Plan]:
        count, cpus = self.sizes.thread_rows, usable_cpus()
        if not count:
            return []
        if cpus == 1:
            return [replace(self._sentences("2 threads", 2, count, 2), missing="this process may use 1 CPU")]
        return [
            self._sentences("1 thread" if threads == 1 else f"{threads} threads", threads, count, threads)
            for threads in thread_counts(cpus)
        ]

    def _sentences(self, name: str, x: int, count: int, threads: int | None = None) -> Plan:
        texts = partial(distinct, self.texts, count, self._digits)
        return Plan(
            name,
            x,
            str(count),
            count,
            self._row_bytes,
            texts,
            threads or self.threads,
            self.options,
            None,
            self._sentence_flop(count),
        )

    @cached_property
    def _digits(self) -> int:
        most = max([*self.sizes.rows, self.sizes.thread_rows, self.sizes.repeat_rows])
        return digits_for(self.texts, most)

    @cached_property
    def _row_bytes(self) -> float:
        return float(np.mean([len(text.encode()) for text in self.texts])) + 2 * self._digits + 1

    @cached_property
    def _lengths_of_a_round(self) -> NDArray[np.int64]:
        """Tokens of each sentence with the letters behind it."""
        return self.encoder.encode(list(distinct(self.texts, len(self.texts), self._digits))).lengths

    def _sentence_flop(self, count: int) -> float | None:
        if self.config is None:
            return None
        rounds, rest = divmod(count, len(self.texts))
        whole = self._flop(self._lengths_of_a_round)
        return None if whole is None else rounds * whole + (self._flop(self._lengths_of_a_round[:rest]) or 0.0)

    def _flop(self, lengths: NDArray[np.int64]) -> float | None:
        """Of the encoder's matrix products for rows of so many tokens; None where they are not known."""
        if self.config is None or not len(lengths):
            return None
        each = flop_per_row(self.config, lengths)
        return None if each is None else each * len(lengths)


def thread_counts(cpus: int) -> tuple[int, ...]:
    """1, 2, 4… and all."""
    return (*(2**power for power in range((cpus - 1).bit_length())), cpus)
