"""The protocol: what a peer is asked, what it answers, and what it leaves in files."""

import ast
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchmarks.peers.catalogue import PEERS, SCRIPTS
from benchmarks.peers.environments import PROTOCOL
from benchmarks.peers.protocol import write_npy
from tests.benchmarks.peers import fakes

TEXTS = ["short", "ein längerer Satz", 'with a "quote"']


def talk(script: Path, *messages: dict[str, Any]) -> tuple[list[dict[str, Any]], subprocess.CompletedProcess[str]]:
    """All answers to all messages."""
    lines = "".join(json.dumps(message) + "\n" for message in messages)
    command = [str(word) for word in fakes.served(script)]
    done = subprocess.run(command, input=lines, capture_output=True, text=True, timeout=60)
    return [json.loads(line) for line in done.stdout.splitlines()], done


@pytest.fixture
def files(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "in.tsv").write_text("".join(f"{text}\n" for text in TEXTS), encoding="utf-8")
    names = {"input": "in.tsv", "output": "out.tsv", "logits": "logits.npy"}
    return {what: str(tmp_path / name) for what, name in names.items()}


def test_load_warm_and_score(files: dict[str, str], tmp_path: Path) -> None:
    peer = fakes.script(tmp_path, fakes.LENGTHS)
    load = {"do": "load", "way": "long", "folder": str(tmp_path)}
    answers, done = talk(peer, load, {"do": "warm"} | files, {"do": "score"} | files)
    assert done.returncode == 0, done.stderr
    assert [answer["done"] for answer in answers] == ["load", "warm", "score"]
    assert all(answer["seconds"] > 0 and 1 < answer["peak_memory_mib"] < 1000 for answer in answers)
    assert answers[0]["versions"].keys() == {"python", "pip"}
    logits = np.load(files["logits"])
    assert logits.dtype == np.float32 and logits.tolist() == [[0.0, len(text) - 10] for text in TEXTS]
    rows = [line.split("\t") for line in Path(files["output"]).read_text(encoding="utf-8").splitlines()]
    assert [row[:2] for row in rows] == [[TEXTS[0], "0"], [TEXTS[1], "1"], [TEXTS[2], "1"]]
    assert float(rows[0][2]) == pytest.approx(1 / (1 + np.exp(-5)))


def test_what_libraries_print_is_not_between_the_answers(tmp_path: Path) -> None:
    answers, done = talk(fakes.script(tmp_path, fakes.LENGTHS), {"do": "load", "way": "long"})
    assert len(answers) == 1 and "a library says hello" in done.stderr


def test_prepare_makes_files(tmp_path: Path) -> None:
    answers, _ = talk(fakes.script(tmp_path, fakes.LENGTHS), {"do": "prepare", "folder": str(tmp_path)})
    assert answers[0]["done"] == "prepare" and (tmp_path / "made").exists()


@pytest.mark.parametrize(
    ("text", "message", "reason"),
    [
        (fakes.IMPORTS_NOTHING_THERE, {"do": "load"}, "ModuleNotFoundError: No module named 'surely_not_installed'"),
        (fakes.LENGTHS, {"do": "load", "way": "high"}, "KeyError: 'high'"),
        (fakes.LENGTHS, {"do": "sing"}, "ValueError: 'sing' is not understood here"),
        (fakes.LENGTHS, {"do": "score"}, "ValueError: 'score' is not understood here"),
        ("def load(request):\n    raise ValueError('one\\ntwo')", {"do": "load"}, "ValueError: one"),
    ],
)
def test_an_error_is_one_line_and_the_end(text: str, message: dict[str, Any], reason: str, tmp_path: Path) -> None:
    answers, done = talk(fakes.script(tmp_path, text), message, message)
    assert answers == [{"error": reason}] and done.returncode == 1
    assert "Traceback" in done.stderr


@pytest.mark.parametrize("shape", [(0, 0), (1, 2), (7, 3), (1000, 2)])
def test_logits_are_a_numpy_file(shape: tuple[int, int], tmp_path: Path) -> None:
    rows = np.random.default_rng(0).standard_normal(shape).astype(np.float32)
    write_npy(tmp_path / "a.npy", rows.tolist())
    assert np.array_equal(np.load(tmp_path / "a.npy"), rows)


def imported_by(tree: ast.Module) -> set[str]:
    found = {alias.name for node in ast.walk(tree) if isinstance(node, ast.Import) for alias in node.names}
    return found | {node.module or "" for node in ast.walk(tree) if isinstance(node, ast.ImportFrom)}


@pytest.mark.parametrize("name", PEERS)
def test_a_peer_imports_nothing_of_ours(name: str) -> None:
    tree = ast.parse((SCRIPTS / name / "peer.py").read_text(encoding="utf-8"))
    found = imported_by(tree)
    for shared in (SCRIPTS / "shared").glob("*.py"):
        found |= imported_by(ast.parse(shared.read_text(encoding="utf-8")))
    assert not {module.split(".")[0] for module in found} & {"bertline", "benchmarks", "infer", "export", "finetune"}
    defined = {node.name for node in tree.body if isinstance(node, ast.FunctionDef)}
    assert "load" in defined
    assert ("prepare" in defined) == any(way.prepares for way in PEERS[name])


def test_the_protocol_needs_python_alone() -> None:
    modules = imported_by(ast.parse(PROTOCOL.read_text()))
    assert {module.split(".")[0] for module in modules} <= sys.stdlib_module_names
