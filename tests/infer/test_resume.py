"""A run that is killed goes on where it was, and ends with the bytes of one that was not."""

import errno
import itertools
import json
import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from bertline.errors import BertlineError
from infer import pipeline
from infer.journal import Journal
from infer.output import TsvFormat
from infer.unfinished import Unfinished
from tests import tiny
from tests.conftest import Cli

KILLS = 25  # with each of two endings
ROWS = 6_000
WINDOW = 100
SEED = 7
# Few texts are remembered, so that generations end within the run; the command line is otherwise the user's.
PROGRAM = "import infer.seen; infer.seen.CAPACITY = 700; from bertline.__main__ import main; main()"
OPTIONS = ("--label-column", "label", "--logits", "--window", str(WINDOW), "--on-error", "quarantine", "-q")


@pytest.fixture(scope="module")
def big_table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Rows of many lengths, some equal to others far away, some that cannot be read."""
    generator = random.Random(SEED)
    lines = ["id\tsentence\tlabel"]
    for row in range(ROWS):
        text = " ".join(generator.choices(tiny.WORDS, k=generator.randrange(1, 40)))
        text = generator.choice([text, tiny.SENTENCES[row % 8], f"the cat {row % 300}"])
        lines.append(f"{row}\t{text}" if row % 211 == 0 else f"{row}\t{text}\t{row % 2}")
    path = tmp_path_factory.mktemp("big") / "big.tsv"
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def command(bundle: Path, table: Path, out: Path, *options: str) -> list[str]:
    return [sys.executable, "-c", PROGRAM, "infer", str(bundle), str(table), "-o", str(out), *OPTIONS, *options]


def of_report(out: Path) -> dict[str, Any]:
    """What a report says of the rows, and not of the time it took."""
    report = json.loads(out.with_name(out.name + ".report.json").read_text())
    names = "rows unique_rows unique_share tokens padding_share truncated rejected blanked metrics batch_tokens"
    return {name: report[name] for name in names.split()}


def rejects(out: Path) -> bytes:
    return out.with_name(out.name + ".rejects.tsv").read_bytes()


@pytest.mark.parametrize("ending", [".tsv", ".jsonl.gz"])
def test_killed_at_any_moment_and_resumed_the_bytes_are_the_same(
    bundle: Path, big_table: Path, tmp_path: Path, ending: str
) -> None:
    whole = tmp_path / f"whole{ending}"
    subprocess.run(command(bundle, big_table, whole), check=True)
    seconds = json.loads(whole.with_name(whole.name + ".report.json").read_text())["seconds"]
    generator, kills, runs = random.Random(SEED), 0, 0
    while kills < KILLS:
        runs += 1
        out = tmp_path / f"killed{runs}{ending}"
        while not done_or_killed(command(bundle, big_table, out, "--resume"), out, generator.uniform(0, seconds / 3)):
            kills += 1
        assert out.read_bytes() == whole.read_bytes()
        assert rejects(out) == rejects(whole)
        assert of_report(out) == of_report(whole)
        assert sorted(path.name for path in tmp_path.glob(f"{out.name}*")) == [
            out.name, f"{out.name}.rejects.tsv", f"{out.name}.report.json",
        ]  # fmt: skip
    print(f"{kills} kills in {runs} runs of {seconds:.2f} s")


def done_or_killed(arguments: list[str], out: Path, after: float) -> bool:
    """Whether a run was done `after` seconds of scoring; else it is killed then."""
    journal = out.with_name(out.name + ".journal")

    def touched() -> int | None:
        return journal.stat().st_mtime_ns if journal.exists() else None

    before, process = touched(), subprocess.Popen(arguments, stderr=subprocess.PIPE)
    while process.poll() is None and touched() == before:
        time.sleep(0.002)
    try:
        process.wait(after)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        return False
    assert process.returncode == 0, process.communicate()[1]
    return True


@contextmanager
def killed_at(monkeypatch: pytest.MonkeyPatch, name: str, call: int = 1) -> Iterator[None]:
    """A run inside dies when it calls that method of Unfinished for that time, and tidies up nothing."""
    method, calls = getattr(Unfinished, name), itertools.count(1)

    class Killed(BaseException):
        pass

    def dies(self: Unfinished, *arguments: Any) -> Any:
        if next(calls) == call:
            self._stream.close()  # as the kernel does
            raise Killed
        return method(self, *arguments)

    with monkeypatch.context() as patch, pytest.raises(Killed):
        patch.setattr(Unfinished, name, dies)
        patch.setattr(Unfinished, "abandon", lambda self, **how: "")
        yield


@pytest.mark.parametrize(("moment", "call"), [("write", 3), ("publish", 1)])
@pytest.mark.parametrize("ending", ["tsv", "parquet"])
def test_a_forced_run_that_is_killed_goes_on_beside_the_output_it_replaces(
    bundle: Path,
    table: Path,
    tmp_path: Path,
    cli: Cli,
    monkeypatch: pytest.MonkeyPatch,
    moment: str,
    call: int,
    ending: str,
) -> None:
    if ending == "parquet":
        pytest.importorskip("pyarrow")
    out, whole = tmp_path / f"o.{ending}", tmp_path / f"whole.{ending}"
    former = ("infer", bundle, table, "-o", out, "--window", "5")
    assert cli("infer", bundle, table, "-o", whole, "--window", "5", "--logits").code == 0
    assert cli(*former).code == 0
    before = out.read_bytes()
    with killed_at(monkeypatch, moment, call):
        cli(*former, "--logits", "--force")
    if moment == "write":  # the former run, which is done, leaves the files of this one alone
        assert cli(*former, "--resume").code == 0
    assert out.read_bytes() == before
    outcome = cli(*former, "--logits", "--resume")
    assert outcome.code == 0 and "were done by the run before" in outcome.err, outcome.err
    assert out.read_bytes() == whole.read_bytes()
    assert sorted(path.name for path in tmp_path.glob("o.*")) == [out.name, f"{out.name}.report.json"]


def test_killed_before_there_is_a_journal(bundle: Path, table: Path, tmp_path: Path, cli: Cli) -> None:
    out = tmp_path / "o.tsv"
    out.with_name("o.tsv.partial").touch()
    assert cli("infer", bundle, table, "-o", out).code == 1
    assert cli("infer", bundle, table, "-o", out, "--resume").code == 0


def test_an_output_that_another_run_has_finished_meanwhile_is_not_replaced(tmp_path: Path) -> None:
    out = tmp_path / "o.tsv"
    out.write_text("scored")  # behind the check that comes before the model is loaded
    with pytest.raises(BertlineError, match="the file exists"):
        Unfinished.start(out, {}, force=False)
    assert [path.name for path in tmp_path.iterdir()] == ["o.tsv"]


@pytest.mark.parametrize(("place", "rows"), [("append", 5), ("rewrite", 0), ("finish", 24)])
def test_a_full_disk_is_named_and_what_is_done_is_kept(
    bundle: Path, table: Path, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch, place: str, rows: int
) -> None:
    out, calls = tmp_path / "o.tsv", itertools.count()
    kind = TsvFormat if place == "finish" else Journal
    method = getattr(kind, place)

    def full(*arguments: Any) -> None:
        if next(calls) == (place == "append"):  # there the first window, which opens a generation, still fits
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        method(*arguments)

    arguments = ("infer", bundle, table, "-o", out, "--window", "5")
    with monkeypatch.context() as patch:
        patch.setattr(kind, place, full)
        outcome = cli(*arguments)
    assert outcome.code == 1 and "o.tsv: No space left on device; " in outcome.err
    assert f"{rows} rows are done and kept" in outcome.err if rows else not list(tmp_path.glob("o.*"))
    outcome = cli(*arguments, "--resume")
    assert outcome.code == 0 and (f"{rows} of these rows were done" in outcome.err if rows else True), outcome.err


Stopped = tuple[Path, Path]


@pytest.fixture
def stopped(bundle: Path, tmp_path: Path, cli: Cli) -> Stopped:
    """A table, and the output of a run that stopped at a row of it that cannot be read, two windows on."""
    table, out = tiny.write_table(tmp_path / "t.tsv", 50), tmp_path / "o.tsv"
    table.write_bytes(table.read_bytes() + b"50\tthe cat\n")
    outcome = cli("infer", bundle, table, "-o", out, "--label-column", "label", "--window", "20")
    assert outcome.code == 1 and "line 52" in outcome.err
    assert "40 rows are done and kept, and the same command with --resume goes on" in outcome.err
    assert not out.exists() and out.with_name("o.tsv.partial").exists()
    return table, out


def again(cli: Cli, bundle: Path, stopped: Stopped, *options: object) -> Any:
    table, out = stopped
    return cli("infer", bundle, table, "-o", out, "--label-column", "label", "--window", "20", *options)


def test_an_unfinished_run_is_reported_and_not_overwritten(bundle: Path, cli: Cli, stopped: Stopped) -> None:
    before = stopped[1].with_name("o.tsv.partial").read_bytes()
    outcome = again(cli, bundle, stopped)
    assert outcome.code == 1 and outcome.err.count("\n") == 1
    assert "an unfinished run, or one still going, has done 40 rows; go on with --resume, or start over" in outcome.err
    assert stopped[1].with_name("o.tsv.partial").read_bytes() == before


def test_a_run_stopped_by_a_bad_row_goes_on_with_quarantine(bundle: Path, cli: Cli, stopped: Stopped) -> None:
    outcome = again(cli, bundle, stopped, "--resume", "--on-error", "quarantine")
    assert outcome.code == 0 and "40 of these rows were done by the run before" in outcome.err
    lines = stopped[1].read_text().splitlines()
    assert len(lines) == 51 and len(rejects(stopped[1]).splitlines()) == 2


def test_force_starts_over(bundle: Path, cli: Cli, stopped: Stopped) -> None:
    assert again(cli, bundle, stopped, "--force", "--on-error", "quarantine").code == 0
    assert len(stopped[1].read_text().splitlines()) == 51
    assert again(cli, bundle, stopped, "--force", "--resume").code == 2


def _longer(table: Path) -> None:
    table.write_bytes(table.read_bytes() + b"51\tthe dog\t1\n")


def _last_byte(table: Path) -> None:
    table.write_bytes(table.read_bytes()[:-2] + b"x\n")  # of a row that was never reached


@pytest.mark.parametrize(
    ("change", "options", "expected"),
    [
        (_longer, [], "input 1 was"),
        (_last_byte, [], "input 1 was"),
        (None, ["--window", "21"], "--window was 20 and is 21"),
        (None, ["--logits"], "--logits was False and is True"),
        (None, ["--batch-tokens", "auto"], "--batch-tokens was 2048 and is auto"),
        (None, ["--max-length", "20"], "--max-length was 64 and is 20"),
        (None, ["--threads", "7"], "--threads was"),
        (None, ["--no-dedupe"], "--dedupe was True and is False"),
        (None, ["--no-labels"], "--labels was True and is False"),
        (None, ["--text-column", "id"], "--text-column was not given and is id"),
    ],
)
def test_a_run_that_is_not_the_same_is_refused_with_the_difference(
    bundle: Path,
    cli: Cli,
    stopped: Stopped,
    change: Callable[[Path], None] | None,
    options: list[str],
    expected: str,
) -> None:
    if change:
        change(stopped[0])
    before = stopped[1].with_name("o.tsv.partial").read_bytes()
    outcome = again(cli, bundle, stopped, "--resume", *options)
    assert outcome.code == 1 and expected in outcome.err and "start over with --force" in outcome.err
    assert stopped[1].with_name("o.tsv.partial").read_bytes() == before, "what was done is kept"


def test_another_bundle_is_refused(bundle: Path, cli: Cli, stopped: Stopped, tmp_path: Path) -> None:
    copy = Path(shutil.copytree(bundle, tmp_path / "b"))
    (copy / "bertline.json").write_text((copy / "bertline.json").read_text() + " ")
    assert "bundle was" in again(cli, copy, stopped, "--resume").err


@pytest.mark.parametrize("moment", ["identity_of", "check_unchanged"])  # before the second table is read, and behind it
def test_what_was_scored_while_an_input_changed_is_never_gone_on_with(
    bundle: Path, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch, moment: str
) -> None:
    tables, out = [tiny.write_table(tmp_path / name) for name in ("a.tsv", "b.tsv")], tmp_path / "o.tsv"
    content, function = tables[1].read_bytes(), getattr(pipeline, moment)

    def change_too(*arguments: Any) -> Any:
        result = function(*arguments) if moment == "identity_of" else None
        tables[1].write_bytes(content + b"24\tthe cat\t1\n")
        return result or function(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, moment, change_too)
        outcome = cli("infer", bundle, *tables, "-o", out)
    assert outcome.code == 1 and "b.tsv: was changed while it was being scored" in outcome.err
    assert "--resume" not in outcome.err and not out.exists()
    tables[1].write_bytes(content)  # it is again what it was, and what was scored is not
    outcome = cli("infer", bundle, *tables, "-o", out, "--resume")
    assert outcome.code == 1 and "start over with --force" in outcome.err


def test_a_damaged_journal_is_refused(bundle: Path, cli: Cli, stopped: Stopped) -> None:
    journal = stopped[1].with_name("o.tsv.journal")
    content = journal.read_bytes()
    for damaged, expected in (
        (b"", "is no journal of this version"),
        (b"{}\n", "is no journal of this version"),
        (content.replace(b'"schema": 3', b'"schema": 2'), "is no journal of this version"),
        (content.replace(b'"output_bytes": ', b'"output_bytes": 9'), "is shorter than its journal says"),
        (content.replace(b'"logits": "', b'"logits": "!'), "its journal is damaged"),
        (content.replace(b'"tokens": "', b'"tokens": "AAAA'), "its journal is damaged"),
        (content.replace(b'"scores": ', b'"former": '), "its journal is damaged"),
        (content.replace(b'"evaluation": {', b'"evaluation": null, "former": {'), "its journal is damaged"),
    ):
        journal.write_bytes(damaged)
        outcome = again(cli, bundle, stopped, "--resume", "--on-error", "quarantine")
        assert outcome.code == 1 and expected in outcome.err and "--force" in outcome.err


def test_a_run_that_is_stopped_has_the_page_and_the_figures_of_one_that_is_not(
    bundle: Path, table: Path, tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, whole = tmp_path / "o.tsv", tmp_path / "whole.tsv"
    options = ("--label-column", "label", "--window", "5", "--html")
    assert cli("infer", bundle, table, "-o", whole, *options).code == 0
    with killed_at(monkeypatch, "write", 4):
        cli("infer", bundle, table, "-o", out, *options)
    checkpoints = Journal.read(out.with_name("o.tsv.journal")).checkpoints
    assert [bool(checkpoint.evaluation) for checkpoint in checkpoints] == [False, False, True]  # memory is bounded
    assert cli("infer", bundle, table, "-o", out, *options, "--resume").code == 0
    assert of_report(out) == of_report(whole)
    assert of_report(out)["metrics"]["most_confident_mistakes"]
    resumed, straight = (
        path.with_name(f"{path.name}.report.html").read_text().partition("<h2>The run</h2>")[0].partition("<h2>")[2]
        for path in (out, whole)
    )
    assert resumed == straight != ""


def test_a_whole_output_whose_report_has_older_metrics_is_left_alone(
    bundle: Path, table: Path, tmp_path: Path, cli: Cli
) -> None:
    out = tmp_path / "o.tsv"
    arguments = ("infer", bundle, table, "-o", out, "--label-column", "label", "--resume")
    assert cli(*arguments).code == 0
    path = out.with_name("o.tsv.report.json")
    report = json.loads(path.read_text())
    kept = ("rows", "accuracy", "mcc", "confusion", "labels", "mcc_per_32_rows")
    path.write_text(json.dumps({**report, "metrics": {name: report["metrics"][name] for name in kept}}))
    outcome = cli(*arguments)
    assert outcome.code == 0 and f"MCC {report['metrics']['mcc']:.4f}" in outcome.err


def test_resume_with_nothing_to_resume_starts_afresh_and_is_content_with_what_is_whole(
    bundle: Path, cli: Cli, table: Path, tmp_path: Path
) -> None:
    out = tmp_path / "o.tsv"
    arguments = ("infer", bundle, table, "-o", out, "--resume")
    assert cli(*arguments).code == 0
    content = out.read_bytes()
    assert cli(*arguments).code == 0 and out.read_bytes() == content
    outcome = cli(*arguments, "--logits")
    assert outcome.code == 1 and "is of another run: --logits was False and is True" in outcome.err
    out.with_name("o.tsv.report.json").unlink()
    assert "no report says that this run wrote it" in cli(*arguments).err


def test_pipes_cannot_be_resumed(bundle: Path, cli: Cli, table: Path, tmp_path: Path) -> None:
    assert cli("infer", bundle, "-", "-o", tmp_path / "o.tsv", "--resume").code == 2
    assert cli("infer", bundle, table, "-o", "-", "--resume").code == 2


def test_a_pipe_with_a_name_is_read_once_and_to_its_end(bundle: Path, tmp_path: Path, cli: Cli) -> None:
    table = tiny.write_table(tmp_path / "t.tsv", 20_000)  # more than is read for the header
    process = subprocess.Popen(["cat", table], stdout=subprocess.PIPE)
    assert process.stdout is not None
    with process.stdout:
        pipe, out = f"/dev/fd/{process.stdout.fileno()}", tmp_path / "o.tsv"
        assert cli("infer", bundle, pipe, "-o", out, "--resume").code == 2
        outcome = cli("infer", bundle, pipe, "-o", out)
    assert process.wait() == 0 and outcome.code == 0, outcome.err
    assert len(out.read_bytes().splitlines()) == 20_001


def test_two_runs_cannot_write_one_output(bundle: Path, big_table: Path, tmp_path: Path, cli: Cli) -> None:
    out = tmp_path / "o.tsv"
    process = subprocess.Popen(command(bundle, big_table, out), stderr=subprocess.PIPE)
    try:
        while not out.with_name("o.tsv.journal").exists():
            assert process.poll() is None
            time.sleep(0.01)
        for option in ("--resume", "--force"):
            outcome = cli("infer", bundle, big_table, "-o", out, *OPTIONS, option)
            assert outcome.code == 1 and "another run is writing it at this moment" in outcome.err
    finally:
        assert process.wait() == 0, process.communicate()[1]
    assert out.exists()
