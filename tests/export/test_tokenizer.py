"""The tokenizer as it ships: neither padding nor truncation, the ids consumers need, the longest row."""

import base64
import json
from pathlib import Path

import pytest
from transformers import AutoTokenizer

from bertline.errors import BertlineError
from bertline.model_folder import ModelFolder
from export.tokenizer import bundle_max_length, rebuilt, tokenizer_facts, write_tokenizer
from tests import tiny
from tests.conftest import Cli
from tests.tokenizers_of import FORMS, OWN, charsmap, write_own_tokenizer


def change(file: Path, **values: object) -> None:
    file.write_text(json.dumps(json.loads(file.read_text(encoding="utf-8")) | values), encoding="utf-8")


def test_padding_and_truncation_of_the_source_are_left_behind(model_copy: Path, tmp_path: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(model_copy)
    tokenizer("a", padding="max_length", truncation=True, max_length=16)
    tokenizer.save_pretrained(model_copy)
    source = json.loads((model_copy / "tokenizer.json").read_text(encoding="utf-8"))
    assert source["padding"] and source["truncation"]
    (tmp_path / "target").mkdir()
    write_tokenizer(ModelFolder.open(model_copy), tmp_path / "target", 64)
    written = json.loads((tmp_path / "target" / "tokenizer.json").read_text(encoding="utf-8"))
    assert written == source | {"padding": None, "truncation": None}


def test_companions_travel_and_paths_stay(model_copy: Path, tmp_path: Path) -> None:
    (model_copy / "vocab.txt").write_text("[PAD]\n")
    change(
        model_copy / "tokenizer_config.json", name_or_path="/home/someone/model", tokenizer_file="/home/someone/t.json"
    )
    (tmp_path / "target").mkdir()
    names = write_tokenizer(ModelFolder.open(model_copy), tmp_path / "target", 64)
    assert names == ["tokenizer.json", "tokenizer_config.json", "vocab.txt"]
    assert sorted(file.name for file in (tmp_path / "target").iterdir()) == names
    text = (tmp_path / "target" / "tokenizer_config.json").read_text(encoding="utf-8")
    assert "someone" not in text and json.loads(text)["pad_token"] == "[PAD]"


@pytest.mark.parametrize(
    ("settings", "kind"),
    [
        ({"tokenizer_class": "TokenizersBackend", "model_max_length": 512}, "PreTrainedTokenizerFast"),
        ({"tokenizer_class": "BertTokenizer"}, "BertTokenizer"),
        (None, "PreTrainedTokenizerFast"),
    ],
)
def test_other_loaders_know_the_class_and_cut_where_the_bundle_does(
    settings: dict[str, object] | None, kind: str, model_copy: Path, tmp_path: Path
) -> None:
    if settings is None:
        (model_copy / "tokenizer_config.json").unlink()
    else:
        change(model_copy / "tokenizer_config.json", **settings)
    model = ModelFolder.open(model_copy)
    (tmp_path / "target").mkdir()
    write_tokenizer(model, tmp_path / "target", 48)
    written = json.loads((tmp_path / "target" / "tokenizer_config.json").read_text(encoding="utf-8"))
    assert (written["tokenizer_class"], written["model_max_length"]) == (kind, 48)
    assert AutoTokenizer.from_pretrained(tmp_path / "target").model_max_length == 48


BERT = {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None}


@pytest.mark.parametrize(
    ("normalizer", "expected"),
    [
        (BERT | {"lowercase": True}, (True, True)),
        (BERT | {"lowercase": False}, (False, False)),
        (BERT | {"lowercase": True, "strip_accents": False}, (True, False)),
        (None, (False, False)),
    ],
)
def test_facts_of_the_tokenizer(
    normalizer: dict[str, object] | None, expected: tuple[bool, bool], model_copy: Path
) -> None:
    change(model_copy / "tokenizer.json", normalizer=normalizer)
    facts = tokenizer_facts(ModelFolder.open(model_copy), AutoTokenizer.from_pretrained(model_copy), 64)
    assert (facts.pad_id, facts.unk_id, facts.cls_id, facts.sep_id, facts.positions) == (0, 1, 2, 3, 64)
    assert (facts.lowercase, facts.strip_accents) == expected


def test_the_maximum_is_the_recipes_else_the_tokenizers_within_the_positions(model_copy: Path) -> None:
    tokenizer = AutoTokenizer.from_pretrained(model_copy)
    folder = ModelFolder.open(model_copy)
    assert [bundle_max_length(folder, tokenizer, positions) for positions in (512, 40)] == [tiny.POSITIONS, 40]
    (model_copy / "training.json").write_text('{"recipe": {"max_length": 48}}')
    folder = ModelFolder.open(model_copy)
    assert bundle_max_length(folder, tokenizer, 512) == 48
    with pytest.raises(BertlineError, match="trained at max_length 48, but the model takes 40 tokens"):
        bundle_max_length(folder, tokenizer, 40)


def as_of_version_4(folder: Path) -> None:
    """The normalizer that published files of DeBERTa-v3 have, which transformers 5 makes another of."""
    marks = base64.b64encode(charsmap(FORMS)).decode()
    steps: list[dict[str, object]] = [
        {"type": "Strip", "strip_left": True, "strip_right": True},
        {"type": "Precompiled", "precompiled_charsmap": marks},
        {"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "},
    ]
    change(folder / "tokenizer.json", normalizer={"type": "Sequence", "normalizers": steps})


def test_a_tokenizer_that_transformers_rebuilds_is_named_with_both_remedies(tmp_path: Path, cli: Cli) -> None:
    model = tiny.write_model(tmp_path / "model", "deberta-v3", make_tokenizer=write_own_tokenizer)
    as_of_version_4(model)
    outcome = cli("export", model, "-o", tmp_path / "bundle", "-q")
    assert outcome.code == 3 and outcome.err.count("\n") == 1
    assert "rows get other token ids" in outcome.err and "DebertaV2Tokenizer has another normalizer" in outcome.err
    assert not (tmp_path / "bundle").exists()
    change(model / "tokenizer_config.json", tokenizer_class="PreTrainedTokenizerFast")
    folder = ModelFolder.open(model)
    own = AutoTokenizer.from_pretrained(model)
    assert rebuilt(folder, own) is None
    assert own("the \ufb01ne cat")["input_ids"] == own("the fine cat")["input_ids"], "which the file's normalizer does"
    change(model / "tokenizer_config.json", tokenizer_class="DebertaV2Tokenizer")
    AutoTokenizer.from_pretrained(model).save_pretrained(model)
    assert rebuilt(ModelFolder.open(model), AutoTokenizer.from_pretrained(model)) is None


@pytest.mark.parametrize("family", OWN)
def test_a_tokenizer_that_was_saved_by_its_class_is_taken_as_it_is(family: str, tmp_path: Path) -> None:
    tiny.write_model(tmp_path, family, make_tokenizer=write_own_tokenizer)
    assert rebuilt(ModelFolder.open(tmp_path), AutoTokenizer.from_pretrained(tmp_path)) is None
