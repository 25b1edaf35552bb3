"""`bertline benchmark latency`, from its options to its exit codes."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.documents import read_document
from benchmarks.latency import measure, pytorch_ways
from benchmarks.latency.pytorch_ways import BF16, COMPILED, pytorch_fp32
from benchmarks.latency.result import PYTORCH, Latency
from benchmarks.timing import time_in_turns
from tests import tiny
from tests.conftest import Cli

QUICK = ("--batches", "1,2", "--sequences", "8, 16", "--seconds", "0", "--threads", "1")


@pytest.mark.usefixtures("no_compiler")
def test_it_writes_tables_document_and_page_and_says_what_could_not_run(
    cli: Cli, bundle: Path, model_dir: Path, tmp_path: Path
) -> None:
    output = tmp_path / "latency.json"
    command = ("benchmark", "latency", bundle, "--model", model_dir, "--variants", "fp32", "-o", output, "--html")
    outcome = cli(*command, *QUICK)
    assert outcome.code == 0, outcome.err
    assert "timing batch × sequence 2 × 16" in outcome.err and f"wrote {output}" in outcome.err
    assert "Traceback" not in outcome.err and "Ways, 1 thread each" in outcome.out
    document = read_document(output)
    assert isinstance(document.result, Latency) and document.machine.threads == 1
    ways = [PYTORCH, BF16, "bertline fp32"]
    assert [cell.way for cell in document.result.cells] == ways * 4 and document.result.plan.sequences == (8, 16)
    assert list(document.result.failures) == [COMPILED] and not document.result.interrupted
    reason = document.result.failures[COMPILED]
    assert reason.startswith("1 × 8: InvalidCxxCompiler: No working C++ compiler found") and "\n" not in reason
    assert reason.endswith("…; it needs a C++ compiler (g++ or clang++)") and len(reason) < 220
    page = output.with_suffix(".html").read_text(encoding="utf-8")
    assert page.count("<svg") == 2 and "InvalidCxxCompiler" in page and "InvalidCxxCompiler" in outcome.out


def test_all_variants_are_listed_also_those_that_do_not_run_here(
    cli: Cli, bundle: Path, model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pytorch_ways, "pytorch_ways", lambda model: [pytorch_fp32(model)])
    monkeypatch.setattr("infer.scorer.matrix_formats", lambda: ("avx2",))
    output = tmp_path / "latency.json"
    outcome = cli("benchmark", "latency", bundle, "--model", model_dir, "-o", output, *QUICK)
    result = read_document(output).result
    assert outcome.code == 0 and isinstance(result, Latency)
    assert "this CPU has neither AMX-BF16 nor AVX512-BF16" in result.failures["bertline bf16"]
    assert [way.title for way in result.ways] == [PYTORCH, "bertline fp32"]


def test_ctrl_c_keeps_what_is_finished(
    cli: Cli, bundle: Path, model_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shapes: list[int] = []

    def interrupted(*arguments: Any, **options: Any) -> Any:
        shapes.append(len(shapes))
        if len(shapes) == 3:
            raise KeyboardInterrupt
        return time_in_turns(*arguments, **options)

    monkeypatch.setattr(measure, "time_in_turns", interrupted)
    monkeypatch.setattr(pytorch_ways, "pytorch_ways", lambda model: [pytorch_fp32(model)])
    output = tmp_path / "latency.json"
    command = ("benchmark", "latency", bundle, "--model", model_dir, "--variants", "fp32", "-o", output)
    outcome = cli(*command, *QUICK)
    assert outcome.code == 130 and f"interrupted; {output} holds what was finished" in outcome.err
    result = read_document(output).result
    assert isinstance(result, Latency) and result.interrupted
    assert [(cell.batch, cell.sequence) for cell in result.cells] == [(1, 8)] * 2 + [(1, 16)] * 2


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
