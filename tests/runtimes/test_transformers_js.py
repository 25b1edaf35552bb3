"""transformers.js loads a bundle as exported, by its own names for the files, and answers as infer does.

Of a text that is longer than the maximum it keeps the first ids and drops the last separator: such texts it answers
otherwise than PyTorch does, with this bundle as with any other.
"""

import json
import subprocess
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer

from infer.encode import Encoded
from infer.output import softmax
from infer.scorer import Scorer
from tests import tiny
from tests.runtimes.needs import REPOSITORY, needs

PACKAGE = REPOSITORY / ".runtimes/loaders/node_modules/@huggingface/transformers/dist/transformers.node.mjs"
DTYPES = {"fp32": "fp32", "fp16": "fp16", "quantized": "q8"}
LONG = "the cat " * 100


@pytest.mark.parametrize("variant", DTYPES)
def test_its_pipeline_gives_the_same_probabilities(shipped: Path, tmp_path: Path, variant: str) -> None:
    needs("node", ".runtimes/loaders/.installed")
    texts = [*tiny.SENTENCES, "", LONG]
    code = f"""
        import {{ env, pipeline }} from "{PACKAGE}";
        env.allowRemoteModels = false;
        env.localModelPath = "{shipped.parent}/";
        const options = {{ dtype: "{DTYPES[variant]}", device: "cpu" }};
        const classify = await pipeline("text-classification", "{shipped.name}", options);
        console.log(JSON.stringify(await classify({json.dumps(texts)}, {{ top_k: null }})));
    """
    (tmp_path / "use.mjs").write_text(code, encoding="utf-8")
    done = subprocess.run(["node", tmp_path / "use.mjs"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    scorer = Scorer.open(shipped, device="cpu", variant=variant, provider="cpu")
    encoded = scorer.encoder.encode(texts)
    ids = Tokenizer.from_file(str(shipped / "tokenizer.json")).encode(LONG).ids[: scorer.encoder.max_length]
    rows = Encoded.from_rows([*encoded.input_ids[:-1], ids], encoded.token_type_ids, encoded.truncated)
    expected = softmax(scorer.run_tokens(rows))
    found = [{answer["label"]: answer["score"] for answer in row} for row in json.loads(done.stdout)]
    np.testing.assert_allclose([[row[label] for label in scorer.labels] for row in found], expected, atol=1e-5)
