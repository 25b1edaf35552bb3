"""Golden examples: stored texts with the token ids and logits that every runtime must reproduce."""

import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bertline.errors import BertlineError
from bertline.schema import from_json, parse_json
from infer.encode import Encoded, Text

GOLDENS = "golden.jsonl"


@dataclass(frozen=True)
class Golden:
    """One line of golden.jsonl."""

    tag: str  # core: every tokenizer must agree; hard-unicode: differences are reported
    text: str
    pair: str | None
    input_ids: tuple[int, ...]
    token_type_ids: tuple[int, ...]
    logits: dict[str, tuple[float, ...]]  # by "pytorch" and each variant's name

    @property
    def row(self) -> Text:
        return self.text if self.pair is None else (self.text, self.pair)


def read_goldens(path: Path) -> list[Golden]:
    """All goldens of a bundle; BertlineError names the line that is none."""
    goldens = []
    for number, line in enumerate(path.read_bytes().split(b"\n"), 1):
        if line:
            problems: list[str] = []
            try:
                golden = from_json(Golden, parse_json(line), "", problems)
            except ValueError as error:
                problems.append(f"not JSON ({error})")
            if problems:
                raise BertlineError(f"{path}, line {number}: {'; '.join(problems)}; export the model again")
            goldens.append(golden)
    if not goldens:
        raise BertlineError(f"{path}: holds no golden example; export the model again")
    return goldens


def stored_logits(goldens: Sequence[Golden], name: str) -> NDArray[np.float32]:
    """What a variant, or `pytorch`, answered when the bundle was made: (goldens, labels) float32."""
    return np.array([golden.logits[name] for golden in goldens], np.float32)


def encoded_goldens(goldens: Sequence[Golden]) -> Encoded:
    """The stored token ids and types, as a tokenizer would give them; none counts as cut."""
    ids, types = [golden.input_ids for golden in goldens], [golden.token_type_ids for golden in goldens]
    return Encoded.from_rows(ids, types, np.zeros(len(goldens), bool))


def goldens_to_text(goldens: Iterable[Golden]) -> str:
    """The content of golden.jsonl."""
    return "".join(json.dumps(asdict(golden), ensure_ascii=False) + "\n" for golden in goldens)
