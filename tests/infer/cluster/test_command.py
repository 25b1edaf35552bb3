"""What makes no sense with a cluster is refused before one is started."""

import os
from pathlib import Path

import pytest

from bertline.errors import BertlineError, UsageError
from infer.cluster.command import plan_cluster_job
from infer.cluster.places import LocalPlace
from infer.cluster.planning import ClusterJob
from tests import tiny
from tests.conftest import Cli


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("-o", "-"), "writes a folder of parts, and not to stdout"),
        (("-o", "out", "--report", "r.json"), "--report: --engine ray puts report.json into its folder"),
        (("-o", "out", "--devices", "all"), "--devices: Ray gives each worker a device"),
        (("-o", "out", "--device", "cuda:1"), "--device cuda:1: Ray gives each worker a device"),
        (("-o", "out", "--batch-tokens", "auto"), "--batch-tokens auto tries out one device"),
        (("-o", "out", "--part-format", "csv"), "--part-format csv: give tsv, tsv.gz, jsonl or parquet"),
        (("-o", "out", "--on-error", "skip"), "--on-error skip: give fail or quarantine"),
        (("-o", "out", "--ray-address", "ray://host:10001"), "start bertline on a machine of the cluster"),
        (("-o", "out", "--ray-address", "host"), "--ray-address host: give HOST:PORT"),
        (("-o", "ftpx://host/out"), "ftpx://…: pyarrow cannot reach that"),
        (("-o", "out", "--resume", "--force"), "give one of the two"),
    ],
)
def test_usage_errors(
    cli: Cli,
    bundle: Path,
    table: Path,
    options: tuple[str, ...],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(table.parent)
    outcome = cli("infer", bundle, table, "--engine", "ray", *options)
    assert outcome.code == 2 and told in outcome.err
    assert outcome.err.count("\n") == 1


@pytest.mark.parametrize(
    "option", ["--ray-address=auto", "--workers=2", "--part-rows=2", "--part-format=tsv", "--engine=spark"]
)
def test_its_options_need_it(cli: Cli, bundle: Path, table: Path, tmp_path: Path, option: str) -> None:
    outcome = cli("infer", bundle, table, "-o", tmp_path / "o.tsv", option)
    told = "--engine spark: give local or ray" if "engine" in option else f"{option.split('=')[0]} is for --engine ray"
    assert outcome.code == 2 and told in outcome.err


def test_uris_need_it(cli: Cli, bundle: Path, table: Path) -> None:
    for arguments in (("s3://bucket/t.tsv", "-o", "o.tsv"), (table, "-o", "s3://bucket/out/")):
        outcome = cli("infer", bundle, *arguments)
        assert outcome.code == 2 and "s3://…: is no file of this machine; --engine ray takes URIs" in outcome.err


def planned(*inputs: str, output: str = "out") -> ClusterJob:
    how = {"spec": None, "tune": False, "on_error": "fail"}
    return plan_cluster_job(
        inputs, output, report=None, devices=None, device="auto", part_format=None, how=how,
        part_rows=None, workers=None, address=None, variant="auto", provider="auto", threads=None, max_length=None,
        batch_tokens=None,
    )  # fmt: skip


def test_inputs_are_files_folders_globs_and_uris(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("in/b.tsv", "in/a.parquet", "in/notes.pdf", "c.tsv", "d e.tsv"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = planned("in", "?.tsv", f"file://{tmp_path}/d%20e.tsv").inputs
    assert [place.name for place in found] == ["in/a.parquet", "in/b.tsv", "c.tsv", f"{tmp_path}/d e.tsv"]
    assert all(isinstance(place, LocalPlace) and place.path.is_absolute() for place in found)


def test_what_only_one_can_read(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match="pipe: is a pipe, which only one can read"):
        planned(str(tmp_path / "pipe"))
    with pytest.raises(UsageError, match="-: --engine ray reads files"):
        planned("-")


def test_where_the_folder_cannot_be(cli: Cli, bundle: Path, table: Path, tmp_path: Path) -> None:
    for output, told in ((table, "is a file; --engine ray writes a folder"), (tmp_path / "no" / "out", "mkdir -p")):
        outcome = cli("infer", bundle, table, "-o", output, "--engine", "ray")
        assert outcome.code == 1 and told in outcome.err
    assert table.read_text().startswith("id\t")
    with pytest.raises(BertlineError, match=r"no\.tsv: no such file"):
        planned(str(tmp_path / "no.tsv"))


def test_a_table_of_another_run(cli: Cli, bundle: Path, table: Path, tmp_path: Path) -> None:
    (tmp_path / "manifest.json").write_text(tiny.SENTENCES[0])
    outcome = cli("infer", bundle, table, "-o", tmp_path, "--engine", "ray")
    assert outcome.code == 1 and "manifest.json: is of no run of this version of bertline" in outcome.err
