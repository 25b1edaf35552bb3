"""The tokenizer in OpenVINO's form reads as the bundle's does, or is refused."""

import json
import sys
from pathlib import Path

import pytest
from tokenizers import Tokenizer, models

from bertline.bundle import Bundle
from bertline.errors import BertlineError
from export.openvino_tokenizer import openvino_graph, read_by_openvino, row_layout, write_openvino_tokenizer
from infer.golden import GOLDENS, read_goldens
from tests import tiny
from tests.conftest import Cli

LONG = 40  # characters of a word that the tiny tokenizer still reads


@pytest.fixture(scope="module")
def tokenizer(bundle: Path) -> Tokenizer:
    return Tokenizer.from_file(str(bundle / "tokenizer.json"))


def test_every_golden_and_the_hard_cases_are_read_alike(bundle: Path, tokenizer: Tokenizer) -> None:
    texts = [golden.text for golden in read_goldens(bundle / GOLDENS)]
    texts += ["x" * LONG, "x" * (LONG + 1), "cat " + "и" * LONG, "и" * (LONG + 1) + ".", "the" + "x" * 90 + "-cat"]
    texts += ["5 µm", "Ὀδυσσεύς", "ſ", "a\ue000b", "[MASK][SEP] cat", "a\0b", "\ufeffcat", "", " "]
    expected = [encoding.ids for encoding in tokenizer.encode_batch(texts, add_special_tokens=False)]
    assert read_by_openvino(openvino_graph(tokenizer), texts) == expected


def test_letters_that_openvino_folds_keep_their_own_tokens(tokenizer: Tokenizer) -> None:
    document = json.loads(tokenizer.to_str())
    vocabulary = document["model"]["vocab"]
    for letter in "µμςσſ":
        vocabulary[letter] = len(vocabulary)
    knowing = Tokenizer.from_str(json.dumps(document))
    texts = list("µμςσſs")
    expected = [[vocabulary[letter]] for letter in texts]
    assert [encoding.ids for encoding in knowing.encode_batch(texts, add_special_tokens=False)] == expected
    assert read_by_openvino(openvino_graph(knowing), texts) == expected


@pytest.mark.parametrize(
    ("family", "texts", "expected"),
    [
        ("bert", 1, ["token 2 0", "text 0 0", "token 3 0"]),
        ("bert", 2, ["token 2 0", "text 0 0", "token 3 0", "text 1 1", "token 3 1"]),
        ("roberta", 2, ["token 0 0", "text 0 0", "token 2 0", "token 2 0", "text 1 0", "token 2 0"]),
    ],
)
def test_a_row_is_laid_out_as_the_tokenizer_does(tmp_path: Path, family: str, texts: int, expected: list[str]) -> None:
    tiny.write_tokenizer(tmp_path, family)
    assert row_layout(Tokenizer.from_file(str(tmp_path / "tokenizer.json")), texts) == expected


def test_a_tokenizer_that_openvino_reads_otherwise_is_refused(bundle: Path, tmp_path: Path) -> None:
    """Only BERT's own normalizer is helped to measure words in characters, and one golden has a long word."""
    (tmp_path / GOLDENS).write_bytes((bundle / GOLDENS).read_bytes())
    document = json.loads((bundle / "tokenizer.json").read_text(encoding="utf-8"))
    document["normalizer"] = {"type": "Lowercase"}
    (tmp_path / "tokenizer.json").write_text(json.dumps(document), encoding="utf-8")
    with pytest.raises(BertlineError, match="otherwise than the bundle's; leave out cpp"):
        write_openvino_tokenizer(tmp_path, Bundle.open(bundle).manifest, tmp_path)
    assert not list(tmp_path.glob("openvino*"))


def test_a_tokenizer_that_openvino_does_not_know_is_refused(bundle: Path, tmp_path: Path) -> None:
    Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]")).save(str(tmp_path / "tokenizer.json"))
    with pytest.raises(BertlineError, match=r"OpenVINO does not know this tokenizer \(.+\); leave out cpp"):
        write_openvino_tokenizer(tmp_path, Bundle.open(bundle).manifest, tmp_path)


def test_without_openvino_the_extra_is_named_before_any_work(
    cli: Cli, model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "openvino_tokenizers", None)
    outcome = cli("export", model_dir, "-o", tmp_path / "b", "--runtimes", "cpp")
    assert outcome.code == 1
    assert outcome.err == "bertline: openvino_tokenizers is not installed; pip install 'bertline[openvino]'\n"
    assert not (tmp_path / "b").exists()
