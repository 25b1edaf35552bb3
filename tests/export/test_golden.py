"""The golden examples hold what every runtime must give."""

import json
from pathlib import Path

import numpy as np

from export.golden import CORE, HARD_UNICODE, PAIRS, golden_rows
from export.reference import Reference
from infer.golden import read_goldens
from infer.scorer import Scorer


def test_every_golden_has_its_ids_and_both_logits(bundle: Path, reference: Reference) -> None:
    goldens = read_goldens(bundle / "golden.jsonl")
    assert [(golden.tag, golden.row) for golden in goldens] == golden_rows(pairs=False)
    texts = [golden.text for golden in goldens]
    encoded = reference.encode(texts, 64)
    assert [list(golden.input_ids) for golden in goldens] == encoded.input_ids
    assert [list(golden.token_type_ids) for golden in goldens] == encoded.token_type_ids
    stored = {name: np.array([g.logits[name] for g in goldens], np.float32) for name in ("pytorch", "fp32")}
    assert set(goldens[0].logits) == set(stored)
    assert np.abs(stored["pytorch"] - reference.logits(encoded)).max() < 1e-5
    assert np.abs(stored["fp32"] - Scorer.open(bundle).score(texts)).max() < 1e-5


def test_logits_are_stored_exactly(bundle: Path) -> None:
    for line in (bundle / "golden.jsonl").read_text(encoding="utf-8").splitlines():
        for logits in json.loads(line)["logits"].values():
            assert logits == [float(f"{np.float32(value):.9g}") for value in logits]


def test_goldens_cover_what_trips_tokenizers() -> None:
    texts = [*CORE, *HARD_UNICODE]
    assert "" in texts and any(len(text.split()) > 512 for text in texts)
    assert any("[SEP]" in text for text in texts) and any(text.startswith("\ufeff") for text in texts)
    assert any(text.isascii() and text.isupper() for text in "".join(texts).split())


def test_goldens_of_pairs_are_pairs() -> None:
    rows = golden_rows(pairs=True)
    assert all(isinstance(row, tuple) for _, row in rows)
    assert {row for _, row in rows} >= set(PAIRS)
