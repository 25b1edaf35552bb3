"""A built wheel in an empty environment scores a file, with nothing installed but the `cpu` extra."""

import subprocess
import sys
import venv
import zipfile
from pathlib import Path

import pytest

from tests import tiny

ROOT = Path(__file__).parent.parent


def run(*command: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, cwd="/")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    built = run(sys.executable, "-m", "build", "--wheel", "--outdir", folder, ROOT)
    if "ConnectionError" in built.stderr or "No matching distribution" in built.stdout + built.stderr:
        pytest.skip("no package index is reachable, and building fetches hatchling")
    assert built.returncode == 0, built.stdout + built.stderr
    return next(folder.glob("*.whl"))


@pytest.fixture(scope="module")
def environment(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bin folder of a new environment that holds the wheel and its `cpu` extra."""
    folder = tmp_path_factory.mktemp("empty")
    venv.create(folder, with_pip=True)
    installed = run(folder / "bin" / "pip", "install", "--quiet", f"{wheel}[cpu]")
    assert installed.returncode == 0, installed.stderr
    return folder / "bin"


def test_wheel_holds_the_stations_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        tops = {name.split("/")[0] for name in archive.namelist()}
    stations = {"bertline", "finetune", "export", "infer", "benchmarks"}
    assert {top for top in tops if not top.endswith(".dist-info")} == stations


def test_wheel_holds_all_that_goes_into_bundles(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        held = {name for name in archive.namelist() if name.startswith("export/runtimes/")}
    listed = subprocess.run(["git", "ls-files", "-z", "export/runtimes"], cwd=ROOT, capture_output=True)
    if listed.returncode:
        pytest.skip("no git checkout: the files of the repository are not known")
    assert held == set(listed.stdout.decode().split("\0")) - {""}


def test_wheel_scores_a_file(environment: Path, bundle: Path, tmp_path: Path) -> None:
    table = tiny.write_table(tmp_path / "table.tsv")
    scored = run(environment / "bertline", "infer", bundle, table, "-o", tmp_path / "scored.tsv")
    assert scored.returncode == 0, scored.stderr
    assert len((tmp_path / "scored.tsv").read_text().splitlines()) == 25


def test_what_is_not_installed_is_said_in_one_line(environment: Path, model_dir: Path, tmp_path: Path) -> None:
    outcome = run(environment / "bertline", "export", model_dir, "-o", tmp_path / "bundle")
    assert outcome.returncode == 1
    assert outcome.stderr.count("\n") == 1 and "pip install 'bertline[export]'" in outcome.stderr
