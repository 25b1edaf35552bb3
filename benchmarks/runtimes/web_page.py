"""The consumer that is a page: served on loopback, and opened anew for each table in a browser that knows nothing."""

import json
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Thread
from typing import Any

from benchmarks.runtimes.consumer import Setting, megabytes
from benchmarks.runtimes.process import run
from benchmarks.runtimes.result import Installed
from benchmarks.runtimes.webdriver import Browser, programs
from infer.selfcheck import Check
from infer.web import PageServer

_COUNTED = "the page with its libraries, which are in the bundle; the browser apart"
_SCORE = """
const [name, text] = arguments;
return bertline.ready
  .then(() => bertline.scoreTable(new File([text], name), { logits: true, tokenIds: true }))
  .then(({ blob }) => blob.text());
"""
_CHECK = "return bertline.ready.then(() => bertline.selfcheck({ all: true }));"


@dataclass(frozen=True)
class WebPage:
    """The page, at its address; WebAssembly computes, on a GPU it would be another machine."""

    installed: Installed
    setting: Setting
    address: str

    def score(self, table: Path, output: Path, variant: str) -> None:
        scored = self._run(variant, _SCORE, table.name, table.read_bytes().decode())
        output.write_bytes(scored.encode())

    def self_check(self, variant: str) -> list[Check]:
        return [Check(step["name"], step["passed"], step["finding"]) for step in self._run(variant, _CHECK)]

    def _run(self, variant: str, script: str, *arguments: str) -> Any:
        with (
            TemporaryDirectory(dir=self.setting.scratch) as profile,
            Browser.started(Path(profile), self.setting.timeout_seconds) as browser,
        ):
            browser.open(f"{self.address}?variant={variant}&backend=wasm")
            return browser.run(script, *arguments)


def open_web(setting: Setting) -> WebPage:
    """The page of a bundle, served until the end."""
    browser, _ = programs()
    packages = json.loads((setting.folder / "package.json").read_text(encoding="utf-8"))["dependencies"]
    told = run([browser, "--version"], setting.timeout_seconds).stdout.split()
    versions = {name: packages[name] for name in ("onnxruntime-web", "@huggingface/tokenizers")}
    versions["chromium"] = next((word for word in told if word[0].isdigit()), "unknown")
    server = setting.stack.enter_context(PageServer(setting.bundle))
    Thread(target=server.serve_forever, daemon=True).start()
    setting.stack.callback(server.shutdown)
    return WebPage(Installed("web", versions, megabytes(setting.folder), _COUNTED), setting, server.address)
