"""`bertline benchmark latency`, from its options to its exit codes."""

from pathlib import Path

import pytest

from benchmarks.documents import read_document
from benchmarks.latency.result import Latency
from tests import tiny
from tests.conftest import Cli

QUICK = ("--batches", "1,2", "--sequences", "8, 16", "--seconds", "0", "--threads", "1")


def test_it_writes_table_document_and_page(cli: Cli, bundle: Path, model_dir: Path, tmp_path: Path) -> None:
    output = tmp_path / "latency.json"
    outcome = cli("benchmark", "latency", bundle, "--model", model_dir, "-o", output, "--html", *QUICK)
    assert outcome.code == 0, outcome.err
    assert outcome.out.count("bertline fp32") == 4
    assert "timing batch × sequence 2 × 16" in outcome.err and f"wrote {output}" in outcome.err
    document = read_document(output)
    assert isinstance(document.result, Latency) and document.machine.threads == 1
    assert len(document.result.cells) == 8 and document.result.plan.sequences == (8, 16)
    assert output.with_suffix(".html").read_text(encoding="utf-8").count("<svg") == 2


@pytest.mark.parametrize("taken", ["latency.json", "latency.html"])
def test_an_output_that_exists_is_kept(taken: str, cli: Cli, tmp_path: Path) -> None:
    (tmp_path / taken).write_text("precious")
    command = ("benchmark", "latency", "unused", "--model", "unused", "-o", tmp_path / "latency.json", "--html")
    outcome = cli(*command, *QUICK)
    assert (outcome.code, outcome.err.count("\n")) == (1, 1) and f"{taken}: the file exists" in outcome.err
    assert (tmp_path / taken).read_text() == "precious"


@pytest.mark.parametrize("value", ["", "0", "1,,2", "-1", "1.5", "many", "²"])
@pytest.mark.parametrize("option", ["--batches", "--sequences"])
def test_shapes_are_whole_numbers_above_0(option: str, value: str, cli: Cli, tmp_path: Path) -> None:
    outcome = cli("benchmark", "latency", "b", "--model", "m", "-o", tmp_path / "l.json", f"{option}={value}")
    assert (outcome.code, outcome.err.count("\n")) == (2, 1)
    assert "give whole numbers above 0" in outcome.err


def test_a_missing_bundle_or_model_is_one_line(cli: Cli, bundle: Path, model_dir: Path, tmp_path: Path) -> None:
    stranger = tiny.write_model(tmp_path / "stranger", seed=1)
    for arguments, message in [
        ((tmp_path / "nowhere", "--model", model_dir), "no such bundle folder"),
        ((bundle, "--model", tmp_path / "nowhere"), "no such model folder"),
        ((bundle, "--model", stranger), "does not answer as"),
    ]:
        outcome = cli("benchmark", "latency", *arguments, "-o", tmp_path / "l.json", *QUICK, "-q")
        assert (outcome.code, outcome.err.count("\n")) == (1, 1) and message in outcome.err
    assert not list(tmp_path.glob("l.json*"))
