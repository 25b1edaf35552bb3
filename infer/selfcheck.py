"""A bundle proves itself on this machine: hashes, token ids, logits alone, logits in a padded batch."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import zip_longest
from pathlib import Path

import numpy as np

from bertline.bundle import Bundle
from bertline.errors import BertlineError
from bertline.problems import REGRESSION
from bertline.tsv import TableSpec
from infer.golden import GOLDENS, Golden, encoded_goldens, read_goldens, stored_logits
from infer.parity import INVARIANT_WITHIN, Parity, limits_of
from infer.rows import Rows
from infer.runners import Logits
from infer.scorer import WINDOW_ROWS, Scorer

EXTRA_PADDING = 16  # tokens
SHOWN = 40  # characters of a text


@dataclass(frozen=True)
class Check:
    """One step of the self-check."""

    name: str
    passed: bool
    finding: str


def self_check(bundle: Bundle, scorer: Scorer) -> list[Check]:
    """Every step in order, on the scorer's variant and device; the hashes of all files come first.

    Raises VerificationError for a file that is missing or changed: what follows would mean nothing.
    """
    bundle.verify()
    checks = [Check("hashes", True, f"{len(bundle.manifest.files)} files are as the manifest says")]
    if GOLDENS not in bundle.manifest.files:
        raise BertlineError(f"{bundle.path}: has no {GOLDENS} to check against; export the model again")
    goldens = read_goldens(bundle.path / GOLDENS)
    tolerance = scorer.choice.golden_tolerance
    return [
        *checks,
        check_tokens(scorer, goldens),
        check_logits(scorer, goldens, tolerance),
        check_padding(scorer, goldens),
    ]


def check_tokens(scorer: Scorer, goldens: Sequence[Golden]) -> Check:
    """Token ids of the goldens; those tagged hard-unicode are reported and do not fail."""
    if scorer.encoder.max_length != scorer.bundle.manifest.max_length:
        raise BertlineError("the goldens hold for the bundle's own max_length; leave out --max-length")
    encoded = scorer.encoder.encode([golden.row for golden in goldens])
    differing = [(g, ids) for g, ids in zip(goldens, encoded.input_ids, strict=True) if list(g.input_ids) != ids]
    finding = f"{len(goldens) - len(differing)} of {len(goldens)} goldens have the stored ids"
    finding += "".join(f"; {g.tag} {_shown(g)} {_first_difference(scorer, g.input_ids, ids)}" for g, ids in differing)
    return Check("token ids", all(golden.tag != "core" for golden, _ in differing), finding)


def check_logits(scorer: Scorer, goldens: Sequence[Golden], tolerance: float) -> Check:
    """Logits of each golden alone against those stored for this variant."""
    labels = len(scorer.labels)
    if any(len(golden.logits.get(scorer.variant, ())) != labels for golden in goldens):
        raise BertlineError(f"{GOLDENS} holds no logits of {scorer.variant}; export the model again")
    stored = stored_logits(goldens, scorer.variant)
    found = alone(scorer, goldens)
    worst, row = _worst(stored, found)
    finding = f"max |Δlogit| {worst:.1e}, allowed {tolerance:.1e}"
    if worst > tolerance:
        label = int(_distance(stored[row], found[row]).argmax())
        expected, differs = stored[row, label], found[row, label]
        finding += f"; worst: {_shown(goldens[row])} has {differs:.6f} for label {scorer.labels[label]}, "
        finding += f"expected {expected:.6f}"
    return Check("logits", worst <= tolerance, finding)


def check_padding(scorer: Scorer, goldens: Sequence[Golden]) -> Check:
    """Logits of each golden alone against one batch of all of them, padded by 16 tokens beyond the longest."""
    worst = batch_variance(scorer, goldens)
    expected = scorer.choice.batch_invariant
    allowed = f"allowed {INVARIANT_WITHIN:.0e}" if expected else "stated, not limited"
    finding = f"alone and in a padded batch: max |Δlogit| {worst:.1e}, {allowed}"
    return Check("padding", worst <= INVARIANT_WITHIN or not expected, finding)


def check_rows(scorer: Scorer, table: Path, spec: TableSpec) -> Check:
    """Rows of a table, scored as `infer` would, against the bundle's fp32 graph on the plain CPU, each row alone.

    The limits are those that an export has by default; raises BertlineError for a table that is none.
    """
    exact = Scorer.open(
        scorer.bundle,
        device="cpu",
        variant="fp32",
        provider="cpu",
        threads=scorer.threads,
        max_length=scorer.encoder.max_length,
        batch_tokens=1,
    )
    parity = Parity(scorer.bundle.manifest.problem, "fp32 alone")
    if scorer.bundle.manifest.problem_type == REGRESSION:
        goldens = read_goldens(scorer.bundle.path / GOLDENS)  # which show the spread of a model's numbers
        parity.add_agreement(alone(scorer, goldens), alone(exact, goldens))
    for window in Rows([table], spec, scorer.bundle.manifest, use_labels=True).windows(WINDOW_ROWS):
        encoded = scorer.encoder.encode(window.texts)
        names = [window.where(row) for row in range(len(window))]
        parity.add(names, scorer.run_tokens(encoded), exact.run_tokens(encoded), window.labels)
    faults = parity.faults(limits_of(scorer.variant))
    return Check("rows", not faults, "; ".join([f"{table}: {parity.figures()}", *faults]))


def alone(scorer: Scorer, goldens: Sequence[Golden]) -> Logits:
    """Logits (rows, labels) float32 of stored token ids, one row a batch."""
    encoded = encoded_goldens(goldens)
    return np.concatenate([scorer.runner.run_batch(encoded, np.array([row])) for row in range(len(goldens))])


def batch_variance(scorer: Scorer, goldens: Sequence[Golden]) -> float:
    """max |Δlogit| between each golden alone, all in one batch, and all in a batch padded 16 tokens further."""
    single, encoded, rows = alone(scorer, goldens), encoded_goldens(goldens), np.arange(len(goldens))
    room = min(EXTRA_PADDING, scorer.bundle.manifest.positions - int(encoded.lengths.max()))
    return max(_worst(single, scorer.runner.run_batch(encoded, rows, further))[0] for further in (0, room))


def _shown(golden: Golden) -> str:
    """Its text or texts, short and on one line."""
    texts = [golden.text] if golden.pair is None else [golden.text, golden.pair]
    return " + ".join(repr(text if len(text) <= SHOWN else text[:SHOWN] + "…") for text in texts)


def _first_difference(scorer: Scorer, expected: Sequence[int], found: Sequence[int]) -> str:
    """`differs at token 3: expected 1037 ('a'), found 1996 ('the')`; the tokens are this bundle's."""
    pairs = zip_longest(expected, found)
    place, ids = next((place, pair) for place, pair in enumerate(pairs) if pair[0] != pair[1])
    names = ["no token" if token is None else f"{token} ({scorer.encoder.token(token)!r})" for token in ids]
    return f"differs at token {place}: expected {names[0]}, found {names[1]}"


def _distance(expected: Logits, found: Logits) -> Logits:
    """|Δlogit|; a NaN counts as infinitely far."""
    distance = np.abs(expected - found)
    return np.where(np.isnan(distance), np.float32(np.inf), distance)


def _worst(expected: Logits, found: Logits) -> tuple[float, int]:
    """Largest |Δlogit| and its row."""
    distance = _distance(expected, found).max(axis=1)
    row = int(distance.argmax())
    return float(distance[row]), row
