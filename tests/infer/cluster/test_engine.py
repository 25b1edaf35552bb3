"""A folder of parts holds what the local engine writes, whatever the inputs are, and however often a run is stopped."""

import fcntl
import gzip
import json
import os
import random
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from backports import zstd

from infer.job import report_path
from tests import tiny
from tests.conftest import Cli
from tests.infer.cluster.here import Here, instead_of_ray

ROWS = 300
WINDOW = 16
SEED = 3
OPTIONS = ("--label-column", "label", "--logits", "--window", WINDOW, "-q")


def write_table(path: Path, rows: int, seed: int = SEED) -> Path:
    """Rows of many lengths, some equal."""
    generator = random.Random(seed)
    lines = ["id\tsentence\tlabel"]
    for row in range(rows):
        text = " ".join(generator.choices(tiny.WORDS, k=generator.randrange(1, 30)))
        lines.append(f"{row}\t{generator.choice([text, tiny.SENTENCES[row % 8]])}\t{row % 2}")
    path.write_text("\n".join(lines) + "\n")
    return path


def as_parquet(table: Path, path: Path, group: int = 50) -> Path:
    header, *rows = [line.split("\t") for line in table.read_text().splitlines()]
    columns = dict(zip(header, map(list, zip(*rows, strict=True)), strict=True))
    pq.write_table(pa.table(columns), path, row_group_size=group)
    return path


def shuffled(items: Sequence[Any]) -> Sequence[Any]:
    return random.Random(SEED).sample(list(items), len(items))


def with_ray(cli: Cli, machines: Here, *arguments: object) -> Any:
    with instead_of_ray(machines):
        return cli("infer", *arguments, "--engine", "ray", *OPTIONS)


def parts(folder: Path) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = json.loads((folder / "manifest.json").read_text())["parts"]
    return found


def joined(folder: Path) -> bytes:
    """The parts as one table."""
    tables = [(folder / part["file"]).read_bytes().split(b"\n", 1) for part in parts(folder)]
    return b"\n".join([tables[0][0], b"".join(rows for _, rows in tables)])


def assert_same_scores(ours: bytes, theirs: bytes) -> None:
    """Labels are equal; numbers within what batches of other lengths do to them."""
    ours_rows, theirs_rows = ([line.split("\t") for line in text.decode().splitlines()] for text in (ours, theirs))
    assert [row[:4] for row in ours_rows] == [row[:4] for row in theirs_rows]
    numbers = [np.array([row[4:] for row in rows[1:]], np.float64) for rows in (ours_rows, theirs_rows)]
    worst = float(np.abs(numbers[0] - numbers[1]).max())
    print(f"largest difference {worst:.2g}")
    assert worst < 1e-5


@pytest.fixture
def big(tmp_path: Path) -> Path:
    return write_table(tmp_path / "big.tsv", ROWS)


def test_without_dedupe_the_bytes_are_those_of_the_local_engine(
    cli: Cli, bundle: Path, tmp_path: Path, big: Path
) -> None:
    second, local, folder = write_table(tmp_path / "second.tsv", 77, seed=4), tmp_path / "local.tsv", tmp_path / "parts"
    assert cli("infer", bundle, big, second, "-o", local, "--no-dedupe", *OPTIONS).code == 0
    outcome = with_ray(cli, Here(shuffled), bundle, big, second, "-o", folder, "--no-dedupe", "--part-rows", 2 * WINDOW)
    assert (outcome.code, outcome.out, outcome.err) == (0, "", "")
    assert joined(folder) == local.read_bytes()
    ours, theirs = (
        json.loads(path.read_text()) for path in (folder / "report.json", tmp_path / "local.tsv.report.json")
    )
    assert ours.keys() - theirs.keys() == {"engine"}
    names = "rows unique_rows unique_share tokens padding_share truncated rejected blanked metrics input variant"
    assert {name: ours[name] for name in names.split()} == {name: theirs[name] for name in names.split()}
    manifest = parts(folder)
    assert [part["rows"] for part in manifest] == [32] * 11 + [25]
    assert manifest[9]["input"] == [
        {"file": str(big), "first": 290, "last": 301}, {"file": str(second), "first": 2, "last": 21},
    ]  # fmt: skip
    assert sorted(os.listdir(folder)) == [  # noqa: PTH208
        "manifest.json", *(f"part-{number:06}.tsv" for number in range(12)), "report.json",
    ]  # fmt: skip


def test_every_kind_of_input_in_one_run(cli: Cli, bundle: Path, tmp_path: Path, big: Path) -> None:
    inputs = [big, tmp_path / "a.tsv.gz", tmp_path / "b.tsv.zst", as_parquet(big, tmp_path / "c.parquet")]
    inputs[1].write_bytes(gzip.compress(big.read_bytes()))
    inputs[2].write_bytes(zstd.compress(big.read_bytes()))
    local, folder = tmp_path / "local.tsv", tmp_path / "parts"
    assert cli("infer", bundle, *inputs, "-o", local, *OPTIONS).code == 0
    outcome = with_ray(cli, Here(shuffled), bundle, *inputs, "-o", folder, "--part-rows", 64, "--html")
    assert outcome.code == 0, outcome.err
    assert_same_scores(joined(folder), local.read_bytes())
    ours, theirs = (
        json.loads(path.read_text()) for path in (folder / "report.json", tmp_path / "local.tsv.report.json")
    )
    for name in ("confusion", "mcc", "mcc_per_32_rows", "labels"):
        assert ours["metrics"][name] == theirs["metrics"][name]
    assert [read["sha256"] for read in ours["input"]] == [read["sha256"] for read in theirs["input"]]
    assert (folder / "report.html").read_text().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize("ending", ["tsv.gz", "jsonl", "parquet"])
def test_every_format_of_parts(cli: Cli, bundle: Path, tmp_path: Path, big: Path, ending: str) -> None:
    source, local, folder = as_parquet(big, tmp_path / "c.parquet"), tmp_path / f"local.{ending}", tmp_path / "parts"
    assert cli("infer", bundle, source, "-o", local, "--no-dedupe", *OPTIONS).code == 0
    options = ("--part-rows", 100, "--part-format", ending, "--no-dedupe")
    outcome = with_ray(cli, Here(), bundle, source, "-o", folder, *options)
    assert outcome.code == 0, outcome.err
    files = [folder / part["file"] for part in parts(folder)]
    assert [file.name for file in files] == [f"part-{number:06}.{ending}" for number in range(3)]
    if ending == "parquet":
        ours, theirs = pa.concat_tables([pq.read_table(file) for file in files]), pq.read_table(local)
        assert ours.schema == theirs.schema
        kept = ["id", "sentence", "label", "predicted_label"]
        assert ours.select(kept).equals(theirs.select(kept))
        return
    read = gzip.decompress if ending.endswith("gz") else bytes
    ours_text, theirs_text = b"".join(read(file.read_bytes()) for file in files), read(local.read_bytes())
    if ending == "jsonl":
        rows = [[json.loads(line) for line in text.splitlines()] for text in (ours_text, theirs_text)]
        assert [row["predicted_label"] for row in rows[0]] == [row["predicted_label"] for row in rows[1]]
    else:
        assert len(ours_text.splitlines()) == len(theirs_text.splitlines()) + 2  # a header each


@pytest.fixture
def bad(tmp_path: Path, big: Path) -> Path:
    """Rows that cannot be read in the second and the fourth part of 64."""
    lines = big.read_text().splitlines()
    lines[100:100] = ["no text"]
    lines[200:200] = ["7\tthe cat\tperhaps"]
    path = tmp_path / "bad.tsv"
    path.write_text("\n".join(lines) + "\n")
    return path


def test_bad_rows_are_set_aside_beside_their_part(cli: Cli, bundle: Path, tmp_path: Path, bad: Path) -> None:
    local, folder = tmp_path / "local.tsv", tmp_path / "parts"
    assert cli("infer", bundle, bad, "-o", local, "--on-error", "quarantine", *OPTIONS).code == 0
    outcome = with_ray(cli, Here(), bundle, bad, "-o", folder, "--part-rows", 64, "--on-error", "quarantine")
    assert outcome.code == 0, outcome.err
    rejects = sorted(folder.glob("*.rejects.tsv"))
    assert [path.name for path in rejects] == ["part-000001.rejects.tsv", "part-000003.rejects.tsv"]
    theirs = (tmp_path / "local.tsv.rejects.tsv").read_text().splitlines()
    assert [line for path in rejects for line in path.read_text().splitlines()[1:]] == theirs[1:]
    assert [line.split("\t")[1] for line in theirs[1:]] == ["101", "201"]
    assert_same_scores(joined(folder), local.read_bytes())
    assert json.loads((folder / "report.json").read_text())["rejected"] == {"columns": 1, "label": 1}
    (rejected,) = [part for part in parts(folder) if part["rejected"] == {"label": 1}]
    assert rejected["rejects"]["file"] == "part-000003.rejects.tsv" and rejected["rows"] == 63


def test_a_bad_row_ends_the_run_as_it_does_locally(cli: Cli, bundle: Path, tmp_path: Path, bad: Path) -> None:
    local, folder = cli("infer", bundle, bad, "-o", tmp_path / "local.tsv", *OPTIONS), tmp_path / "parts"
    outcome = with_ray(cli, Here(), bundle, bad, "-o", folder, "--part-rows", 64)
    assert outcome.code == 1
    kept = "; 1 of 5 parts are done and kept, and the same command with --resume goes on\n"
    assert outcome.err.endswith(kept)
    assert local.err.startswith(outcome.err.removesuffix(kept)) and "bad.tsv, line 101, column" in outcome.err
    assert not (folder / "manifest.json").exists()
    resumed = with_ray(
        cli, Here(), bundle, bad, "-o", folder, "--part-rows", 64, "--resume", "--on-error", "quarantine"
    )
    assert resumed.code == 0, resumed.err
    report = json.loads((folder / "report.json").read_text())
    assert report["resumed_rows"] == 64 and report["rows"] == ROWS and sum(report["rejected"].values()) == 2


def test_stopped_at_any_part_and_resumed_the_bytes_are_the_same(
    cli: Cli, bundle: Path, tmp_path: Path, big: Path
) -> None:
    whole, folder = tmp_path / "whole", tmp_path / "parts"
    assert with_ray(cli, Here(), bundle, big, "-o", whole, "--part-rows", 32).code == 0
    generator, stops = random.Random(SEED), 0

    def stop(done: int) -> None:
        if done and generator.random() < 0.4:
            raise KeyboardInterrupt

    command = (bundle, big, "-o", folder, "--part-rows", 32, "--resume")
    while (outcome := with_ray(cli, Here(shuffled, stop), *command)).code == 130:
        assert "parts are done and kept, and the same command with --resume goes on" in outcome.err
        stops += 1
    assert outcome.code == 0 and stops > 1, outcome.err
    for name in (part["file"] for part in parts(whole)):
        assert (folder / name).read_bytes() == (whole / name).read_bytes()
    assert parts(folder) == parts(whole)
    assert sorted(os.listdir(folder)) == sorted(os.listdir(whole))  # noqa: PTH208
    reports = [json.loads((place / "report.json").read_text()) for place in (folder, whole)]
    assert reports[0]["metrics"] == reports[1]["metrics"] and reports[0]["tokens"] == reports[1]["tokens"]
    again = with_ray(cli, Here(meanwhile=lambda done: pytest.fail("it is done")), *command)
    assert again.code == 0


def test_a_part_that_is_not_what_its_record_says_is_scored_again(
    cli: Cli, bundle: Path, tmp_path: Path, big: Path
) -> None:
    folder = tmp_path / "parts"

    def stop(done: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    assert with_ray(cli, Here(meanwhile=stop), bundle, big, "-o", folder, "--part-rows", 32).code == 130
    (folder / "part-000000.tsv").unlink()
    (folder / "part-000001.tsv").write_text("less")
    machines = Here()
    assert with_ray(cli, machines, bundle, big, "-o", folder, "--part-rows", 32, "--resume").code == 0
    assert sorted(machines.begun) == [0, 1, 3, 4, 5, 6, 7, 8, 9]


def test_nothing_is_left_where_nothing_was_done(cli: Cli, bundle: Path, tmp_path: Path, big: Path) -> None:
    def stop(done: int) -> None:
        raise KeyboardInterrupt

    folder, mine = tmp_path / "parts", tmp_path / "mine"
    mine.mkdir()
    for place in (folder, mine):
        outcome = with_ray(cli, Here(meanwhile=stop), bundle, big, "-o", place)
        assert outcome.code == 130 and outcome.err == "bertline: interrupted\n"
    assert not folder.exists() and list(mine.iterdir()) == []


def test_an_input_that_changes_meanwhile(cli: Cli, bundle: Path, tmp_path: Path, big: Path) -> None:
    def change(done: int) -> None:
        if done == 2:
            big.write_text(big.read_text() + "9\tthe cat\t1\n")

    folder = tmp_path / "parts"
    outcome = with_ray(cli, Here(meanwhile=change), bundle, big, "-o", folder, "--part-rows", 32)
    assert outcome.code == 1 and f"{big}: was changed while it was being scored" in outcome.err
    assert outcome.err.endswith("start over with --force, with inputs that all machines share\n")
    outcome = with_ray(cli, Here(), bundle, big, "-o", folder, "--part-rows", 32, "--resume")
    assert outcome.code == 1 and "input 1 was" in outcome.err
    assert with_ray(cli, Here(), bundle, big, "-o", folder, "--part-rows", 32, "--force").code == 0


def test_other_options_are_another_run(cli: Cli, bundle: Path, tmp_path: Path, big: Path) -> None:
    folder = tmp_path / "parts"
    assert with_ray(cli, Here(), bundle, big, "-o", folder).code == 0
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    for options, told in (
        ((), "holds the parts of another run; name another -o, or --force to replace"),
        (("--resume", "--part-rows", 50), "is of another run: --part-rows was 256 and is 50; run it as before"),
        (("--resume", "--no-dedupe"), "--dedupe was True and is False"),
        (("--resume", "--part-format", "jsonl"), "--part-format was tsv and is jsonl"),
        (("--resume", "--force"), "give one of the two"),
    ):
        outcome = with_ray(cli, Here(), bundle, big, "-o", folder, *options)
        assert outcome.code in (1, 2) and told in outcome.err
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before


def test_force_removes_what_runs_wrote_and_nothing_else(cli: Cli, bundle: Path, tmp_path: Path, big: Path) -> None:
    folder = tmp_path / "parts"
    assert with_ray(cli, Here(), bundle, big, "-o", folder, "--part-rows", 32, "--html").code == 0
    (folder / "part-000099.tsv").write_text("another's")
    outcome = with_ray(cli, Here(), bundle, big, "-o", folder, "--force")
    assert outcome.code == 1 and "holds part-000099.tsv, which no run there has written" in outcome.err
    assert (folder / "part-000009.tsv").exists() and (folder / "manifest.json").exists()
    (folder / "part-000099.tsv").unlink()
    assert with_ray(cli, Here(), bundle, big, "-o", folder, "--force", "--part-format", "jsonl").code == 0
    assert sorted(os.listdir(folder)) == [  # noqa: PTH208
        "manifest.json", "part-000000.jsonl", "part-000001.jsonl", "report.json",
    ]  # fmt: skip


def test_a_folder_with_other_files(cli: Cli, bundle: Path, tmp_path: Path, big: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    (folder / "part-000000.tsv").write_text("of another program")
    for options in ((), ("--force",), ("--resume",)):
        outcome = with_ray(cli, Here(), bundle, big, "-o", folder, *options)
        assert outcome.code == 1 and "holds part-000000.tsv, which no run there has written" in outcome.err
    assert (folder / "part-000000.tsv").read_text() == "of another program"


def test_a_folder_in_use(cli: Cli, bundle: Path, tmp_path: Path, big: Path) -> None:
    folder = tmp_path / "parts"
    folder.mkdir()
    other = os.open(folder, os.O_RDONLY)
    fcntl.flock(other, fcntl.LOCK_EX)
    try:
        outcome = with_ray(cli, Here(), bundle, big, "-o", folder)
    finally:
        os.close(other)
    assert outcome.code == 1 and "parts: another run is writing it at this moment" in outcome.err


def test_a_run_that_is_refused_leaves_the_other_as_it_is(cli: Cli, bundle: Path, tmp_path: Path, big: Path) -> None:
    folder, refused = tmp_path / "parts", []

    def begin_another(done: int) -> None:
        if done == 1:  # of the first run, which holds the folder
            refused.append(with_ray(cli, Here(), bundle, big, "-o", folder, "--force", "--part-rows", 32))

    outcome = with_ray(cli, Here(meanwhile=begin_another), bundle, big, "-o", folder, "--part-rows", 32)
    assert outcome.code == 0 and (folder / "manifest.json").exists()
    [other] = refused
    assert other.code == 1 and other.err.rstrip().endswith("is writing it at this moment; let that one finish")


def test_a_run_that_was_killed_at_its_very_end(cli: Cli, bundle: Path, tmp_path: Path, big: Path) -> None:
    def stop(done: int) -> None:
        if done == 9:
            raise KeyboardInterrupt

    folder = tmp_path / "parts"
    assert with_ray(cli, Here(meanwhile=stop), bundle, big, "-o", folder, "--part-rows", 32).code == 130
    (folder / "report.json.partial").write_text("{")
    damaged = folder / "part-000002.tsv"
    damaged.write_bytes(damaged.read_bytes()[:-2] + b"7\n")
    assert with_ray(cli, Here(), bundle, big, "-o", folder, "--part-rows", 32, "--resume").code == 0
    undisturbed = tmp_path / "undisturbed"
    assert with_ray(cli, Here(), bundle, big, "-o", undisturbed, "--part-rows", 32).code == 0
    assert joined(folder) == joined(undisturbed)


def test_an_unfinished_run_is_not_begun_over(cli: Cli, bundle: Path, tmp_path: Path, big: Path) -> None:
    def stop(done: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    folder = tmp_path / "parts"
    assert with_ray(cli, Here(meanwhile=stop), bundle, big, "-o", folder, "--part-rows", 32).code == 130
    outcome = with_ray(cli, Here(), bundle, big, "-o", folder, "--part-rows", 32)
    assert outcome.code == 1 and "has done 2 of 10 parts; go on with --resume, or start over with" in outcome.err


def test_a_part_that_ends_its_worker_again_and_again(cli: Cli, bundle: Path, tmp_path: Path, big: Path) -> None:
    machines = Here()
    machines.begun.update({1: 5})
    outcome = with_ray(cli, machines, bundle, big, "-o", tmp_path / "parts", "--part-rows", 32)
    assert outcome.code == 1
    assert "big.tsv, from line 34 on: this part has ended its worker 5 times, perhaps for lack of memory" in outcome.err


def test_a_column_that_is_not_there(cli: Cli, bundle: Path, tmp_path: Path, big: Path) -> None:
    options = ("--text-column", "nope")
    local = cli("infer", bundle, big, "-o", tmp_path / "o.tsv", *options, *OPTIONS)
    outcome = with_ray(cli, Here(), bundle, big, "-o", tmp_path / "parts", *options)
    assert (outcome.code, outcome.err) == (local.code, local.err) and not (tmp_path / "parts").exists()


@pytest.mark.parametrize("problem", ["several", "number"])
def test_several_labels_and_numbers(
    cli: Cli, several_bundle: Path, number_bundle: Path, tmp_path: Path, problem: str
) -> None:
    table, local, folder = tmp_path / "t.tsv", tmp_path / "local.tsv", tmp_path / "parts"
    cells = {"several": ["joy", "", "anger,fear", "fear"], "number": ["0.5", "-1", "2.25", "1e-3"]}[problem]
    rows = [f"{row}\t{tiny.SENTENCES[row % 8]} {row % 40}\t{cells[row % 4]}" for row in range(150)]
    table.write_text("\n".join(["id\tsentence\tlabel", *rows]) + "\n")
    command = ({"several": several_bundle, "number": number_bundle}[problem], table)
    assert cli("infer", *command, "-o", local, "--no-dedupe", *OPTIONS).code == 0
    outcome = with_ray(cli, Here(shuffled), *command, "-o", folder, "--no-dedupe", "--part-rows", 2 * WINDOW, "--html")
    assert outcome.code == 0, outcome.err
    assert joined(folder) == local.read_bytes()
    ours, theirs = (json.loads(path.read_text()) for path in (folder / "report.json", report_path(local)))
    assert ours["metrics"] == theirs["metrics"] and ours["problem_type"] == theirs["problem_type"]


def test_a_worker_of_a_run_that_was_replaced_writes_no_part(cli: Cli, bundle: Path, tmp_path: Path, big: Path) -> None:
    folder = tmp_path / "parts"

    def replace(done: int) -> None:
        if done == 2:
            run = folder / ".unfinished" / "run.json"
            run.write_text(run.read_text().replace('"run": "', '"run": "another'))
            (folder / "part-000002.tsv").write_text("another's")

    outcome = with_ray(cli, Here(meanwhile=replace), bundle, big, "-o", folder, "--part-rows", 32)
    assert outcome.code == 1 and "parts: is not the folder that the driver writes to" in outcome.err
    assert (folder / "part-000002.tsv").read_text() == "another's"


def test_a_name_that_is_no_utf8(cli: Cli, bundle: Path, tmp_path: Path, big: Path) -> None:
    source = Path(os.fsdecode(os.fsencode(tmp_path / "b") + b"\xff.tsv"))
    big.rename(source)
    outcome = with_ray(cli, Here(), bundle, source, "-o", tmp_path / "parts")
    assert outcome.code == 0, outcome.err
    assert json.loads((tmp_path / "parts" / "report.json").read_text())["input"][0]["name"].endswith(r"b\udcff.tsv")
