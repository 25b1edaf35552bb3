"""Environments: whole or not at all, remembered when they fail, another when their requirements are others."""

import fcntl
import re
import zipfile
from pathlib import Path

import pytest

from benchmarks.peers import environments
from benchmarks.peers.catalogue import PEERS, SCRIPTS
from benchmarks.peers.environments import Environment
from benchmarks.peers.process import PeerError, PeerProcess
from bertline.errors import BertlineError
from tests.benchmarks.peers import fakes

USES_IT = "import tinypeer\nPACKAGES = ('tinypeer',)\n" + fakes.LENGTHS.split("\n", 2)[2]


def write_wheel(folder: Path, requires: str = "") -> Path:
    """A package `tinypeer` 1.0 of one empty module."""
    wheel, info = folder / "tinypeer-1.0-py3-none-any.whl", "tinypeer-1.0.dist-info"
    files = {
        "tinypeer.py": "",
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: tinypeer\nVersion: 1.0\n{requires}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    files[f"{info}/RECORD"] = "".join(f"{name},,\n" for name in [*files, f"{info}/RECORD"])
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return wheel


def peer(folder: Path, script: str, *requirements: str) -> Environment:
    """The environment of a peer `tiny` that installs from this folder and from nowhere else."""
    fakes.script(folder / "scripts" / "tiny", script)
    lines = ["--no-index", f"--find-links {folder}", *requirements]
    fakes.script(folder / "scripts" / "tiny", "\n".join(lines) + "\n", "requirements.txt")
    return Environment.of("tiny", folder / "envs", folder / "scripts")


def kept(environment: Environment) -> set[str]:
    """What stands where environments are kept, besides logs and locks."""
    return {path.name for path in environment.folder.parent.iterdir() if path.suffix not in (".log", ".lock")}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Environment:
    folder = tmp_path_factory.mktemp("peer")
    write_wheel(folder)
    environment = peer(folder, USES_IT, "tinypeer==1.0")
    assert environment.missing == "not installed; bertline benchmark peers install tiny"
    environment.install()
    return environment


def test_an_environment_serves_its_peer(installed: Environment, tmp_path: Path) -> None:
    assert installed.missing is None and kept(installed) == {installed.folder.name}
    with PeerProcess(installed.command, tmp_path / "log", {}) as process:
        answer = process.ask({"do": "load", "way": "long"}, 60)
    assert answer["versions"]["tinypeer"] == "1.0"


def test_it_is_made_once(installed: Environment) -> None:
    before = installed.folder.stat().st_ino
    installed.install()
    assert installed.folder.stat().st_ino == before


def test_other_requirements_are_another_environment(installed: Environment) -> None:
    (installed.source / "requirements.txt").open("a").write("# more\n")
    other = Environment.of("tiny", installed.folder.parent, installed.source.parent)
    assert other.folder != installed.folder and other.missing is not None


def test_one_that_fails_half_way_leaves_its_reason_and_nothing_else(tmp_path: Path) -> None:
    write_wheel(tmp_path, "Requires-Dist: not-here==2.0\n")
    environment = peer(tmp_path, USES_IT, "tinypeer==1.0")
    with pytest.raises(PeerError, match="Could not find a version that satisfies the requirement not-here"):
        environment.install()
    assert kept(environment) == {f"{environment.folder.name}.failed"}
    assert environment.missing is not None and environment.missing.startswith("could not be installed: Could not find")
    assert "not-here" in environment.log.read_text()


def test_packages_that_cannot_be_imported_are_a_failure(tmp_path: Path) -> None:
    environment = peer(tmp_path, fakes.IMPORTS_NOTHING_THERE)
    with pytest.raises(PeerError, match="No module named 'surely_not_installed'"):
        environment.install()
    assert kept(environment) == {f"{environment.folder.name}.failed"}
    fakes.script(environment.source, "")  # mended: the next attempt forgets the last
    environment.install()
    assert environment.missing is None and kept(environment) == {environment.folder.name}


def test_ctrl_c_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    environment = peer(tmp_path, USES_IT)

    def interrupted(self: Environment, partial: Path) -> None:
        (partial / "half").write_text("half")
        raise KeyboardInterrupt

    monkeypatch.setattr(Environment, "_fill", interrupted)
    with pytest.raises(KeyboardInterrupt):
        environment.install()
    assert kept(environment) == set()


def test_two_do_not_make_one_at_once(tmp_path: Path) -> None:
    environment = peer(tmp_path, USES_IT)
    environment.folder.parent.mkdir()
    with environment._beside(".lock").open("wb") as stream:
        fcntl.flock(stream.fileno(), fcntl.LOCK_EX)
        with pytest.raises(BertlineError, match="another process is installing it"):
            environment.install()


def test_where_they_are_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", "/somewhere")
    assert environments.default_folder() == Path("/somewhere/bertline/peers")
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/ada")
    assert environments.default_folder() == Path("/home/ada/.cache/bertline/peers")


def test_without_their_files_the_reason_is_said(tmp_path: Path) -> None:
    with pytest.raises(PeerError, match="not in the wheel"):
        Environment.of("optimum-onnx", tmp_path, scripts=tmp_path)


@pytest.mark.parametrize("name", PEERS)
def test_every_requirement_is_pinned(name: str) -> None:
    lines = (SCRIPTS / name / "requirements.txt").read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if line and not line.startswith("#")]
    assert wanted and all(re.fullmatch(r"[A-Za-z0-9_.-]+==[0-9][0-9A-Za-z.]*", line) for line in wanted)
    assert "torch==2.13.0" in wanted
    assert len({re.sub("[-_.]+", "-", line.split("==")[0].lower()) for line in wanted}) == len(wanted)


def test_every_folder_is_in_the_catalogue() -> None:
    assert {path.parent.name for path in SCRIPTS.glob("*/peer.py")} == PEERS.keys()
