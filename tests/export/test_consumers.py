"""Consumers go into the bundle whole, hashed and named in its card; an unknown one is refused before any work."""

from pathlib import Path

import pytest

from bertline.bundle import Bundle, FileEntry
from bertline.errors import UsageError
from export.consumers import CONSUMERS, SOURCES, Consumer, add_consumers, wanted_consumers
from export.model_card import model_card
from tests.conftest import Cli


def test_each_consumer_has_its_folder_and_a_readme() -> None:
    for consumer in CONSUMERS.values():
        for source in consumer.sources or (consumer.name,):
            assert (SOURCES / source).is_dir()
        assert (SOURCES / consumer.name / "README.md").is_file()


def test_every_folder_belongs_to_a_consumer() -> None:
    known = {source for consumer in CONSUMERS.values() for source in consumer.sources or (consumer.name,)}
    assert {path.name for path in SOURCES.iterdir() if path.is_dir()} == known


def test_files_are_copied_hashed_and_named_in_the_card(bundle: Path, tmp_path: Path) -> None:
    manifest = Bundle.open(bundle).manifest

    def make(bundle: Path, of: object, target: Path) -> None:
        assert of is manifest
        (target / "made.txt").write_text(bundle.name)

    consumer = Consumer("python-lean", "python runtimes/python-lean/bertline_lean.py selfcheck", make=make)
    entries = add_consumers(tmp_path, manifest, [consumer])
    found = {path.relative_to(tmp_path).as_posix(): path for path in tmp_path.rglob("*") if path.is_file()}
    assert entries == {name: FileEntry.of(path) for name, path in found.items()}
    assert {"runtimes/python-lean/made.txt", "runtimes/python-lean/bertline_lean.py"} <= set(entries)
    assert consumer.says not in model_card(manifest, "b")
    manifest.files.update(entries)
    assert consumer.says in model_card(manifest, "b")


def test_what_a_developers_own_runs_left_stays_behind(
    bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("kept.py", "node_modules/x/index.js", "build/x.o", "__pycache__/x.pyc", ".venv/bin/python"):
        (tmp_path / "sources" / "own" / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "sources" / "own" / name).touch()
    monkeypatch.setattr("export.consumers.SOURCES", tmp_path / "sources")
    entries = add_consumers(tmp_path / "target", Bundle.open(bundle).manifest, [Consumer("own", "own selfcheck")])
    assert list(entries) == ["runtimes/own/kept.py"]


def test_names_are_taken_once_and_an_unknown_one_is_refused(cli: Cli, model_dir: Path, tmp_path: Path) -> None:
    assert wanted_consumers(None) == []
    assert wanted_consumers(" python-lean,python-lean") == [CONSUMERS["python-lean"]]
    with pytest.raises(UsageError, match="--runtimes fortran: there are python-lean"):
        wanted_consumers("python-lean,fortran")
    outcome = cli("export", model_dir, "-o", tmp_path / "b", "--runtimes", "fortran")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert list(tmp_path.iterdir()) == []
