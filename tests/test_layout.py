"""Who imports whom, as architecture.md draws it; what the runtime path never loads; how fast help is."""

import ast
import json
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
STATIONS = ("bertline", "finetune", "export", "infer", "benchmarks")
ON_TOP = {"bertline.__main__", "bertline.cli", "bertline.demo"}  # above the stations; all else in bertline is a leaf
HEAVY = {"torch", "transformers", "pandas", "sklearn", "accelerate", "matplotlib", "onnx", "pyarrow"}
HELP_CPU_SECONDS = 0.4

# What each leaf may import of the project.
LEAVES = {
    "bertline": set(),
    "bertline.errors": set(),
    "bertline.presets": set(),
    "bertline.options": {"bertline.presets"},
    "bertline.console": set(),
    "bertline.svg": set(),
    "bertline.schema": set(),
    "bertline.metrics": set(),
    "bertline.axes": {"bertline.svg"},
    "bertline.charts": {"bertline.axes", "bertline.svg"},
    "bertline.scatter": {"bertline.axes", "bertline.svg"},
    "bertline.ranking": {"bertline.svg"},
    "bertline.devices": {"bertline.errors"},
    "bertline.files": {"bertline.errors"},
    "bertline.processes": {"bertline.errors"},
    "bertline.blocks": set(),
    "bertline.lines": set(),
    "bertline.columns": {"bertline.errors"},
    "bertline.compression": {"bertline.errors", "bertline.lines"},
    "bertline.tsv": {f"bertline.{name}" for name in ("blocks", "columns", "errors", "lines", "presets")},
    "bertline.bundle": {"bertline.errors", "bertline.metrics", "bertline.problems", "bertline.schema"},
    "bertline.labels": {"bertline.columns", "bertline.schema"},
    "bertline.problems": {"bertline.labels", "bertline.metrics"},
    "bertline.model_folder": {"bertline.errors", "bertline.schema"},
    "bertline.report": set(),
    "bertline.evaluation.packing": set(),
    "bertline.evaluation.exact": set(),
    "bertline.evaluation.batches": {"bertline.metrics", "bertline.evaluation.packing"},
    "bertline.evaluation.scores": {"bertline.metrics"},
    "bertline.evaluation.lengths": {"bertline.metrics"},
    "bertline.evaluation.mistakes": set(),
    "bertline.evaluation.per_label": {"bertline.metrics"},
    "bertline.evaluation.moments": {"bertline.metrics", "bertline.evaluation.exact"},
    "bertline.evaluation.error_lengths": {
        "bertline.metrics",
        "bertline.evaluation.exact",
        "bertline.evaluation.lengths",
    },
    "bertline.evaluation.single_label": {
        "bertline.metrics",
        "bertline.problems",
        *(f"bertline.evaluation.{name}" for name in ("batches", "scores", "lengths", "mistakes", "per_label")),
    },
    "bertline.evaluation.multi_label": {
        "bertline.metrics",
        "bertline.problems",
        *(f"bertline.evaluation.{name}" for name in ("scores", "lengths", "mistakes", "per_label")),
    },
    "bertline.evaluation.regression": {
        "bertline.metrics",
        *(f"bertline.evaluation.{name}" for name in ("error_lengths", "mistakes", "moments", "packing")),
    },
    "bertline.evaluation": {
        "bertline.problems",
        *(f"bertline.evaluation.{name}" for name in ("single_label", "multi_label", "regression")),
    },
    "bertline.evaluation.charts": {"bertline.axes", "bertline.svg"},
    "bertline.evaluation.number_charts": {"bertline.axes", "bertline.svg"},
    "bertline.evaluation.shared_blocks": {
        "bertline.ranking",
        "bertline.report",
        *(f"bertline.evaluation.{name}" for name in ("charts", "lengths", "mistakes", "per_label")),
    },
    "bertline.evaluation.multi_label_section": {
        "bertline.axes",
        "bertline.charts",
        "bertline.problems",
        "bertline.report",
        *(f"bertline.evaluation.{name}" for name in ("multi_label", "scores", "shared_blocks")),
    },
    "bertline.evaluation.regression_section": {
        "bertline.axes",
        "bertline.report",
        *(f"bertline.evaluation.{name}" for name in ("charts", "number_charts", "regression", "shared_blocks")),
    },
    "bertline.evaluation.section": {
        "bertline.axes",
        "bertline.charts",
        "bertline.metrics",
        "bertline.problems",
        "bertline.report",
        "bertline.evaluation",
        *(f"bertline.evaluation.{name}" for name in ("batches", "scores", "charts", "shared_blocks")),
        *(f"bertline.evaluation.{name}" for name in ("multi_label_section", "regression_section")),
    },
}
# Which stations each station may import, besides itself and the leaves.
ARROWS = {
    "infer": set(),
    "finetune": set(),
    "export": {"infer"},
    "benchmarks": {"finetune", "export", "infer"},
}


def module_of(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


MODULES = {module_of(path): path for station in STATIONS for path in sorted((ROOT / station).rglob("*.py"))}


def imports_of(path: Path) -> Iterator[str]:
    """Every module of the project that is imported, at the top, in functions and under TYPE_CHECKING."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide where they lead"
            base = node.module or ""
            names = [f"{base}.{alias.name}" if f"{base}.{alias.name}" in MODULES else base for alias in node.names]
        else:
            continue
        yield from (name for name in names if name.split(".")[0] in STATIONS)


def allowed(module: str, imported: str) -> bool:
    if module in ON_TOP:
        return True
    if module in LEAVES:
        return imported in LEAVES[module]
    station, target = module.split(".")[0], imported.split(".")[0]
    return imported in LEAVES or target == station or target in ARROWS[station]


def test_no_import_goes_against_the_arrows() -> None:
    wrong = [
        f"{module} → {imported}"
        for module, path in MODULES.items()
        for imported in imports_of(path)
        if not allowed(module, imported)
    ]
    assert wrong == []


def test_every_module_of_bertline_has_its_place() -> None:
    assert {module for module in MODULES if module.split(".")[0] == "bertline"} == ON_TOP | set(LEAVES)


@pytest.mark.parametrize(
    ("module", "imported"),
    [
        ("finetune.train", "export.graph"),
        ("export.bundling", "finetune.train"),
        ("infer.scorer", "export.parity"),
        ("infer.scorer", "bertline.cli"),
        ("bertline.errors", "bertline.files"),
        ("bertline.tsv", "infer.rows"),
        ("infer.cli", "benchmarks.cli"),
    ],
)
def test_the_rule_refuses_what_it_should(module: str, imported: str) -> None:
    assert not allowed(module, imported)


def test_the_runtime_path_loads_nothing_heavy() -> None:
    modules = [name for name in MODULES if name.split(".")[0] in ("bertline", "infer") and name != "bertline.__main__"]
    program = (
        "import importlib, json, sys\n"
        f"for name in {modules!r}: importlib.import_module(name)\n"
        f"print(json.dumps(sorted({HEAVY!r} & set(sys.modules))))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert json.loads(done.stdout) == []


def test_help_is_instant() -> None:
    def cpu_seconds() -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-m", "bertline", "--help"], capture_output=True, check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    assert min(cpu_seconds() for _ in range(3)) < HELP_CPU_SECONDS


def test_only_ci_looks_outside_the_repository() -> None:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True)
    if listed.returncode:
        pytest.skip("no git checkout: the files of the repository are not known")
    outside = "/".join(("..", "shared"))  # so that this line does not mention it
    mentions = [
        name
        for name in listed.stdout.decode().split("\0")
        if name and (ROOT / name).is_file() and outside.encode() in (ROOT / name).read_bytes()
    ]
    assert mentions in ([], [".ci/run"])
