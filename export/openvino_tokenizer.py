"""The tokenizer as OpenVINO runs it, for consumers without the tokenizers library."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from bertline.bundle import Manifest
from bertline.errors import BertlineError
from infer.golden import GOLDENS, read_goldens

GRAPH = "openvino_tokenizer.xml"  # and .bin beside it: one text to its token ids, uncut, without special tokens
LAYOUT = "layout.json"  # what stands around the texts


def require_openvino() -> None:
    """ModuleNotFoundError where the extra `openvino` is not installed."""
    import openvino_tokenizers  # noqa: F401


def write_openvino_tokenizer(bundle: Path, manifest: Manifest, target: Path) -> None:
    """Write both files into `target`; BertlineError where OpenVINO reads a core golden otherwise than the bundle does.

    OpenVINO's tokenizer cuts no pair as the tokenizers library does: it reads each text alone, and the consumer cuts
    the texts and puts them together.
    """
    import openvino
    from openvino_tokenizers import convert_tokenizer
    from tokenizers import Tokenizer
    from transformers import PreTrainedTokenizerFast

    tokenizer = Tokenizer.from_file(str(bundle / "tokenizer.json"))
    graph = convert_tokenizer(PreTrainedTokenizerFast(tokenizer_object=tokenizer), add_special_tokens=False)
    core = [golden for golden in read_goldens(bundle / GOLDENS) if golden.tag == "core"]
    texts = [text for golden in core for text in (golden.text, golden.pair) if text is not None]
    expected = [encoding.ids for encoding in tokenizer.encode_batch(texts, add_special_tokens=False)]
    for text, one, other in zip(texts, expected, _read(openvino.compile_model(graph, "CPU"), texts), strict=True):
        if one != other:
            raise BertlineError(f"OpenVINO's tokenizer reads {text[:40]!r} otherwise than the bundle's; leave out cpp")
    openvino.save_model(graph, target / GRAPH)
    layout = row_layout(tokenizer, len(manifest.text_columns))
    (target / LAYOUT).write_text(json.dumps(layout) + "\n", encoding="utf-8")


def row_layout(tokenizer: Any, texts: int) -> list[dict[str, int]]:
    """The pieces of a row in order: `{"token": id}` or `{"text": 0 or 1}`, each with the `type` of its tokens."""
    encoding = tokenizer.encode(*["a"] * texts)
    pieces: list[dict[str, int]] = []
    for token, type_id, text in zip(encoding.ids, encoding.type_ids, encoding.sequence_ids, strict=True):
        if text is None:
            pieces.append({"token": token, "type": type_id})
        elif {"text": text, "type": type_id} not in pieces:  # its first token stands for all
            pieces.append({"text": text, "type": type_id})
    return pieces


def _read(model: Any, texts: Sequence[str]) -> list[list[int]]:
    """Token ids of each text."""
    found = model(list(texts))
    lengths = found["attention_mask"].sum(axis=1)
    return [row[:length].tolist() for row, length in zip(found["input_ids"], lengths, strict=True)]
