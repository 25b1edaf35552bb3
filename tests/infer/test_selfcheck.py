"""A bundle that answers as it did passes; one that does not fails with exit code 3."""

import json
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bertline.bundle import MANIFEST, Bundle
from bertline.errors import BertlineError
from bertline.files import sha256_of
from infer.golden import GOLDENS, Golden, goldens_to_text, read_goldens
from infer.scorer import Scorer
from infer.selfcheck import check_tokens, self_check
from tests import tiny
from tests.conftest import Cli


def with_goldens(bundle: Path, folder: Path, edit: Callable[[list[Golden]], list[Golden]]) -> Path:
    """A copy of the bundle whose goldens were edited by someone who can compute a hash."""
    copy = Path(shutil.copytree(bundle, folder / "bundle"))
    path = copy / GOLDENS
    path.write_text(goldens_to_text(edit(read_goldens(path))), encoding="utf-8")
    document = json.loads((copy / MANIFEST).read_text())
    document["files"][GOLDENS] = {"sha256": sha256_of(path), "bytes": path.stat().st_size}
    (copy / MANIFEST).write_text(json.dumps(document))
    return copy


def test_a_bundle_passes_every_check(bundle: Path, cli: Cli) -> None:
    opened = Bundle.open(bundle)
    checks = self_check(opened, Scorer.open(opened, variant="fp32"))
    assert [(check.name, check.passed) for check in checks] == [
        (name, True) for name in ("hashes", "token ids", "logits", "padding")
    ]
    outcome = cli("verify", bundle)
    assert outcome.code == 0 and outcome.out.count("ok ") == 4


def test_rows_of_a_table_are_compared_with_fp32_alone(bundle: Path, table: Path, cli: Cli) -> None:
    outcome = cli("verify", bundle, table, "--label-column", "label")
    assert outcome.code == 0 and outcome.out.count("ok ") == 5
    assert "24 rows, max |Δlogit|" in outcome.out and "0 flips" in outcome.out and "(fp32 alone " in outcome.out
    assert cli("verify", bundle, table, "--text-column", "nowhere").code == 1


def test_a_variant_that_flips_rows_of_a_table_fails(bundle: Path, table: Path, tmp_path: Path, cli: Cli) -> None:
    other = tmp_path / "other"
    tiny.export(tiny.write_model(tmp_path / "model", seed=5), other)
    copy = with_goldens(
        bundle, tmp_path, lambda found: [replace(g, logits=g.logits | {"int8": g.logits["fp32"]}) for g in found]
    )
    shutil.copy(other / "onnx/model.onnx", copy / "onnx/model_int8.onnx")
    document = json.loads((copy / MANIFEST).read_text())
    file = copy / "onnx/model_int8.onnx"
    document["files"]["onnx/model_int8.onnx"] = {"sha256": sha256_of(file), "bytes": file.stat().st_size}
    int8 = {"file": "onnx/model_int8.onnx", "golden_tolerance": 99}
    document["variants"]["int8"] = document["variants"]["fp32"] | int8
    (copy / MANIFEST).write_text(json.dumps(document))
    assert cli("verify", copy, "--variant", "int8").code == 0, "its goldens allow for anything"
    outcome = cli("verify", copy, table, "--variant", "int8")
    assert (
        outcome.code == 3 and "FAILED  rows" in outcome.out and "labels flip, allowed 1.0% of the rows" in outcome.out
    )


def test_other_logits_fail_and_name_the_text(bundle: Path, tmp_path: Path, cli: Cli) -> None:
    def edit(goldens: list[Golden]) -> list[Golden]:
        logits = goldens[3].logits | {"fp32": (9.0, 9.0)}
        return [*goldens[:3], replace(goldens[3], logits=logits), *goldens[4:]]

    stored = read_goldens(bundle / GOLDENS)[3]
    label = int(abs(np.array(stored.logits["fp32"]) - 9).argmax())
    outcome = cli("verify", with_goldens(bundle, tmp_path, edit))
    assert outcome.code == 3 and "FAILED  logits     max |Δlogit| " in outcome.out
    found = f"{stored.logits['fp32'][label]:.4f}"[:-1]
    assert re.search(rf"; worst: '.*' has {re.escape(found)}\d+ for label {label}, expected 9\.000000\n", outcome.out)
    assert outcome.err.count("\n") == 1 and "logits failed with fp32 on CPUExecutionProvider" in outcome.err


def test_other_token_ids_fail_and_those_of_hard_unicode_are_reported(bundle: Path) -> None:
    scorer = Scorer.open(bundle)
    core = next(golden for golden in read_goldens(bundle / GOLDENS) if golden.tag == "core")
    wrong = replace(core, input_ids=(*core.input_ids, 5))
    assert not check_tokens(scorer, [core, wrong]).passed
    hard = check_tokens(scorer, [core, replace(wrong, tag="hard-unicode")])
    place, five = len(core.input_ids), scorer.encoder.token(5)
    assert hard.passed and hard.finding == (
        f"1 of 2 goldens have the stored ids; hard-unicode {core.text!r} differs at token {place}: "
        f"expected 5 ({five!r}), found no token"
    )


def test_the_first_other_token_is_named_and_long_texts_are_cut(bundle: Path) -> None:
    scorer = Scorer.open(bundle)
    golden = replace(read_goldens(bundle / GOLDENS)[0], text="the cat " * 20, pair=None)
    ids = scorer.encoder.encode([golden.row]).input_ids[0]
    dog = scorer.encoder.encode(["dog"]).input_ids[0][1]
    found = check_tokens(scorer, [replace(golden, input_ids=(*ids[:2], dog, 10**9, *ids[4:]))])
    assert not found.passed and found.finding == (
        f"0 of 1 goldens have the stored ids; {golden.tag} {('the cat ' * 5)!r}".removesuffix("'") + "…' "
        f"differs at token 2: expected {dog} ('dog'), found {ids[2]} ('cat')"
    )
    unknown = check_tokens(scorer, [replace(golden, input_ids=(10**9,))])
    assert f"differs at token 0: expected {10**9} (None), found {ids[0]} ('[CLS]')" in unknown.finding


def test_goldens_that_cannot_be_checked_are_an_error(bundle: Path, tmp_path: Path, cli: Cli) -> None:
    for name, edit, message in (
        ("none", lambda goldens: [], "holds no golden example"),
        ("other", lambda goldens: [replace(g, logits={"pytorch": (0.0, 0.0)}) for g in goldens], "no logits of fp32"),
        ("long", lambda goldens: [replace(g, logits={"fp32": (0.0,) * 3}) for g in goldens], "no logits of fp32"),
    ):
        outcome = cli("verify", with_goldens(bundle, tmp_path / name, edit))
        assert outcome.code == 1 and message in outcome.err and outcome.err.count("\n") == 1


def test_another_max_length_cannot_be_checked(bundle: Path) -> None:
    with pytest.raises(BertlineError, match="leave out --max-length"):
        check_tokens(Scorer.open(bundle, max_length=8), read_goldens(bundle / GOLDENS))
