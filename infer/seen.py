"""Texts seen before: each is scored once and its logits are kept for the rows that repeat it."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from infer.encode import Text

CAPACITY = 65_536  # distinct texts remembered; some 15 MB with sentences of CoLA's length
CHARACTERS = 16 * 2**20  # of them: whole documents must not fill the memory
WINDOWS = 4096  # for which texts are remembered: the journal has a line for each


@dataclass(frozen=True)
class Placement:
    """Where the logits of a window's rows will stand."""

    slots: NDArray[np.float32]  # (capacity, labels), shared by all windows of a generation
    cut: NDArray[np.bool_]  # (capacity,) whether the text was longer than the maximum, shared as well
    tokens: NDArray[np.int32]  # (capacity,) the text's length, special ones included, shared as well
    slot_of_row: NDArray[np.int64]  # (rows,)
    fresh: list[Text]  # to be scored, in order of appearance; the other rows repeat one of these or an earlier one
    first: int  # slot of fresh[0]

    @property
    def opens_generation(self) -> bool:
        """Whether nothing before this window is remembered."""
        return self.first == 0

    @property
    def fresh_slots(self) -> slice:
        """The slots of the fresh texts."""
        return slice(self.first, self.first + len(self.fresh))

    @property
    def rows_cut(self) -> int:
        """Rows whose text was longer than the maximum, those that repeat such a text included."""
        return int(self.cut[self.slot_of_row].sum())

    @property
    def row_tokens(self) -> NDArray[np.int32]:
        """Length (rows,) of each row's text in tokens, special ones included, cut at the maximum."""
        return self.tokens[self.slot_of_row]

    def logits(self) -> NDArray[np.float32]:
        """Logits (rows, labels) float32, in the window's order, once the fresh slots up to this window are filled."""
        return self.slots[self.slot_of_row]


class Seen:
    """The texts of one run. Windows are placed in order; what is remembered depends on them alone, so that a run
    that is resumed places them as before.

    When the memory is full, or has served many windows, everything is forgotten and a new generation begins: memory is
    bounded, and no order of use has to be kept.
    """

    def __init__(self, labels: int, *, dedupe: bool = True) -> None:
        self._labels, self._dedupe = labels, dedupe
        self._slot_of: dict[Text, int] = {}
        self._characters = self._windows = 0  # of what is remembered
        self._make_room(0)

    def place(self, texts: Sequence[Text]) -> Placement:
        """Give each row a slot; without dedupe each row is fresh, and nothing is remembered."""
        full = len(self._slot_of) + len(texts) > self._capacity
        full |= self._characters > CHARACTERS or self._windows >= WINDOWS
        if full or not self._slot_of:  # so that a run resumed behind a window without texts counts alike
            self._characters = self._windows = 0
            capacity = max(len(texts), CAPACITY if self._dedupe else 0)
            self._slot_of = {}
            self._make_room(capacity)
        if not self._dedupe:
            return Placement(*self._shared, np.arange(len(texts)), list(texts), 0)
        known, first = self._slot_of, len(self._slot_of)
        slot_of_row = np.fromiter((known.setdefault(text, len(known)) for text in texts), np.int64, len(texts))
        # A text is fresh where its slot is new, and new slots come in order of appearance.
        slots, at = np.unique(slot_of_row, return_index=True)
        fresh = [texts[row] for row in at[slots >= first]]
        self._characters += sum(len(text) if isinstance(text, str) else sum(map(len, text)) for text in fresh)
        self._windows += 1
        return Placement(*self._shared, slot_of_row, fresh, first)

    def _make_room(self, capacity: int) -> None:
        self._capacity = capacity
        logits = np.empty((capacity, self._labels), np.float32)
        self._shared = logits, np.zeros(capacity, bool), np.zeros(capacity, np.int32)
