"""`bertline benchmark peers`: install goes on after one that fails, and list says how things stand."""

from pathlib import Path

import pytest

from benchmarks.peers import catalogue
from benchmarks.peers.catalogue import PeerWay
from benchmarks.peers.environments import Environment
from benchmarks.peers.process import PeerError
from tests.conftest import Cli


@pytest.fixture
def two_peers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """One that cannot be installed, and one that is at once."""
    monkeypatch.setattr(catalogue, "PEERS", {name: (PeerWay("x", f"way of {name}"),) for name in ("bad", "good")})
    monkeypatch.setattr(
        Environment, "of", classmethod(lambda cls, name, root: Environment(name, root / f"{name}-1", tmp_path))
    )

    def fill(self: Environment, partial: Path) -> None:
        if self.name == "bad":
            raise PeerError("No matching distribution found for bad==1")

    monkeypatch.setattr(Environment, "_fill", fill)
    monkeypatch.setattr(Environment, "_check_imports", lambda self, partial: None)


@pytest.mark.usefixtures("two_peers")
def test_install_and_list(cli: Cli, tmp_path: Path) -> None:
    folder = tmp_path / "envs"
    before = cli("benchmark", "peers", "list", "--peers-folder", folder)
    assert before.code == 0 and before.out.count("not installed; bertline benchmark peers install") == 2
    outcome = cli("benchmark", "peers", "install", "--peers-folder", folder)
    assert outcome.code == 1 and outcome.err.splitlines()[-1] == (
        "bertline: 1 of 2 peers could not be installed: bad; bertline benchmark peers list says why"
    )
    assert "bad: No matching distribution" in outcome.err and f"good: {folder / 'good-1'}" in outcome.err
    after = cli("benchmark", "peers", "list", "--peers-folder", folder).out
    assert "could not be installed: No matching distribution found for bad==1" in after
    assert next(line for line in after.splitlines() if line.strip().startswith("good")).rstrip().endswith(" installed")


@pytest.mark.usefixtures("two_peers")
def test_only_those_that_are_named(cli: Cli, tmp_path: Path) -> None:
    assert cli("benchmark", "peers", "install", "good", "--peers-folder", tmp_path, "-q").code == 0
    assert not list(tmp_path.glob("bad*"))
    outcome = cli("benchmark", "peers", "install", "nobody", "--peers-folder", tmp_path)
    assert outcome.code == 2 and "no peer 'nobody'; there are all, none, bad, good" in outcome.err
