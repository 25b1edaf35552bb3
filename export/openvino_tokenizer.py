"""The tokenizer as OpenVINO runs it, for consumers without the tokenizers library."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bertline.bundle import Manifest
from bertline.errors import BertlineError
from infer.golden import GOLDENS, read_goldens

GRAPH = "openvino_tokenizer.xml"  # and .bin beside it: one text to its token ids, uncut, without special tokens
LAYOUT = "layout.txt"  # the pieces of a row

# OpenVINO folds these to μ, σ and s, which lower-casing leaves as they are: they wear masks meanwhile.
_MASKS = {"µ": "\ue001", "ς": "\ue002", "ſ": "\ue003"}
_UNKNOWN = "\ue000"  # no vocabulary has it
_UTF8_BYTES = 4  # of a character, at most


def require_openvino() -> None:
    """ModuleNotFoundError where the extra `openvino` is not installed."""
    import openvino_tokenizers  # noqa: F401


def write_openvino_tokenizer(bundle: Path, manifest: Manifest, target: Path) -> None:
    """Write both into `target`; BertlineError where OpenVINO cannot read as the bundle does, shown by core goldens.

    OpenVINO's tokenizer cuts no pair as the tokenizers library does: it reads each text alone, and the consumer cuts
    the texts and puts them together.
    """
    import openvino
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(bundle / "tokenizer.json"))
    try:
        graph = openvino_graph(tokenizer)
    except Exception as error:  # OpenVINO's exceptions share no base class
        reason = (str(error).strip() or type(error).__name__).splitlines()[-1]
        raise BertlineError(f"OpenVINO does not know this tokenizer ({reason}); leave out cpp") from error
    core = [golden for golden in read_goldens(bundle / GOLDENS) if golden.tag == "core"]
    texts = [text for golden in core for text in (golden.text, golden.pair) if text is not None]
    expected = [encoding.ids for encoding in tokenizer.encode_batch(texts, add_special_tokens=False)]
    for text, one, other in zip(texts, expected, read_by_openvino(graph, texts), strict=True):
        if one != other:
            raise BertlineError(f"OpenVINO's tokenizer reads {text[:40]!r} otherwise than the bundle's; leave out cpp")
    openvino.save_model(graph, target / GRAPH)
    pieces = row_layout(tokenizer, len(manifest.text_columns))
    (target / LAYOUT).write_text("".join(f"{piece}\n" for piece in pieces), encoding="utf-8")


def openvino_graph(tokenizer: Any) -> Any:
    """The tokenizer as an `openvino.Model`: texts to padded `input_ids` and their `attention_mask`."""
    from openvino_tokenizers import convert_tokenizer
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    document = json.loads(tokenizer.to_str())
    longest_word = document["model"].get("max_input_chars_per_word")
    if (document["normalizer"] or {}).get("type") == "BertNormalizer" and longest_word:
        document["normalizer"] = _agreeing(document["normalizer"], longest_word)
    wrapped = PreTrainedTokenizerFast(tokenizer_object=Tokenizer.from_str(json.dumps(document)))
    graph = convert_tokenizer(wrapped, add_special_tokens=False)
    for node in graph.get_ops():
        if node.get_type_name() == "WordpieceTokenizer" and longest_word:
            node.set_attribute("max_bytes_per_word", longest_word * _UTF8_BYTES)  # of its own, 100, for any tokenizer
    return graph


def read_by_openvino(graph: Any, texts: Sequence[str]) -> list[list[int]]:
    """Token ids of each text."""
    import openvino

    found = openvino.compile_model(graph, "CPU")(list(texts))
    lengths = found["attention_mask"].sum(axis=1)
    return [row[:length].tolist() for row, length in zip(found["input_ids"], lengths, strict=True)]


def row_layout(tokenizer: Any, texts: int) -> list[str]:
    """The pieces of a row in order, each with the type of its tokens: `token ID TYPE`, `text 0 TYPE`, `text 1 TYPE`."""
    encoding = tokenizer.encode(*["a"] * texts)
    pieces: list[str] = []
    for token, type_id, text in zip(encoding.ids, encoding.type_ids, encoding.sequence_ids, strict=True):
        piece = f"token {token} {type_id}" if text is None else f"text {text} {type_id}"
        if text is None or piece not in pieces:  # a text's first token stands for all
            pieces.append(piece)
    return pieces


def _agreeing(normalizer: dict[str, Any], longest_word: int) -> dict[str, Any]:
    """BERT's normalizer with what OpenVINO's form of it lacks, said in steps that it knows.

    It removes no characters for private use, and it measures words in bytes: one of too many characters becomes a
    character that is in no vocabulary.
    """
    too_long = rf"[^\s\p{{P}}$+<=>^`|~]{{{longest_word + 1},}}"  # none of BERT's punctuation
    return {
        "type": "Sequence",
        "normalizers": [
            _replace(r"\p{Co}", ""),
            *(_replace(letter, mask) for letter, mask in _MASKS.items()),
            normalizer,
            *(_replace(mask, letter) for letter, mask in _MASKS.items()),
            _replace(too_long, _UNKNOWN),
        ],
    }


def _replace(pattern: str, content: str) -> dict[str, Any]:
    return {"type": "Replace", "pattern": {"Regex": pattern}, "content": content}
