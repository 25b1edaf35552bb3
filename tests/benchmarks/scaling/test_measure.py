"""Measured for real, with a tiny model and a cluster of this machine."""

from pathlib import Path

import pytest

from benchmarks.documents import read_document
from benchmarks.scaling.result import STAGES, Scaling
from tests import tiny
from tests.conftest import Cli

pytest.importorskip("ray", reason="needs bertline[ray]")


def test_a_run_measures_all_that_the_model_is_fed(cli: Cli, bundle: Path, model_dir: Path, tmp_path: Path) -> None:
    table, output = tiny.write_table(tmp_path / "t.tsv"), tmp_path / "scaling.json"
    sizes = ["--rows", 64, "--part-rows", 16, "--workers", "1", "--passes", 1]
    done = cli("benchmark", "scaling", bundle, table, "--model", model_dir, "-o", output, *sizes)
    assert done.code == 0, done.err
    result = read_document(output).result
    assert isinstance(result, Scaling)
    assert result.problems() == [] and set(result.cpu_seconds) == set(STAGES)
    assert 0 < result.python_seconds <= result.cpu_seconds["tokenize"]
    assert (result.rows, result.bytes_out > result.bytes_in, result.look_cpu_seconds > 0) == (64, True, True)
    [check] = result.checks
    assert (check.workers, check.parts, result.few.parts, result.many.parts) == (1, 4, 2, 200)
    assert min(check.startup_seconds) > 0 and min(result.many.driver_cpu_seconds) > 0
    assert "10¹⁰ rows, h" in done.out


def test_workers_need_parts(cli: Cli, bundle: Path, model_dir: Path, tmp_path: Path) -> None:
    table = tiny.write_table(tmp_path / "t.tsv")
    sizes = ["--rows", 64, "--part-rows", 32]
    done = cli("benchmark", "scaling", bundle, table, "--model", model_dir, "-o", tmp_path / "s.json", *sizes)
    assert (done.code, done.err) == (
        2,
        "bertline: --rows 64: 2 workers need two parts each of --part-rows 32 or more\n",
    )
