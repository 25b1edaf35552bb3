"""The proof of parity passes what is equal and names what is not."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.torch import load_file, save_file
from sklearn.metrics import matthews_corrcoef

from bertline.errors import VerificationError
from bertline.model_folder import ModelFolder
from bertline.problems import SingleLabel
from bertline.tsv import TableSpec
from export.parity import check_grid, compare_goldens, compare_rows, require
from export.reference import Reference
from infer.encode import Encoded
from infer.golden import read_goldens
from infer.parity import FP32_LIMITS, FP32_TOLERANCE, Parity
from infer.scorer import Scorer
from tests import tiny


@pytest.fixture(scope="module")
def scorer(bundle: Path) -> Scorer:
    return Scorer.open(bundle, device="cpu", threads=1)


@pytest.fixture
def other(model_copy: Path) -> Iterator[Reference]:
    """The same model but for the word "very", which it understands differently."""
    weights = load_file(model_copy / "model.safetensors")
    very = Reference(ModelFolder.open(model_copy)).tokenizer.convert_tokens_to_ids("very")
    weights["bert.embeddings.word_embeddings.weight"][very] += 3 * weights["bert.embeddings.word_embeddings.weight"][5]
    save_file(weights, model_copy / "model.safetensors", metadata={"format": "pt"})
    yield Reference(ModelFolder.open(model_copy))


def logits(*rows: tuple[float, float]) -> np.ndarray[tuple[int, ...], np.dtype[np.float32]]:
    return np.array(rows, np.float32)


def encoded(*ids: list[int]) -> Encoded:
    return Encoded.from_rows(ids, [[0] * len(row) for row in ids], np.zeros(len(ids), bool))


def test_the_worst_row_and_the_first_flip_are_named(scorer: Scorer) -> None:
    parity = Parity(SingleLabel(("0", "1")))
    parity.add(["a", "b"], logits((1, 0), (0, 1)), logits((1, 0.00001), (0, 1)))
    parity.add(["c", "d", "e"], logits((0, 1), (0, 0.5), (0.5, 0)), logits((0.25, 1), (0.75, 0.5), (0, 0.25)))
    assert (parity.rows, parity.flips, parity.first_flip) == (5, 2, "d")
    assert (parity.max_abs_logit, parity.worst) == (0.75, "d")
    gate = parity.gate(scorer, FP32_LIMITS)
    assert gate.mean_abs_logit == pytest.approx((0.00001 + 0.25 + 0.75 + 0.5 + 0.25) / 10)
    assert not gate.passed and gate.mcc is None
    with pytest.raises(VerificationError) as refusal:
        require(parity, FP32_LIMITS)
    assert "2 labels flip (first: d)" in str(refusal.value)
    assert "max |Δlogit| 7.50e-01, allowed 1e-04 (worst: d)" in str(refusal.value)


@pytest.mark.parametrize(
    ("own", "reference", "passed"),
    [
        (logits((1, 0)), logits((1, 0)), True),
        (logits((1, 0)), logits((1, 9e-5)), True),
        (logits((1, 0)), logits((1, 2e-4)), False),
        (logits((0, 1e-5)), logits((1e-5, 0)), False),  # as near as could be, and another answer
        (logits((1, np.nan)), logits((1, 0)), False),
        (logits((1, np.nan)), logits((1, np.nan)), False),
    ],
)
def test_a_gate_passes_within_tolerance_and_without_flips(
    own: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    reference: np.ndarray[tuple[int, ...], np.dtype[np.float32]],
    passed: bool,
    scorer: Scorer,
) -> None:
    parity = Parity(SingleLabel(("0", "1")))
    parity.add(["row"], own, reference)
    assert parity.gate(scorer, FP32_LIMITS).passed == passed


def test_other_token_ids_fail_the_gate_and_name_the_first_row(scorer: Scorer) -> None:
    parity = Parity(SingleLabel(("0", "1")))
    parity.add(["a"], logits((1, 0)), logits((1, 0)))
    parity.add_tokens(["a", "b", "c"], encoded([1, 2], [1], [3]), encoded([1, 2], [1, 2], [4]))
    with pytest.raises(VerificationError, match=r"2 rows get other token ids \(first: b\)"):
        require(parity, FP32_LIMITS)


def test_a_gate_on_labelled_rows_has_scikit_learns_mcc(scorer: Scorer, reference: Reference, tmp_path: Path) -> None:
    parity = compare_rows(
        [tiny.write_table(tmp_path / "t.tsv", 30)], TableSpec(label_column="label"), reference, scorer, []
    )
    gate = parity.gate(scorer, FP32_LIMITS)
    texts, true = [tiny.SENTENCES[row % 8] for row in range(30)], [row % 2 for row in range(30)]
    assert gate.passed and (gate.rows, gate.flips) == (30, 0)
    assert gate.mcc == pytest.approx(matthews_corrcoef(true, scorer.score(texts).argmax(axis=1)))
    assert gate.mcc_reference == gate.mcc
    assert 0 < gate.max_abs_logit < 1e-5 and (gate.device, gate.precision) == ("cpu", "fp32")
    require(parity, FP32_LIMITS)


def test_rows_are_named_by_file_line_and_text(scorer: Scorer, other: Reference, tmp_path: Path) -> None:
    files = [tmp_path / "first.tsv", tmp_path / "second.tsv"]
    files[0].write_text("sentence\nThe cat sleeps.\nThe dog sees.\n")
    files[1].write_text("sentence\nThe cat sees.\nMary is very very happy.\n")
    parity = compare_rows(files, TableSpec(), other, scorer, [])
    assert parity.worst == f"{files[1]}, line 3, 'Mary is very very happy.'"
    assert parity.max_abs_logit > FP32_TOLERANCE and parity.token_mismatches == 0


def test_the_goldens_are_compared(bundle: Path, scorer: Scorer, other: Reference) -> None:
    goldens = read_goldens(bundle / "golden.jsonl")
    assert compare_goldens(goldens, scorer).gate(scorer, FP32_LIMITS).passed
    goldens[3] = replace(goldens[3], logits=goldens[3].logits | {"pytorch": (9.0, -9.0)})
    goldens[1] = replace(goldens[1], input_ids=(2, 3))
    parity = compare_goldens(goldens, scorer)
    assert goldens[3].text in parity.worst and goldens[1].text in parity.first_mismatch


def test_the_grid_passes_the_same_model_and_fails_another(
    scorer: Scorer, reference: Reference, other: Reference
) -> None:
    assert 0 < check_grid(reference, scorer, FP32_TOLERANCE) < 1e-5
    with pytest.raises(VerificationError, match=r"batch × sequence (ragged )?\S+: max \|Δlogit\|"):
        check_grid(other, scorer, FP32_TOLERANCE)
