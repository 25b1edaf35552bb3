"""How token ids become logits: one small interface, whatever the layout of the graph."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TypeAlias

import numpy as np
from numpy.typing import NDArray

from infer.batching import plan_batches
from infer.encode import Encoded
from infer.session import OnnxSession

Logits: TypeAlias = NDArray[np.float32]
Progress: TypeAlias = Callable[[float], None]


@dataclass(frozen=True)
class Plan:
    """Batches that cover every row of some encoded texts once."""

    encoded: Encoded
    batch_tokens: int  # the budget they were made for
    batches: list[NDArray[np.int64]]  # of row indices
    computed_tokens: int  # padding included


class Runner(Protocol):
    """Runs token ids on one session. Plans need no session and may be made ahead, in another thread."""

    def plan(self, encoded: Encoded, batch_tokens: int) -> Plan:
        """Batches of all rows; `batch_tokens` is the most that one may hold, but for a row that is longer."""

    def run(self, plan: Plan, progress: Progress = lambda share: None) -> Logits:
        """Logits (rows, labels) float32 in the rows' order; `progress` is told the share of the tokens done, 0…1."""

    def run_batch(self, encoded: Encoded, rows: NDArray[np.int64], room: int = 0) -> Logits:
        """Logits of those rows as one batch, of a shape `room` tokens longer than it need be."""


class PaddedRunner:
    """For graphs of layout padded: (batch, sequence) inputs, filled up to a batch's longest row."""

    def __init__(self, session: OnnxSession, pad_id: int, labels: int) -> None:
        self._session, self._pad_id, self._labels = session, pad_id, labels

    def plan(self, encoded: Encoded, batch_tokens: int) -> Plan:
        lengths = encoded.lengths
        batches = plan_batches(lengths, batch_tokens, self._session.shape_tokens)
        computed = sum(len(batch) * int(lengths[batch].max()) for batch in batches)
        return Plan(encoded, batch_tokens, batches, computed)

    def run(self, plan: Plan, progress: Progress = lambda share: None) -> Logits:
        lengths = plan.encoded.lengths
        logits = np.empty((len(lengths), self._labels), np.float32)
        done, tokens = 0, int(lengths.sum())
        for batch in plan.batches:
            logits[batch] = self.run_batch(plan.encoded, batch)
            done += int(lengths[batch].sum())
            progress(done / max(1, tokens))
        return logits

    def run_batch(self, encoded: Encoded, rows: NDArray[np.int64], room: int = 0) -> Logits:
        return self._session.run(self.feeds(encoded, rows, room))

    def feeds(self, encoded: Encoded, rows: NDArray[np.int64], room: int = 0) -> dict[str, NDArray[np.int64]]:
        """One batch as the graph's own inputs, each (rows, longest + room) int64."""
        arrays: dict[str, Any] = encoded.padded(rows, self._pad_id, room)
        return {name: arrays[name] for name in self._session.inputs}
