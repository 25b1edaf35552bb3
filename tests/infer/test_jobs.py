"""One output for all inputs, or a folder with one for each; and what a run is told to do, it says it did."""

import json
import shutil
from pathlib import Path

import pytest

from infer.budget import CANDIDATES, find_budget
from infer.scorer import Scorer
from tests import tiny
from tests.conftest import Cli


def test_a_folder_gets_one_file_for_each_input(cli: Cli, bundle: Path, tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    for name in "ab":
        tiny.write_table(source / f"{name}.tsv", 9)
    outcome = cli("infer", bundle, source, "-o", f"{target}/", "--html")
    assert outcome.code == 0, outcome.err
    assert sorted(path.name for path in target.iterdir()) == [
        f"{name}.tsv{ending}" for name in "ab" for ending in ("", ".report.html", ".report.json")
    ]
    assert cli("infer", bundle, source / "a.tsv", "-o", tmp_path / "a.tsv").code == 0
    assert (target / "a.tsv").read_bytes() == (tmp_path / "a.tsv").read_bytes()
    assert outcome.err.count("variant fp32") == 1, "the model is loaded once"


def test_a_folder_goes_on_with_the_files_that_are_not_done(cli: Cli, bundle: Path, tmp_path: Path) -> None:
    source, target = tmp_path / "in", tmp_path / "out"
    source.mkdir()
    tiny.write_table(source / "a.tsv", 9)
    bad = tiny.write_table(source / "b.tsv", 9)
    good = bad.read_bytes()
    bad.write_bytes(good + b"no cells\n")
    assert cli("infer", bundle, source, "-o", f"{target}/").code == 1
    done = (target / "a.tsv").stat().st_mtime_ns
    bad.write_bytes(good)
    outcome = cli("infer", bundle, source, "-o", f"{target}/", "--resume")
    assert outcome.code == 0 and (target / "b.tsv").exists(), outcome.err
    assert (target / "a.tsv").stat().st_mtime_ns == done


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["t.tsv", "-o", "no/out/"], 1, "the folder no does not exist; create it with mkdir -p no/out"),
        (["t.tsv", "-o", "t.tsv/"], 1, "t.tsv: is a file; name a folder"),
        (["t.tsv", "also/t.tsv", "-o", "out/"], 1, "several inputs are called t.tsv"),
        (["-", "-o", "out/"], 2, "has no name to give its output in a folder"),
        (["t.tsv", "-o", "out/", "--report", "r.json"], 2, "a folder gets a report beside each output"),
        (
            ["t.tsv.rejects.tsv", "t.tsv", "-o", "out/"],
            1,
            "out/t.tsv.rejects.tsv: is left beside the output of another",
        ),
        (["t.tsv.rejects.tsv", "-o", "t.tsv", "--force"], 1, "t.tsv.rejects.tsv: is an input as well"),
        (["t.tsv", "-o", "o.tsv", "--report", "o.tsv.partial"], 2, "o.tsv.partial is written by the run itself"),
        (["t.tsv", "-o", "o.tsv", "--report", "o.html", "--html"], 2, "o.html is written by the run itself"),
        (["t.tsv", "-o", "o.html", "--report", "o.json", "--html"], 2, "o.html is written by the run itself"),
        (["t.tsv", "-o", "o.tsv", "--report", "mine.json", "--html"], 1, "mine.html: the file exists"),
        (["t.tsv", "-o", "also/"], 1, "also/t.tsv: is an input as well"),
        (["t.tsv", "-o", "o.tsv", "--on-error", "ignore"], 2, "--on-error ignore: give fail or quarantine"),
        (["t.tsv", "-o", "-", "--on-error", "quarantine"], 2, "name a file with -o"),
        (["t.tsv", "-o", "o.tsv", "--batch-tokens", "0"], 2, "--batch-tokens 0: give auto, or a number from 1"),
        (["t.tsv", "-o", "o.parquet.gz"], 2, "Parquet is compressed inside; name it o.parquet"),
        (["t.tsv", "-o", "o.jsonl", "--no-output-header"], 2, "leave out --no-output-header"),
    ],
)
def test_what_cannot_be(
    cli: Cli,
    bundle: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    code: int,
    expected: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("also").mkdir()
    for folder in (Path(), Path("also")):
        tiny.write_table(folder / "t.tsv")
    Path("mine.html").touch()
    shutil.copy("t.tsv", "t.tsv.rejects.tsv")
    inputs = arguments if "also/" not in arguments else ["also/t.tsv", *arguments[1:]]
    outcome = cli("infer", bundle, *inputs)
    assert outcome.code == code and expected in outcome.err, outcome.err
    assert not list(Path().glob("o*.*")) and not list(Path("also").glob("t.tsv.*"))


def test_the_budget_is_found_among_the_candidates_and_reported(cli: Cli, bundle: Path, tmp_path: Path) -> None:
    table, out = tiny.write_table(tmp_path / "t.tsv"), tmp_path / "o.tsv"
    outcome = cli("infer", bundle, table, "-o", out, "--batch-tokens", "auto")
    assert outcome.code == 0 and "tokens a batch were the fastest tried" in outcome.err
    report = json.loads((tmp_path / "o.tsv.report.json").read_text())
    tried = {trial["batch_tokens"]: trial["tokens_per_second"] for trial in report["batch_tokens_tried"]}
    assert report["batch_tokens"] in tried and set(tried) <= set(CANDIDATES["cpu"]) and all(tried.values())
    assert report["run"]["--batch-tokens"] == "auto"


def test_the_budget_of_no_rows_is_the_one_there_was(bundle: Path) -> None:
    scorer = Scorer.open(bundle, device="cpu", batch_tokens=77)
    assert find_budget(scorer, scorer.encoder.encode([])) == (77, [])


def test_equal_texts_are_run_once_unless_that_is_switched_off(cli: Cli, bundle: Path, tmp_path: Path) -> None:
    table = tiny.write_table(tmp_path / "t.tsv", 32)
    for option, run in (("--dedupe", 8), ("--no-dedupe", 32)):
        out = tmp_path / f"{run}.tsv"
        assert cli("infer", bundle, table, "-o", out, option, "--window", 10).code == 0
        report = json.loads(out.with_name(out.name + ".report.json").read_text())
        assert (report["rows"], report["unique_rows"], report["unique_share"]) == (32, run, run / 32)
    scored = [
        [line.split("\t")[:4] for line in (tmp_path / name).read_text().splitlines()] for name in ("8.tsv", "32.tsv")
    ]
    assert scored[0] == scored[1]


def test_the_report_says_where_the_time_went(cli: Cli, bundle: Path, tmp_path: Path) -> None:
    table, out = tiny.write_table(tmp_path / "t.tsv", 300), tmp_path / "o.tsv"
    assert cli("infer", bundle, table, "-o", out).code == 0
    report = json.loads((tmp_path / "o.tsv.report.json").read_text())
    assert report["stage_seconds"].keys() == {"read", "tokenize", "wait", "run", "write"}
    assert 0 < report["stage_seconds"]["run"] + report["stage_seconds"]["wait"] <= report["seconds"]
    assert report["run"]["input 1"].endswith(f"sha256 {report['input'][0]['sha256']})")
