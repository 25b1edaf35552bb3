"""Tokenizers of the kinds that published checkpoints have, trained in a moment on the tests' own sentences.

Unigram (SentencePiece's) for XLM-RoBERTa, ALBERT and DeBERTa; BPE over bytes for RoBERTa and ModernBERT; WordPiece for
all others. Each is saved by the class that transformers has for its family, which rebuilds parts of it when it loads.
"""

from collections.abc import Mapping
from itertools import count
from pathlib import Path
from typing import Any

from tests import tiny

# What a Precompiled normalizer is for: forms that stand for others.
FORMS = {"\ufb01": "fi", "\u2460": "1", "\u00bd": "1/2", "\u2003": " ", "\u00a0": " ", "\ufeff": " "}


def write_own_tokenizer(folder: Path, family: str) -> Any:
    """The tokenizer of the kind that published models of that family have."""
    make = OWN.get(family)
    return tiny.write_tokenizer(folder, family) if make is None else _saved(make(), folder)


def charsmap(forms: Mapping[str, str]) -> bytes:
    """SentencePiece's precompiled map: a double array over UTF-8 (Darts), and behind it the texts that it leads to.

    A unit of a node holds its byte, whether a text ends there (bit 8), and where its children are, by exclusive or
    with the node's own place; a unit of a text holds the place of the text, and bit 31.
    """
    texts, places = b"", {}
    for form, text in forms.items():
        places[form.encode()] = len(texts)
        texts += text.encode() + b"\0"
    units = {0: 0}

    def put(place: int, byte: int, rest: dict[bytes, int]) -> None:
        heads = {key[0] if key else 0 for key in rest}
        offset = next(free for free in count(1) if not any(place ^ free ^ head in units for head in heads))
        units.update({place ^ offset ^ head: 0 for head in heads})
        units[place] = byte | (b"" in rest) << 8 | offset << 10
        for head in heads:
            if head:
                below = {key[1:]: text for key, text in rest.items() if key[:1] == bytes([head])}
                put(place ^ offset ^ head, head, below)
            else:
                units[place ^ offset] = rest[b""] | 1 << 31

    put(0, 0, places)
    size = (max(units) // 256 + 1) * 256
    array = b"".join(units.get(place, 0).to_bytes(4, "little") for place in range(size))
    return len(array).to_bytes(4, "little") + array + texts


def _texts() -> list[str]:
    from export.golden import CORE

    return [*tiny.SENTENCES, *(text for text in CORE if len(text) < 200)]


def _unigram(markers: list[str], unknown: str, *, lowercase: bool = False) -> list[tuple[str, float]]:
    """Pieces with their scores, trained; `markers` are the first."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Lowercase() if lowercase else None
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    tokenizer.train_from_iterator(
        _texts(),
        trainers.UnigramTrainer(
            vocab_size=200, special_tokens=markers, unk_token=unknown, initial_alphabet=letters, show_progress=False
        ),
    )
    return [(piece, score) for piece, score in _model(tokenizer)["vocab"]]


def _xlm_roberta() -> Any:
    from transformers import XLMRobertaTokenizer

    markers = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]
    return XLMRobertaTokenizer(vocab=_unigram(markers, "<unk>"), _spm_precompiled_charsmap=charsmap(FORMS))


def _albert() -> Any:
    from transformers import AlbertTokenizer

    vocabulary = _unigram(["<pad>", "<unk>", "[CLS]", "[SEP]", "[MASK]"], "<unk>", lowercase=True)
    return AlbertTokenizer(vocab=vocabulary, _spm_precompiled_charsmap=charsmap(FORMS))


def _deberta() -> Any:
    from transformers import DebertaV2Tokenizer

    return DebertaV2Tokenizer(vocab=_unigram(["[PAD]", "[CLS]", "[SEP]", "[UNK]", "[MASK]"], "[UNK]"))


def _byte_pairs(markers: list[str]) -> tuple[Any, dict[str, Any]]:
    """A trained tokenizer over bytes, and its model's settings."""
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=markers,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    tokenizer.train_from_iterator(_texts(), trainer)
    return tokenizer, _model(tokenizer)


def _roberta() -> Any:
    from transformers import RobertaTokenizer

    _, model = _byte_pairs(["<s>", "<pad>", "</s>", "<unk>", "<mask>"])
    return RobertaTokenizer(vocab=model["vocab"], merges=[tuple(pair) for pair in model["merges"]])


def _modernbert() -> Any:
    from tokenizers import normalizers, processors
    from transformers import PreTrainedTokenizerFast

    tokenizer, model = _byte_pairs(["[UNK]", "[CLS]", "[SEP]", "[PAD]", "[MASK]"])
    tokenizer.normalizer = normalizers.NFC()
    tokenizer.post_processor = processors.TemplateProcessing(
        single="[CLS]:0 $A:0 [SEP]:0",
        pair="[CLS]:0 $A:0 [SEP]:0 $B:0 [SEP]:0",
        special_tokens=[(marker, model["vocab"][marker]) for marker in ("[CLS]", "[SEP]")],
    )
    markers = {f"{name}_token": f"[{name.upper()}]" for name in ("pad", "unk", "cls", "sep", "mask")}
    inputs = ["input_ids", "attention_mask"]
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, model_input_names=inputs, **markers)


def _model(tokenizer: Any) -> dict[str, Any]:
    import json

    model: dict[str, Any] = json.loads(tokenizer.to_str())["model"]
    return model


def _saved(tokenizer: Any, folder: Path) -> Any:
    tokenizer.model_max_length = tiny.POSITIONS
    tokenizer.save_pretrained(folder)
    return tokenizer


OWN = {
    "roberta": _roberta,
    "xlm-roberta": _xlm_roberta,
    "albert": _albert,
    "deberta-v2": _deberta,
    "deberta-v3": _deberta,
    "modernbert": _modernbert,
}
