"""Candidates: everybody is listed, also who cannot run."""

from pathlib import Path

import pytest

from benchmarks.peers.catalogue import PEERS, chosen_peers
from benchmarks.peers.environments import Environment
from benchmarks.throughput import candidates
from benchmarks.throughput.candidates import own_candidates, peer_candidates
from benchmarks.throughput.result import NOTEBOOK
from bertline.errors import UsageError


def test_every_way_has_a_title_of_its_own(tmp_path: Path) -> None:
    found = own_candidates(["fp32", "int8"]) + peer_candidates(list(PEERS), tmp_path)
    assert found[0].title == NOTEBOOK and len({candidate.title for candidate in found}) == len(found)
    assert sum(len(ways) for ways in PEERS.values()) + 9 == len(found)


def test_peers_that_are_not_installed_say_how(tmp_path: Path) -> None:
    found = peer_candidates(["optimum-onnx"], tmp_path)
    assert len(found) == len(PEERS["optimum-onnx"])
    assert {candidate.missing for candidate in found} == {
        "not installed; bertline benchmark peers install optimum-onnx"
    }
    Environment.of("optimum-onnx", tmp_path).folder.mkdir()
    assert {candidate.missing for candidate in peer_candidates(["optimum-onnx"], tmp_path)} == {None}


def test_peers_from_a_wheel_say_where_to_get_them(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of = Environment.of
    monkeypatch.setattr(candidates.Environment, "of", lambda name, root: of(name, root, tmp_path))
    (one,) = peer_candidates(["cross-encoder"], tmp_path)
    assert one.missing is not None and "clone" in one.missing and one.command == ()


def test_names_of_peers() -> None:
    assert chosen_peers("all") == list(PEERS) and chosen_peers("none") == []
    assert chosen_peers("optimum-intel, cross-encoder,optimum-intel") == ["optimum-intel", "cross-encoder"]
    with pytest.raises(UsageError, match="no peer 'onnx'; there are all, none, optimum-onnx"):
        chosen_peers("onnx")
