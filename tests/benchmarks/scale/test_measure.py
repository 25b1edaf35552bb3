"""The command for real, once over all series, and what it refuses before anything is measured."""

from pathlib import Path
from typing import Any

import pytest

from benchmarks.ceiling import encoder_flops
from benchmarks.documents import Document, read_document
from benchmarks.scale import plans, turns
from benchmarks.scale.plans import thread_counts
from benchmarks.scale.result import LENGTHS, REPEATS, ROWS, THREADS, Scale, Series
from bertline.errors import BertlineError
from tests import tiny
from tests.conftest import Cli

NOTHING = ("--rows", "none", "--lengths", "none", "--thread-rows", "0", "--repeats", "0")


@pytest.fixture(scope="module")
def document(bundle: Path, model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Document:
    from bertline.cli import run

    folder = tmp_path_factory.mktemp("scale")
    table, output = tiny.write_table(folder / "t.tsv"), folder / "s.json"
    command = ["benchmark", "scale", str(bundle), str(table), "--model", str(model_dir), "-o", str(output), "--html"]
    command += ["--rows", "60,20", "--repeats", "30", "--thread-rows", "40", "--passes", "1", "--threads", "1"]
    command += ["--lengths", f"2,8,{tiny.POSITIONS},512", "--length-tokens", "200"]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(plans, "usable_cpus", lambda: 2)
        assert run(command) == 0
    assert "Time per row as a file grows" in output.with_suffix(".html").read_text(encoding="utf-8")
    return read_document(output)


@pytest.fixture(scope="module")
def result(document: Document) -> Scale:
    assert isinstance(document.result, Scale)
    return document.result


@pytest.fixture(scope="module")
def series(result: Scale) -> dict[str, Series]:
    return {series.kind: series for series in result.series}


def test_every_file_is_scored_by_a_process_of_its_own(result: Scale, series: dict[str, Series]) -> None:
    assert list(series) == [ROWS, REPEATS, LENGTHS, THREADS] and not result.interrupted
    points = [point for one in series.values() for point in one.points]
    assert all(len(point.seconds) == len(point.startup_seconds) == 1 for point in points)
    assert all(point.peak_memory_mib[0] > 10 and point.stage_seconds for point in points)
    assert [(point.rows, point.unique_rows) for point in series[ROWS].points] == [(20, 20), (60, 60)]
    assert [(point.rows, point.unique_rows) for point in series[REPEATS].points] == [(30, 30), (300, 30)]


def test_rows_have_the_length_that_was_asked_for_within_the_models_positions(series: dict[str, Series]) -> None:
    found = {point.x: (point.rows, point.tokens) for point in series[LENGTHS].points}
    assert found == {8: (25, 200), tiny.POSITIONS: (3, 3 * tiny.POSITIONS)}
    assert series[LENGTHS].failures == {
        "2 tokens": "leaves no token between the markers",
        "512 tokens": f"the model takes at most {tiny.POSITIONS} tokens",
    }


def test_threads_go_up_to_the_cpus(series: dict[str, Series]) -> None:
    assert [(point.name, point.x, point.rows) for point in series[THREADS].points] == [
        ("1 thread", 1, 40),
        ("2 threads", 2, 40),
    ]
    assert [thread_counts(cpus) for cpus in (1, 2, 3, 6, 8)] == [(1,), (1, 2), (1, 2, 3), (1, 2, 4, 6), (1, 2, 4, 8)]


def test_flop_are_of_the_rows_that_are_run(document: Document, result: Scale, series: dict[str, Series]) -> None:
    eight = series[LENGTHS].points[0]
    assert eight.encoder_flop == pytest.approx(25 * encoder_flops(32, 64, 2, 8))
    once, often = series[REPEATS].points
    assert once.encoder_flop == often.encoder_flop and (once.encoder_flop or 0) > 0
    assert (result.share_of_ceiling(eight, document.machine.ceiling) or 0) > 0


@pytest.mark.parametrize(
    ("options", "code", "message"),
    [
        (("--variant", "int8"), 1, "has no variant 'int8'"),
        (("--provider", "abacus"), 2, "abacus"),
        (("--lengths", "8,x"), 2, "--lengths 8,x: give whole numbers above 0"),
        (("--model", "nowhere"), 1, "nowhere: no such model folder"),
        (("--rows", "1000000000000"), 1, "give fewer --rows"),
        (NOTHING, 2, "nothing to measure"),
    ],
)
def test_what_cannot_be_used_is_refused_before_anything_is_measured(
    options: tuple[str, ...], code: int, message: str, bundle: Path, cli: Cli, tmp_path: Path, monkeypatch: Any
) -> None:
    monkeypatch.setattr(turns, "score_alone", lambda *_, **__: pytest.fail("something was measured"))
    output = tmp_path / "s.json"
    outcome = cli("benchmark", "scale", bundle, tiny.write_table(tmp_path / "t.tsv"), "-o", output, *options)
    assert (outcome.code, outcome.err.count("\n")) == (code, 1) and message in outcome.err
    assert not output.exists()


def scored_but(wanted: str, error: BaseException) -> Any:
    """In place of infer: an answer for every file but that one, of which the error is raised."""

    def score(bundle: Path, file: Path, options: list[str], *, variables: dict[str, str]) -> dict[str, Any]:
        if file.name == wanted:
            raise error
        rows = len(file.read_text().splitlines())
        figures = {"seconds": rows / 100, "startup_seconds": 0.5, "peak_memory_mib": 100.0, "stage_seconds": {}}
        return {"rows": rows, "unique_rows": rows, "tokens": 5 * rows} | figures

    return score


def measured(cli: Cli, bundle: Path, tmp_path: Path, *options: str) -> Any:
    output, table = tmp_path / "s.json", tiny.write_table(tmp_path / "t.tsv")
    return cli("benchmark", "scale", bundle, table, "-o", output, *NOTHING, "--rows", "20,60", *options), output


def test_ctrl_c_writes_what_is_finished(cli: Cli, bundle: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(turns, "score_alone", scored_but("60", KeyboardInterrupt()))
    outcome, output = measured(cli, bundle, tmp_path, "--repeats", "10")
    assert outcome.code == 130 and f"interrupted; {output} holds what was finished" in outcome.err
    found = read_document(output).result
    assert isinstance(found, Scale) and found.interrupted and [series.kind for series in found.series] == [ROWS]
    assert [point.rows for point in found.series[0].points] == [20]
    assert found.series[0].failures == {"60 rows": turns.UNFINISHED}


def test_ctrl_c_before_the_first_pass_writes_nothing(cli: Cli, bundle: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(turns, "score_alone", scored_but("20", KeyboardInterrupt()))
    outcome, output = measured(cli, bundle, tmp_path)
    assert outcome.code == 130 and "nothing was measured yet" in outcome.err and not output.exists()


def test_a_file_that_fails_is_a_row_with_its_reason(cli: Cli, bundle: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(turns, "score_alone", scored_but("20", BertlineError("out of luck")))
    outcome, output = measured(cli, bundle, tmp_path)
    assert outcome.code == 0 and "out of luck" in outcome.out and output.exists()
    outcome, _ = measured(cli, bundle, tmp_path, "--rows", "20", "--force")
    assert (outcome.code, outcome.err.splitlines()[-1]) == (
        1,
        "bertline: nothing could be measured; 20 rows: out of luck",
    )


def test_one_cpu_has_no_threads_to_compare(cli: Cli, bundle: Path, tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setattr(turns, "score_alone", scored_but("none", KeyboardInterrupt()))
    monkeypatch.setattr(plans, "usable_cpus", lambda: 1)
    outcome, output = measured(cli, bundle, tmp_path, "--thread-rows", "40")
    assert outcome.code == 0
    found = read_document(output).result
    assert isinstance(found, Scale)
    assert found.series[-1] == Series(THREADS, (), {"2 threads": "this process may use 1 CPU"})


def test_infer_that_fails_is_one_line_and_leaves_nothing(bundle: Path, tmp_path: Path) -> None:
    from benchmarks.scale.files import write_lines
    from benchmarks.scale.process import score_alone

    file = write_lines(tmp_path / "one", ["one"])
    with pytest.raises(BertlineError, match=r"^.* has no variant 'int8'[^\n]*$"):
        score_alone(bundle, file, ["--variant", "int8"])
    assert list(tmp_path.iterdir()) == [file]
