"""The bundle's README says what it is and what was proven."""

from dataclasses import replace
from pathlib import Path

from bertline.bundle import Bundle
from export.golden import CORE, HARD_UNICODE
from export.model_card import model_card


def test_the_card_names_labels_columns_variants_and_figures(bundle: Path) -> None:
    manifest = Bundle.open(bundle).manifest
    fp32 = manifest.variants["fp32"]
    gate = replace(fp32.gates[0], rows=9594, max_abs_logit=4.7e-6, flips=0, mcc=0.31412, mcc_reference=0.31412)
    card = model_card(replace(manifest, variants={"fp32": replace(fp32, gates=(gate,))}), "my bundle")
    assert card.startswith("---\npipeline_tag: text-classification\n")
    assert "# my bundle" in card and "labels `0`, `1`, reading sentence, up to 64 tokens" in card
    row = next(line for line in card.splitlines() if line.startswith("| fp32 |"))
    assert "`onnx/model.onnx`" in row and "| 9,594 | 4.7e-06 | 0 | 0.3141 (0.3141) |" in row


def test_a_gate_without_labels_shows_no_mcc(bundle: Path) -> None:
    card = (bundle / "README.md").read_text(encoding="utf-8")
    assert f"| {len(CORE) + len(HARD_UNICODE)} |" in card and "| – | CPUExecutionProvider |" in card
