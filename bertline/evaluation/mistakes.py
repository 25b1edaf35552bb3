"""The wrong answers that a model was surest of: often its blind spots, as often the label is what is wrong."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

Text = str | tuple[str, str]  # what was scored: one text, or a pair
Place = Callable[[int], tuple[str | None, int | None]]
KEPT = 10
DIGITS = 6  # of a weight: how a batch was put together, which moves the eighth, must not change the order
MAX_CHARACTERS = 300  # of a text that is shown
_SPACES = re.compile(r"[\t-\r\x1c-\x1f\x85\u2028\u2029]+")  # line ends and the like
# Other control characters, halves of letters, and marks that turn the direction of what comes behind them.
_HARMFUL = re.compile(r"[\x00-\x08\x0e-\x1b\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True)
class Mistake:
    """A row, what is true of it and what was predicted."""

    row: int  # from 1, among all rows that were scored, in their order
    file: str | None  # where it is from, as far as that is known
    line: int | None  # in that file, from 1; of Parquet, the row
    true: str | float  # label, labels with commas between, or number
    predicted: str | float
    weight: float  # how bad it is, to six digits: the probability of what is wrong, or how far off a number is
    texts: tuple[str, ...]  # shortened, one line each


@dataclass
class Mistakes:
    """The ten wrong rows of the highest weight, the highest first; of equal ones the earlier rows."""

    weighed_by: str = "probability"  # what the weight is called in JSON
    rows: list[Mistake] = field(default_factory=list)

    def add(
        self,
        first: int,
        weights: NDArray[np.float64],
        answers: Callable[[int], tuple[str | float, str | float]],
        texts: Sequence[Text],
        place: Place,
    ) -> None:
        """Look through rows that come behind all others, from number `first` on.

        Weights (rows,), NaN for a row that is right. Of the row at an index of these, `answers` gives what is true and
        what was predicted, and `place` file and line.
        """
        least = self.rows[-1].weight if len(self.rows) == KEPT else -1.0
        wrong = np.flatnonzero(weights > least)  # not those that are equal, which come later; nor NaN
        order = np.argsort(-weights[wrong], kind="stable")[:KEPT]
        for row in wrong[order].tolist():
            text = texts[row]
            shown = tuple(shortened(part) for part in ((text,) if isinstance(text, str) else text))
            file, line = place(row)
            file = None if file is None else harmless(file)
            self.rows.append(Mistake(first + row, file, line, *answers(row), float(weights[row]), shown))
        self._keep_worst()

    def merge(self, later: "Mistakes", rows_before: int) -> None:
        """As if the later rows had been added behind so many others."""
        self.rows += [replace(mistake, row=rows_before + mistake.row) for mistake in later.rows]
        self._keep_worst()

    def _keep_worst(self) -> None:
        self.rows = sorted(self.rows, key=lambda mistake: (-mistake.weight, mistake.row))[:KEPT]

    def state(self) -> list[dict[str, Any]]:
        """JSON values, for `restore`, and for reports."""
        return [
            {self.weighed_by if name == "weight" else name: value for name, value in asdict(mistake).items()}
            | {"texts": list(mistake.texts)}
            for mistake in self.rows
        ]

    def restore(self, state: Sequence[Mapping[str, Any]]) -> None:
        """Go on from a `state`."""
        self.rows = [
            Mistake(
                **{name: value for name, value in mistake.items() if name != self.weighed_by}
                | {"weight": mistake[self.weighed_by], "texts": tuple(mistake["texts"])}
            )
            for mistake in state
        ]


def shortened(text: str) -> str:
    """Its first 300 characters on one line, harmless, with an ellipsis for the rest."""
    return harmless(text if len(text) <= MAX_CHARACTERS else text[: MAX_CHARACTERS - 1].rstrip() + "…")


def harmless(text: str) -> str:
    """The text with spaces for line ends and U+FFFD for what would disturb a screen, a page or a file."""
    return _HARMFUL.sub("\ufffd", _SPACES.sub(" ", text))
