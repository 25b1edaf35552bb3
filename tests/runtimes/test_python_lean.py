"""`python-lean` is one file and three packages, and says what differs."""

import ast
import re
import shutil
import sys
from pathlib import Path

import pytest

from export.consumers import SOURCES
from tests.conftest import Once
from tests.runtimes.conftest import prepared
from tests.runtimes.programs import PROGRAMS
from tests.runtimes.test_programs import changed_goldens


def test_it_imports_three_packages_and_no_more() -> None:
    tree = ast.parse((SOURCES / "python-lean" / "bertline_lean.py").read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {(node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name for node in imports}
    assert {name for name in names if name not in sys.stdlib_module_names} == {"numpy", "onnxruntime", "tokenizers"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            "ids",
            r"token ids  39 of 40 goldens .+; core .+ differs at token 1: expected \d+, found \d+",
        ),
        ("logits", r"logits     max .+; worst: '.+' has -?\d\.\d{6} for label 0, expected -?\d\.\d{6}\n"),
    ],
)
def test_its_self_check_says_what_differs(once: Once, shipped: Path, tmp_path: Path, change: str, said: str) -> None:
    program = PROGRAMS["python-lean"]
    ready = prepared(once, shipped, program)
    bundle = Path(shutil.copytree(ready, tmp_path / "bundle"))
    changed_goldens(bundle, change)
    assert re.search(said, program.run(bundle, "selfcheck").stdout)
