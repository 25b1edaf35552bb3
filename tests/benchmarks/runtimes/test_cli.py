"""`bertline benchmark runtimes`, from its options to its exit codes."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.documents import read_document
from benchmarks.runtimes.consumer import Program
from benchmarks.runtimes.result import Runtimes
from tests import tiny
from tests.conftest import Cli

LEAN = ("--runtimes", "python-lean", "--variants", "fp32")


def result_of(path: Path) -> Runtimes:
    result = read_document(path).result
    assert isinstance(result, Runtimes)
    return result


def test_it_writes_document_page_and_tables(cli: Cli, lean_bundle: Path, tmp_path: Path) -> None:
    table, output = tiny.write_table(tmp_path / "t.tsv", header=False), tmp_path / "runtimes.json"
    layout = ("--columns", "id,sentence,label", "--text-column", "sentence", "--tokens-on", table)
    outcome = cli(
        "benchmark", "runtimes", lean_bundle, table, table, *layout, *LEAN, "--passes", "1", "-o", output, "--html"
    )
    assert outcome.code == 0, outcome.err
    assert "same answers" in outcome.out and f"wrote {output}" in outcome.err
    result = result_of(output)
    assert (result.rows, result.token_rows, result.variants) == (48, 24, ("fp32",)) and not result.failures
    assert "<h2>Runtimes</h2>" in output.with_suffix(".html").read_text(encoding="utf-8")


@pytest.mark.parametrize(("call", "passes"), [(2, None), (3, 0), (6, 1)])  # hard set, rows; one row and rows a pass
def test_ctrl_c_keeps_what_is_finished(
    call: int,
    passes: int | None,
    cli: Cli,
    lean_bundle: Path,
    table: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    calls, score = [], Program.score

    def interrupted(self: Program, *arguments: Any) -> None:
        calls.append(arguments)
        if len(calls) == call:
            raise KeyboardInterrupt
        score(self, *arguments)

    monkeypatch.setattr(Program, "score", interrupted)
    output = tmp_path / "runtimes.json"
    outcome = cli("benchmark", "runtimes", lean_bundle, table, *LEAN, "--passes", "2", "-o", output)
    assert outcome.code == 130
    if passes is None:
        assert "nothing was measured yet" in outcome.err and not output.exists()
    else:
        result = result_of(output)
        (figures,) = result.figures
        assert result.interrupted and len(figures.start_seconds) == len(figures.file_seconds) == passes


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--runtimes", "fortran"), 2, "--runtimes fortran: there are python-lean, openvino-python, cpp, node, web"),
        (("--variants", "int8"), 2, "--variants int8: the bundle has fp32, quantized for consumers"),
        (("--tokens-on", "nowhere.tsv"), 1, "nowhere.tsv: no such file"),
        (("--text-column", "text"), 1, "no column 'text'; its columns are"),
    ],
)
def test_what_cannot_be_is_one_line(
    arguments: tuple[str, ...], code: int, message: str, cli: Cli, lean_bundle: Path, table: Path, tmp_path: Path
) -> None:
    outcome = cli("benchmark", "runtimes", lean_bundle, table, *arguments, "-o", tmp_path / "r.json", "-q")
    assert (outcome.code, outcome.err.count("\n")) == (code, 1) and message in outcome.err, outcome.err
    assert not list(tmp_path.glob("r.json*"))


def test_one_row_tells_no_speed(cli: Cli, lean_bundle: Path, tmp_path: Path) -> None:
    table = tiny.write_table(tmp_path / "t.tsv", rows=1)
    outcome = cli("benchmark", "runtimes", lean_bundle, table, *LEAN, "-o", tmp_path / "r.json", "-q")
    assert outcome.code == 1 and "has one row, which tells no speed" in outcome.err


def test_an_output_that_exists_is_kept(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "r.json").write_text("precious")
    outcome = cli("benchmark", "runtimes", "unused", "unused", "-o", tmp_path / "r.json")
    assert outcome.code == 1 and "r.json: the file exists" in outcome.err
    assert (tmp_path / "r.json").read_text() == "precious"
