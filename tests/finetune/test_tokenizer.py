"""The base model's tokenizer: fast, or one line that says what to do."""

import json
import shutil
import sys
from pathlib import Path

import pytest

from bertline.errors import BertlineError
from finetune.tokenizer import load_tokenizer
from tests import tiny
from tests.conftest import Cli

REMEDY = "start from a checkpoint with a tokenizer.json"


@pytest.fixture
def folder(model_dir: Path, tmp_path: Path) -> Path:
    """A checkpoint whose tokenizer is its vocabulary alone, as older ones are published."""
    copy = Path(shutil.copytree(model_dir, tmp_path / "model"))
    vocabulary = json.loads((copy / "tokenizer.json").read_text(encoding="utf-8"))["model"]["vocab"]
    (copy / "vocab.txt").write_text("".join(f"{word}\n" for word in vocabulary), encoding="utf-8")
    (copy / "tokenizer.json").unlink()
    (copy / "tokenizer_config.json").unlink()
    return copy


def configure(folder: Path, **settings: object) -> None:
    (folder / "tokenizer_config.json").write_text(json.dumps(settings))


def refusal(folder: Path) -> str:
    with pytest.raises(BertlineError) as refused:
        load_tokenizer(folder, "m")
    assert "\n" not in str(refused.value)
    return str(refused.value)


def test_a_vocabulary_of_bert_makes_a_fast_tokenizer(folder: Path, model_dir: Path) -> None:
    text = "The cat sleeps, and Mary reads."
    found, expected = (load_tokenizer(path, "m")(text)["input_ids"] for path in (folder, model_dir))
    assert found == expected


def test_a_tokenizer_that_has_no_fast_form_is_refused(folder: Path) -> None:
    configure(folder, tokenizer_class="BertJapaneseTokenizer", word_tokenizer_type="basic")
    assert refusal(folder) == f"--model m: BertJapaneseTokenizer has no fast form, which export needs; {REMEDY}"


def test_a_package_that_a_tokenizer_needs_is_named(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fugashi", None)  # not to be had, installed or not
    configure(folder, tokenizer_class="BertJapaneseTokenizer", word_tokenizer_type="mecab")
    told = refusal(folder)
    assert told.startswith("--model m: its tokenizer cannot be loaded (You need to install fugashi") and REMEDY in told


def test_a_vocabulary_that_is_not_there_is_one_line(folder: Path) -> None:
    configure(folder, tokenizer_class="CTRLTokenizer")
    assert refusal(folder).startswith("--model m: its tokenizer cannot be loaded (")


def test_a_sentencepiece_model_needs_its_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("finetune.tokenizer.find_spec", lambda name: None)  # installed or not
    folder = tiny.write_model(tmp_path / "m", "deberta-v2")
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").unlink()
    (folder / "spm.model").write_bytes(b"torn")
    assert refusal(folder) == (
        "--model m: its tokenizer is a SentencePiece model (spm.model), which another package converts: "
        f"pip install sentencepiece protobuf, or {REMEDY}"
    )
    monkeypatch.setattr("finetune.tokenizer.find_spec", lambda name: "there")
    assert refusal(folder).startswith("--model m: its tokenizer cannot be loaded (")


def test_the_command_says_it_in_one_line(cli: Cli, folder: Path, table: Path, tmp_path: Path) -> None:
    configure(folder, tokenizer_class="BertJapaneseTokenizer", word_tokenizer_type="basic")
    outcome = cli("finetune", table, "--model", folder, "-o", tmp_path / "out", "-q", "--device", "cpu")
    assert (outcome.code, outcome.err.count("\n")) == (1, 1)
    assert "has no fast form" in outcome.err and REMEDY in outcome.err
    assert not list(tmp_path.glob("out*"))
