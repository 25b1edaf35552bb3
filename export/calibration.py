"""Rows of `--calibrate-on`: some to calibrate on, others to choose the layers by."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bertline.errors import BertlineError
from bertline.tsv import TableSpec
from infer.encode import Encoded, Text
from infer.rows import Rows
from infer.scorer import WINDOW_ROWS, Scorer

CALIBRATION_ROWS = 300  # what NNCF takes by default; 1,000 gained nothing
CHOOSING_ROWS = 1000
_SEED = 42


@dataclass(frozen=True)
class Calibration:
    """Two samples that share no text."""

    calibrating: Encoded
    choosing: Encoded


def read_calibration(files: Sequence[Path], spec: TableSpec, scorer: Scorer) -> Calibration:
    """Draw both samples at random from all rows, each text once, cut to the bundle's length.

    Raises BertlineError where there are fewer than two texts, or a table is none.
    """
    rows = Rows(files, spec, scorer.bundle.manifest, use_labels=False)
    drawn = _sample(rows, CALIBRATION_ROWS + CHOOSING_ROWS)
    if len(drawn) < 2:
        raise BertlineError(
            f"--calibrate-on {rows.name}: has one text, and int8 needs some to calibrate on and others to choose "
            f"layers by; give some {CALIBRATION_ROWS + CHOOSING_ROWS:,} rows"
        )
    split = min(CALIBRATION_ROWS, len(drawn) // 2)
    return Calibration(scorer.encoder.encode(drawn[:split]), scorer.encoder.encode(drawn[split:]))


def _sample(rows: Rows, size: int) -> list[Text]:
    """`size` rows drawn in one pass, in random order (Vitter's algorithm R), each text once."""
    generator = np.random.default_rng(_SEED)
    drawn: list[Text] = []
    seen = 0
    for window in rows.windows(WINDOW_ROWS):
        for text in window.texts:
            seen += 1
            if len(drawn) < size:
                drawn.append(text)
            elif (place := int(generator.integers(seen))) < size:
                drawn[place] = text
    order = generator.permutation(len(drawn))
    return list(dict.fromkeys(drawn[number] for number in order))
