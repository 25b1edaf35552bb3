"""The consumer for Node, with the packages of its lockfile beside it."""

import json
import shutil
from pathlib import Path

from benchmarks.runtimes.consumer import Program, Setting, megabytes
from benchmarks.runtimes.process import run
from benchmarks.runtimes.result import Installed
from bertline.errors import BertlineError

_RUNTIME, _TOKENIZERS = "onnxruntime-node", "@huggingface/tokenizers"


def open_node(setting: Setting) -> Program:
    """The program of a bundle."""
    node, modules = shutil.which("node"), setting.folder / "node_modules"
    if node is None:
        raise BertlineError("needs node; install Node 20 or later from your system's packages or https://nodejs.org")
    packages = [modules / name / "package.json" for name in (_RUNTIME, _TOKENIZERS)]
    if not all(file.is_file() for file in packages):
        raise BertlineError(f"its packages are not installed; npm ci --ignore-scripts --prefix {setting.folder}")
    versions = {name: _version(file) for name, file in zip((_RUNTIME, _TOKENIZERS), packages, strict=True)}
    versions["node"] = run([node, "--version"], setting.timeout_seconds).stdout.strip().removeprefix("v")
    counted = "node_modules, with libraries for all systems; Node apart"
    installed = Installed("node", versions, megabytes(modules), counted)
    return Program(installed, (node, setting.folder / "bertline.js"), setting)


def _version(package: Path) -> str:
    return str(json.loads(package.read_text(encoding="utf-8"))["version"])
