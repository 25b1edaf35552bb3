"""`python-lean` is one file and three packages."""

import ast
import sys

from export.consumers import SOURCES


def test_it_imports_three_packages_and_no_more() -> None:
    tree = ast.parse((SOURCES / "python-lean" / "bertline_lean.py").read_text(encoding="utf-8"))
    imports = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    names = {(node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name for node in imports}
    assert {name for name in names if name not in sys.stdlib_module_names} == {"numpy", "onnxruntime", "tokenizers"}
