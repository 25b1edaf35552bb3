"""Inputs from an object store and parts into one: a real S3 protocol, served on loopback."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from moto.server import ThreadedMotoServer

from bertline.errors import BertlineError
from infer.cluster.command import plan_cluster_job
from infer.cluster.places import Place, RemotePlace, place_of
from tests import tiny
from tests.conftest import Cli
from tests.infer.cluster.here import Here
from tests.infer.cluster.test_engine import assert_same_scores, shuffled, with_ray, write_table

BUCKET = "bertline-test"


@pytest.fixture(scope="module")
def server() -> Iterator[str]:
    """What stands behind `?` in its URIs."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
            patch.setenv(name, "testing")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        serving = ThreadedMotoServer("127.0.0.1", 0)
        serving.start()
        host, port = serving.get_host_and_port()
        yield f"endpoint_override={host}:{port}&scheme=http&region=us-east-1"
        serving.stop()


@pytest.fixture
def bucket(server: str) -> Iterator[Place]:
    """An empty one."""
    import pyarrow.fs

    store, _ = pyarrow.fs.FileSystem.from_uri(f"s3://{BUCKET}?{server}&allow_bucket_creation=true")
    store.create_dir(BUCKET)
    yield place_of(f"s3://{BUCKET}?{server}")
    store.delete_dir_contents(BUCKET)


def uri(server: str, path: str) -> str:
    return f"s3://{BUCKET}/{path}?{server}"


def put(bucket: Place, name: str, path: Path) -> None:
    (bucket / name).write(path.read_bytes())


@pytest.fixture
def inputs(bucket: Place, tmp_path: Path) -> list[Path]:
    """Two tables in the folder `in`, and the same files here."""
    files = [write_table(tmp_path / "a.tsv", 200), write_table(tmp_path / "b.tsv", 90, seed=9)]
    for file in files:
        put(bucket, f"in/{file.name}", file)
    (bucket / "in/notes.pdf").write(b"no table")
    return files


def fetched(bucket: Place, folder: str) -> bytes:
    """The parts as one table."""
    manifest = json.loads((bucket / f"{folder}/manifest.json").read())
    tables = [(bucket / f"{folder}/{part['file']}").read().split(b"\n", 1) for part in manifest["parts"]]
    return b"\n".join([tables[0][0], b"".join(rows for _, rows in tables)])


def test_there_and_back(cli: Cli, bundle: Path, tmp_path: Path, server: str, bucket: Place, inputs: list[Path]) -> None:
    local = tmp_path / "local.tsv"
    options = ("--label-column", "label", "--logits", "--window", 16)
    assert cli("infer", bundle, *inputs, "-o", local, *options).code == 0
    command = (bundle, uri(server, "in"), "-o", uri(server, "out"), "--part-rows", 64)
    outcome = with_ray(cli, Here(shuffled), *command, "--html")
    assert outcome.code == 0, outcome.err
    assert_same_scores(fetched(bucket, "out"), local.read_bytes())
    names = [f"part-{number:06}.tsv" for number in range(5)]
    assert (bucket / "out").names() == ["manifest.json", *names, "report.html", "report.json"]
    report = json.loads((bucket / "out/report.json").read())
    assert [read["name"] for read in report["input"]] == [f"s3://{BUCKET}/in/a.tsv", f"s3://{BUCKET}/in/b.tsv"]
    assert report["metrics"] == json.loads((tmp_path / "local.tsv.report.json").read_text())["metrics"] | {
        "most_confident_mistakes": report["metrics"]["most_confident_mistakes"]  # which name the files
    }
    again = with_ray(cli, Here(), *command)
    assert again.code == 1 and f"s3://{BUCKET}/out: holds the parts of another run" in again.err
    assert with_ray(cli, Here(), *command, "--force").code == 0
    assert "report.html" not in (bucket / "out").names()


def test_stopped_and_resumed(cli: Cli, bundle: Path, server: str, bucket: Place, inputs: list[Path]) -> None:
    def stop(done: int) -> None:
        if done == 2:
            raise KeyboardInterrupt

    command = (bundle, uri(server, "in/a.tsv"), "-o", uri(server, "out"), "--part-rows", 64)
    outcome = with_ray(cli, Here(meanwhile=stop), *command)
    assert outcome.code == 130 and "2 of 4 parts are done and kept" in outcome.err
    machines = Here()
    assert with_ray(cli, machines, *command, "--resume").code == 0
    assert sorted(machines.begun) == [2, 3]
    assert (bucket / "out").names() == ["manifest.json", *(f"part-{n:06}.tsv" for n in range(4)), "report.json"]


def test_bad_rows_name_the_object(cli: Cli, bundle: Path, tmp_path: Path, server: str, bucket: Place) -> None:
    path = tiny.write_table(tmp_path / "t.tsv")
    path.write_text(path.read_text() + "no text\n")
    put(bucket, "t.tsv", path)
    outcome = with_ray(cli, Here(), bundle, uri(server, "t.tsv"), "-o", tmp_path / "parts")
    assert outcome.code == 1 and f"s3://{BUCKET}/t.tsv, line 26, column sentence is missing" in outcome.err


def planned(name: str) -> list[str]:
    how: dict[str, Any] = {"spec": None, "tune": False, "on_error": "fail"}
    run = plan_cluster_job(
        [name], "out", report=None, devices=None, device="auto", part_format=None, how=how, part_rows=None,
        workers=None, address=None, variant="auto", provider="auto", threads=None, max_length=None, batch_tokens=None,
    )  # fmt: skip
    return [place.name.removeprefix(f"s3://{BUCKET}/") for place in run.inputs]


def test_names_of_objects(server: str, inputs: list[Path]) -> None:
    assert planned(uri(server, "in")) == planned(uri(server, "in/")) == ["in/a.tsv", "in/b.tsv"]
    assert planned(uri(server, "in/b*")) == ["in/b.tsv"]
    assert planned(uri(server, "in/a.tsv")) == ["in/a.tsv"]
    for name, told in (("in/c.tsv", "no such file"), ("in/c*", "no file has such a name")):
        with pytest.raises(BertlineError, match=f"s3://{BUCKET}/in/c.*: {told}"):
            planned(uri(server, name))


def test_what_is_not_allowed_is_one_line(server: str, bucket: Place) -> None:
    secret = f"s3://someone:hushhush@no-such-bucket/x.tsv?{server}"
    place = place_of(secret)
    assert isinstance(place, RemotePlace) and place.name == "s3://no-such-bucket/x.tsv"
    with pytest.raises(BertlineError, match=r"^s3://no-such-bucket/x\.tsv: cannot be written \(.*\); check") as raised:
        place.write(b"x")
    assert "hushhush" not in str(raised.value) and "\n" not in str(raised.value)
