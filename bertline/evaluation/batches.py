"""MCC of a file's batches of 32 rows, and how it spreads."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bertline.metrics import confusion_matrix, matthews

BATCH_ROWS = 32  # the notebook shows MCC by batches of 32 rows
MAX_BATCHES_KEPT = 512  # enough for a picture; a longer file must not grow the memory


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
    """The first 512 batches of a stream of rows, whatever pieces it comes in."""

    mcc: list[float] = field(default_factory=list)
    undefined: int = 0
    _true: list[int] = field(default_factory=list)  # of the batch that is not full yet
    _predicted: list[int] = field(default_factory=list)

    def add(self, true: NDArray[np.integer], predicted: NDArray[np.integer]) -> None:
        """Count rows; both arrays are label ids (rows,)."""
        # What no batch will hold is not kept: a large window's rows would be in every line of a journal.
        wanted = max(0, (MAX_BATCHES_KEPT - len(self.mcc)) * BATCH_ROWS - len(self._true))
        self._true += true[:wanted].tolist()
        self._predicted += predicted[:wanted].tolist()
        full = len(self._true) // BATCH_ROWS * BATCH_ROWS
        for start in range(0, full, BATCH_ROWS):
            self._close(self._true[start : start + BATCH_ROWS], self._predicted[start : start + BATCH_ROWS])
        self._true, self._predicted = self._true[full:], self._predicted[full:]

    def finish(self) -> None:
        """Count the last batch, which may be shorter."""
        if self._true:
            self._close(self._true, self._predicted)
            self._true, self._predicted = [], []

    def _close(self, true: list[int], predicted: list[int]) -> None:
        self.undefined += len(set(true)) == 1 or len(set(predicted)) == 1
        labels = max(*true, *predicted) + 1  # labels that do not occur change nothing
        self.mcc.append(matthews(confusion_matrix(np.array(true), np.array(predicted), labels)))

    def spread(self) -> Spread | None:
        """Of all batches so far; None where there is none."""
        if not self.mcc:
            return None
        lower, median, upper = (float(value) for value in np.percentile(self.mcc, [25, 50, 75]))
        return Spread(len(self.mcc), sum(self.mcc) / len(self.mcc), lower, median, upper, self.undefined)

    def state(self) -> dict[str, Any]:
        """JSON values, for `restored`."""
        open_rows = [list(self._true), list(self._predicted)]
        return {"mcc": list(self.mcc), "undefined": self.undefined, "open": open_rows}

    @classmethod
    def restored(cls, state: Mapping[str, Any]) -> "Batches":
        """Batches that go on from a `state`."""
        true, predicted = state["open"]
        return cls(list(state["mcc"]), state["undefined"], list(true), list(predicted))
