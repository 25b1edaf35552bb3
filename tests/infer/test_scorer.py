"""The same logits in any order, any batch and any window."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from bertline.bundle import MANIFEST
from bertline.errors import BertlineError, VerificationError
from bertline.files import sha256_of
from infer import Scorer
from tests import tiny

WITHIN = 1e-5  # max |Δlogit|


def random_texts(rows: int) -> list[str]:
    generator = np.random.default_rng(7)
    return [" ".join(generator.choice(tiny.WORDS, generator.integers(0, 90))) for _ in range(rows)]


@pytest.fixture
def copy(bundle: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(bundle, tmp_path / "bundle"))


def change_manifest(folder: Path, **fp32: Any) -> None:
    """Put keys into the fp32 variant, and the model's present hash into the files."""
    document = json.loads((folder / MANIFEST).read_text())
    document["variants"]["fp32"] |= fp32
    model = folder / "onnx" / "model.onnx"
    document["files"]["onnx/model.onnx"] = {"sha256": sha256_of(model), "bytes": model.stat().st_size}
    (folder / MANIFEST).write_text(json.dumps(document))


def test_scores_are_in_input_order_whatever_runs_together(bundle: Path) -> None:
    texts = random_texts(300)
    one_by_one = Scorer.open(bundle, batch_tokens=1).score(texts)
    assert one_by_one.shape == (300, 2) and one_by_one.dtype == np.float32
    for tokens in (64, 2048):
        logits = Scorer.open(bundle, batch_tokens=tokens).score(texts)
        assert np.abs(logits - one_by_one).max() <= WITHIN
    shuffled = np.random.default_rng(0).permutation(300)
    again = Scorer.open(bundle).score([texts[i] for i in shuffled])
    assert np.abs(again - one_by_one[shuffled]).max() <= WITHIN


def test_equal_rows_are_run_once_and_the_work_is_counted(bundle: Path) -> None:
    scorer = Scorer.open(bundle, max_length=8)
    logits = scorer.score(["the cat", "a dog", "the cat", "the " * 20, ""])
    assert (logits[0] == logits[2]).all() and not (logits[0] == logits[1]).all()
    work = scorer.work
    assert (work.rows, work.unique_rows, work.truncated, work.tokens) == (5, 4, 1, 4 + 4 + 8 + 2)
    assert work.padding_share == pytest.approx(1 - work.tokens / work.padded_tokens)


def test_no_texts(bundle: Path) -> None:
    assert Scorer.open(bundle).score([]).shape == (0, 2)


def test_one_text_is_a_list_of_one_and_pairs_need_a_bundle_of_pairs(bundle: Path) -> None:
    scorer = Scorer.open(bundle)
    with pytest.raises(TypeError, match="put the one text into a list"):
        scorer.score("the cat")
    with pytest.raises(BertlineError, match="scores single texts"):
        scorer.score(["the cat"], ["a dog"])


@pytest.mark.parametrize("max_length", [-1, 0, 2, 65, 2**70])
def test_max_length_stays_within_the_models_positions(bundle: Path, max_length: int) -> None:
    with pytest.raises(BertlineError, match=rf"--max-length {max_length}: the model takes 3 to 64 tokens"):
        Scorer.open(bundle, max_length=max_length)
    assert Scorer.open(bundle, max_length=3).encoder.max_length == 3


def test_what_is_not_there_is_named_with_what_is(bundle: Path) -> None:
    with pytest.raises(BertlineError, match=r"has no variant 'int8'; it has fp32; choose with --variant"):
        Scorer.open(bundle, variant="int8")


@pytest.mark.parametrize("name", ["onnx/model.onnx", "tokenizer.json"])
def test_a_changed_byte_is_found_before_anything_is_loaded(copy: Path, name: str) -> None:
    content = bytearray((copy / name).read_bytes())
    content[len(content) // 2] ^= 1
    (copy / name).write_bytes(content)
    with pytest.raises(VerificationError, match=rf"{name} has changed"):
        Scorer.open(copy)


def test_a_graph_that_is_not_what_the_manifest_says_is_refused(copy: Path) -> None:
    path = copy / "onnx" / "model.onnx"
    original = onnx.load(path)

    renamed = onnx.ModelProto()
    renamed.CopyFrom(original)
    renamed.graph.input[1].name = "mask"
    for node in renamed.graph.node:
        for index, name in enumerate(node.input):
            if name == "attention_mask":
                node.input[index] = "mask"
    onnx.save(renamed, path)
    change_manifest(copy)
    with pytest.raises(BertlineError, match=r"wants the inputs input_ids, mask, token_type_ids"):
        Scorer.open(copy)

    onnx.save(original, path)
    change_manifest(copy, layout="packed", first_position=0)
    with pytest.raises(BertlineError, match=r"wants the inputs input_ids, attention_mask, token_type_ids"):
        Scorer.open(copy)
    change_manifest(copy, layout="stacked")
    with pytest.raises(BertlineError, match=r"fp32 has the layout 'stacked', which this bertline does not know"):
        Scorer.open(copy)

    change_manifest(copy, layout="padded")
    document = json.loads((copy / MANIFEST).read_text())
    (copy / MANIFEST).write_text(json.dumps(document | {"labels": ["a", "b", "c"]}))
    with pytest.raises(BertlineError, match=r"gives no logits for 3 labels"):
        Scorer.open(copy)


def test_a_logit_that_is_no_number_is_an_error_that_names_the_text(copy: Path) -> None:
    path = copy / "onnx" / "model.onnx"
    model = onnx.load(path)
    weights = max(model.graph.initializer, key=lambda tensor: len(tensor.raw_data))  # of the embeddings
    weights.raw_data = np.full(weights.dims, np.nan, np.float32).tobytes()
    onnx.save(model, path)
    change_manifest(copy)
    with pytest.raises(BertlineError, match=r"fp32 gives a logit that is no number for 'the cat'"):
        Scorer.open(copy).score(["the cat"])
