"""The page's libraries come by the lockfile, once, and whole; without npm an export says so before any work."""

import json
from pathlib import Path

import pytest

from bertline.errors import BertlineError
from export.web_page import PAGE, have_libraries
from tests.conftest import Cli


def test_the_lockfile_has_a_hash_for_each_package_of_the_public_registry() -> None:
    lock = json.loads((PAGE / "package-lock.json").read_text())
    wanted = json.loads((PAGE / "package.json").read_text())["dependencies"]
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert lock["packages"][""]["dependencies"] == wanted
    for entry in packages.values():
        assert entry["resolved"].startswith("https://registry.npmjs.org/") and entry["integrity"].startswith("sha512-")
    for name, version in wanted.items():
        assert packages[f"node_modules/{name}"]["version"] == version


def test_without_npm_an_export_is_refused_before_any_work(
    cli: Cli, model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", str(tmp_path))
    outcome = cli("export", model_dir, "-o", tmp_path / "b", "--runtimes", "web")
    assert (outcome.code, outcome.err.count("\n")) == (1, 1)
    assert "--runtimes web: there is no npm" in outcome.err and "https://nodejs.org" in outcome.err
    assert list(tmp_path.iterdir()) == []


def test_what_npm_fails_at_is_one_line_and_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\nmkdir node_modules\necho 'npm error network\nnpm error offline' >&2\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(BertlineError, match=r"could not bring .*\(npm error network npm error offline\)"):
        have_libraries()
    assert not [path for path in (tmp_path / "cache").rglob("*") if path.is_dir() and path.name.startswith("web-")]
