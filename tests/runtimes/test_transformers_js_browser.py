"""transformers.js in a browser loads a bundle as exported, from its own server alone, and answers as infer does."""

from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from infer.output import softmax
from infer.scorer import Scorer
from tests import tiny
from tests.conftest import Once
from tests.pages.browser import Browser
from tests.runtimes.conftest import write_bundle
from tests.runtimes.needs import REPOSITORY, needs
from tests.runtimes.served import running

PACKAGES = REPOSITORY / ".runtimes/loaders/node_modules"
CLASSIFY = """
  const { env, pipeline } = await import("/transformers/transformers.min.js");
  env.allowRemoteModels = false;
  env.allowLocalModels = true;
  env.localModelPath = "/models/";
  env.backends.onnx.wasm.wasmPaths = "/onnxruntime/"; // else they are fetched from another host
  const classify = await pipeline("text-classification", "bundle", { dtype: arguments[0], device: "wasm" });
  return classify(arguments[1], { top_k: null });
"""


@pytest.mark.parametrize(("variant", "dtype"), [("fp32", "fp32"), ("quantized", "q8")])
def test_its_pipeline_gives_the_same_probabilities(
    browser: Browser, once: Once, model_dir: Path, tmp_path: Path, variant: str, dtype: str
) -> None:
    needs(".runtimes/loaders/.installed")
    bundle = once("plain_bundle", lambda output: write_bundle(model_dir, output, ""))
    (tmp_path / "models").mkdir()
    (tmp_path / "models/bundle").symlink_to(bundle)
    (tmp_path / "transformers").symlink_to(PACKAGES / "@huggingface/transformers/dist")
    (tmp_path / "onnxruntime").symlink_to(PACKAGES / "onnxruntime-web/dist")
    (tmp_path / "index.html").write_text('<!doctype html><link rel="icon" href="data:,"><title>page</title>')

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with running(ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=tmp_path))) as port:
        browser.open(f"http://127.0.0.1:{port}/")
        answers = browser.run(CLASSIFY, dtype, tiny.SENTENCES)
        assert {url.split("/")[2] for url in browser.requests()} == {f"127.0.0.1:{port}"}
    scorer = Scorer.open(bundle, device="cpu", variant=variant, provider="cpu")
    found = [{answer["label"]: answer["score"] for answer in row} for row in answers]
    expected = softmax(scorer.score(tiny.SENTENCES))
    np.testing.assert_allclose([[row[label] for label in scorer.labels] for row in found], expected, atol=1e-5)
