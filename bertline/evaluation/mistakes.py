"""The wrong answers that a model was surest of: often its blind spots, as often the label is what is wrong."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

Text = str | tuple[str, str]  # what was scored: one text, or a pair
Place = Callable[[int], tuple[str | None, int | None]]
KEPT = 10
_DIGITS = 6  # of a probability: how a batch was put together, which moves the eighth, must not change the order
MAX_CHARACTERS = 300  # of a text that is shown
_SPACES = re.compile(r"[\t-\r\x1c-\x1f\x85\u2028\u2029]+")  # line ends and the like
# Other control characters, halves of letters, and marks that turn the direction of what comes behind them.
_HARMFUL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True)
class Mistake:
    """A row, its true label and what it was taken for."""

    row: int  # from 1, among all rows that were scored, in their order
    file: str | None  # where it is from, as far as that is known
    line: int | None  # in that file, from 1; of Parquet, the row
    true: str
    predicted: str
    probability: float  # of the predicted label, to six decimals
    texts: tuple[str, ...]  # shortened, one line each


@dataclass
class Mistakes:
    """The ten wrong rows of the highest probability, the highest first; of equal ones the earlier rows."""

    rows: list[Mistake] = field(default_factory=list)

    def add(
        self,
        first: int,
        labels: Sequence[str],
        true: NDArray[np.integer],
        predicted: NDArray[np.integer],
        probabilities: NDArray[np.float64],
        texts: Sequence[Text],
        place: Place,
    ) -> None:
        """Look through rows that come behind all others, from number `first` on.

        Label ids (rows,) twice, probabilities (rows, labels); `place` gives file and line of the row at an index.
        """
        wrong = np.flatnonzero(true != predicted)
        sure = probabilities[wrong, predicted[wrong]].round(_DIGITS)
        least = self.rows[-1].probability if len(self.rows) == KEPT else -1.0
        above = sure > least  # not those that are equal, which come later; nor NaN
        wrong, sure = wrong[above], sure[above]
        order = np.argsort(-sure, kind="stable")[:KEPT]
        for row, probability in zip(wrong[order].tolist(), sure[order].tolist(), strict=True):
            text = texts[row]
            shown = tuple(shortened(part) for part in ((text,) if isinstance(text, str) else text))
            names = labels[int(true[row])], labels[int(predicted[row])]
            file, line = place(row)
            file = None if file is None else harmless(file)
            self.rows.append(Mistake(first + row, file, line, *names, probability, shown))
        self.rows = sorted(self.rows, key=lambda mistake: (-mistake.probability, mistake.row))[:KEPT]

    def state(self) -> list[dict[str, Any]]:
        """JSON values, for `restored`, and for reports."""
        return [{**asdict(mistake), "texts": list(mistake.texts)} for mistake in self.rows]

    @classmethod
    def restored(cls, state: Sequence[Mapping[str, Any]]) -> "Mistakes":
        """Mistakes that go on from a `state`."""
        return cls([Mistake(**{**mistake, "texts": tuple(mistake["texts"])}) for mistake in state])


def shortened(text: str) -> str:
    """Its first 300 characters on one line, harmless, with an ellipsis for the rest."""
    return harmless(text if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS - 1].rstrip() + "…")


def harmless(text: str) -> str:
    """The text with spaces for line ends and U+FFFD for what would disturb a screen, a page or a file."""
    return _HARMFUL.sub("\ufffd", _SPACES.sub(" ", text))
