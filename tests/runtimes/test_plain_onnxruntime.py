"""A bundle read as any ONNX model on a hub would be: the file, its inputs by name, the tokenizer beside it."""

import json
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
from tokenizers import Tokenizer

from infer.encode import Text
from infer.scorer import Scorer
from tests import tiny
from tests.runtimes.conftest import VARIANTS

FILES = {"fp32": "onnx/model.onnx", "fp16": "onnx/model_fp16.onnx", "quantized": "onnx/model_quantized.onnx"}
PAIRS = [(text, tiny.SENTENCES[0]) for text in tiny.SENTENCES]


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize(("name", "texts"), [("shipped", tiny.SENTENCES), ("shipped_pairs", PAIRS)])
def test_a_few_lines_give_the_same_logits(
    request: pytest.FixtureRequest, name: str, texts: list[Text], variant: str
) -> None:
    folder: Path = request.getfixturevalue(name)
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.enable_truncation(tiny.POSITIONS)
    tokenizer.enable_padding(pad_id=config["pad_token_id"])
    encoded = tokenizer.encode_batch(texts)
    arrays = {
        "input_ids": np.array([row.ids for row in encoded]),
        "attention_mask": np.array([row.attention_mask for row in encoded]),
        "token_type_ids": np.array([row.type_ids for row in encoded]),
    }
    session = onnxruntime.InferenceSession(folder / FILES[variant], providers=["CPUExecutionProvider"])
    found = session.run(None, {each.name: arrays[each.name] for each in session.get_inputs()})[0]
    scorer = Scorer.open(folder, device="cpu", variant=variant, provider="cpu")
    expected = scorer.run_tokens(scorer.encoder.encode(texts))
    np.testing.assert_allclose(found, expected, atol=1e-4)
    names = [config["id2label"][str(best)] for best in found.argmax(axis=1)]
    assert names == [scorer.labels[best] for best in expected.argmax(axis=1)]
