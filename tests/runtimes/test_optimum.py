"""optimum loads a bundle as exported: its model class and transformers' pipeline answer as infer does."""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest

from benchmarks.peers.environments import Environment
from infer.output import softmax
from infer.scorer import Scorer
from tests import tiny
from tests.runtimes.conftest import VARIANTS
from tests.runtimes.needs import REPOSITORY, needs

PAIRS = [[text, tiny.SENTENCES[0]] for text in tiny.SENTENCES]
# In a process of the environment that has optimum: {"logits": rows of every file, "pipeline": rows of the first}.
PROGRAM = """
import json, sys
import torch
from optimum.onnxruntime import ORTModelForSequenceClassification
from transformers import AutoTokenizer, pipeline

folder, texts, files = json.load(sys.stdin)
tokenizer = AutoTokenizer.from_pretrained(folder)
columns = list(map(list, zip(*texts))) if isinstance(texts[0], list) else [texts]
found = {}
for name, file in files.items():
    model = ORTModelForSequenceClassification.from_pretrained(folder, subfolder="onnx", file_name=file)
    inputs = tokenizer(*columns, padding=True, truncation=True, return_tensors="pt")
    found[name] = model(**inputs).logits.tolist()
    classify = pipeline("text-classification", model=model, tokenizer=tokenizer, top_k=None)
    given = [{"text": text[0], "text_pair": text[1]} if isinstance(text, list) else text for text in texts]
    rows = [{each["label"]: each["score"] for each in row} for row in classify(given, truncation=True)]
    found[f"{name} pipeline"] = [[row[model.config.id2label[i]] for i in range(len(row))] for row in rows]
json.dump(found, sys.stdout)
"""


@pytest.mark.parametrize(
    ("name", "texts"), [("shipped", [*tiny.SENTENCES, "the cat " * 100]), ("shipped_pairs", PAIRS)]
)
def test_its_model_and_pipeline_answer_as_infer_does(
    request: pytest.FixtureRequest, name: str, texts: list[str] | list[list[str]]
) -> None:
    needs(".runtimes/peers/.installed")
    environment = Environment.of("optimum-onnx", REPOSITORY / ".runtimes" / "peers")
    folder: Path = request.getfixturevalue(name)
    files = {"fp32": "model.onnx", "fp16": "model_fp16.onnx", "quantized": "model_quantized.onnx"}
    done = subprocess.run(
        [environment.folder / "bin" / "python", "-I", "-c", PROGRAM],
        input=json.dumps([str(folder), texts, files]),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout.splitlines()[-1])
    given = [tuple(text) if isinstance(text, list) else text for text in texts]
    for variant in VARIANTS:
        scorer = Scorer.open(folder, device="cpu", variant=variant, provider="cpu")
        expected = scorer.run_tokens(scorer.encoder.encode(given))
        np.testing.assert_allclose(found[variant], expected, atol=1e-4)
        np.testing.assert_allclose(found[f"{variant} pipeline"], softmax(expected), atol=1e-5)
