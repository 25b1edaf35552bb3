"""Every command of the README is run by a test, or says what it needs."""

import shutil
from collections.abc import Sequence
from pathlib import Path

import pytest

from tests import readme, tiny
from tests.conftest import Cli

EMOTIONS = ("joy", "", "joy,fear", "anger")


def test_every_block_says_what_it_needs() -> None:
    tags = {tag for tag, _ in readme.blocks()}
    assert tags == readme.TAGS, "a bash block without a tag is run by no test"


def test_commands_on_the_readers_own_files_run(
    tmp_path: Path, model_dir: Path, bundle: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(bundle, "bundle")
    shutil.copytree(model_dir, "model")
    tiny.write_table(Path("reviews.tsv"), rows=40)
    _write("emotions.tsv", ("sentence", "emotions"), [(text, EMOTIONS[row % 4]) for row, text in _sentences()])
    pairs = [(text, tiny.SENTENCES[row // 8], f"{row % 6}.5") for row, text in _sentences()]
    _write("similar.tsv", ("sentence1", "sentence2", "score"), pairs)
    ran = readme.commands("tiny")
    assert ran
    for arguments in ran:
        outcome = cli(*arguments)
        assert outcome.code == 0, f"bertline {' '.join(arguments)}: {outcome.err}"


def test_commands_that_need_the_network_parse(cli: Cli) -> None:
    for arguments in readme.commands("network"):
        # Offline, each must fail as an error the user can act on, and not as wrong usage.
        assert cli(*arguments, "--model", "/nowhere").code == 1


def _sentences() -> list[tuple[int, str]]:
    return [(row, tiny.SENTENCES[row % len(tiny.SENTENCES)]) for row in range(40)]


def _write(name: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    Path(name).write_text("".join("\t".join(row) + "\n" for row in (head, *rows)), encoding="utf-8")
