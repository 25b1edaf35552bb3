"""MCC of a file's batches of 32 rows, and how it spreads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bertline.evaluation.packing import packed, unpacked
from bertline.metrics import confusion_matrix, matthews

BATCH_ROWS = 32  # the notebook shows MCC by batches of 32 rows
MAX_BATCHES_KEPT = 512  # enough for a picture; a longer file must not grow the memory
MAX_ROWS_KEPT = BATCH_ROWS * MAX_BATCHES_KEPT


@dataclass(frozen=True)
class Spread:
    """How the MCC of batches is distributed."""

    batches: int
    mean: float
    lower_quartile: float
    median: float
    upper_quartile: float
    undefined: int  # batches of one true or one predicted label, whose MCC is 0 by definition


@dataclass
class Batches:
    """The first 512 batches of a stream of rows, whatever pieces it comes in.

    Their rows are kept and not their MCC: rows that come before these move every batch.
    """

    finished: bool = False  # no more rows come, so that the last batch may be shorter
    _rows: NDArray[np.int32] = field(default_factory=lambda: np.zeros((2, 0), np.int32))  # true and predicted label ids

    def add(self, true: NDArray[np.integer], predicted: NDArray[np.integer]) -> None:
        """Count rows; both arrays are label ids (rows,)."""
        room = MAX_ROWS_KEPT - self._rows.shape[1]
        if room:
            fresh = np.stack([true[:room], predicted[:room]]).astype(np.int32)
            self._rows = np.concatenate([self._rows, fresh], axis=1)

    def merge(self, later: "Batches") -> None:
        """As if the later rows had been added."""
        self.add(*later._rows)
        self.finished = later.finished

    def finish(self) -> None:
        """Count the last batch, which may be shorter."""
        self.finished = True

    @property
    def mcc(self) -> list[float]:
        """Of each batch, in order."""
        return [matthews(confusion_matrix(batch[0], batch[1], int(batch.max()) + 1)) for batch in self._whole()]

    @property
    def undefined(self) -> int:
        """Batches whose MCC is 0 by definition."""
        return sum(bool((batch == batch[:, :1]).all(axis=1).any()) for batch in self._whole())

    def _whole(self) -> list[NDArray[np.int32]]:
        """(2, up to 32) each; labels that do not occur change nothing."""
        kept = self._rows.shape[1]
        end = kept if self.finished else kept // BATCH_ROWS * BATCH_ROWS
        return [self._rows[:, start : min(end, start + BATCH_ROWS)] for start in range(0, end, BATCH_ROWS)]

    def spread(self) -> Spread | None:
        """Of all batches so far; None where there is none."""
        return spread_of(self.mcc, self.undefined)

    def state(self) -> dict[str, Any]:
        """JSON values, for `restored`."""
        return {"finished": self.finished, "rows": packed(self._rows, "<i4")}

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> "Batches":
        """Batches that go on from a `state`."""
        return cls(bool(state["finished"]), unpacked(state["rows"], "<i4").reshape(2, -1))


def spread_of(mcc: list[float], undefined: int) -> Spread | None:
    """Of the batches' MCC; None where there is none."""
    if not mcc:
        return None
    lower, median, upper = (float(value) for value in np.percentile(mcc, [25, 50, 75]))
    return Spread(len(mcc), sum(mcc) / len(mcc), lower, median, upper, undefined)
