"""Bad input: the right exit code, one line that says where and what to do, and nothing under the output's name."""

import json
import os
import resource
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bertline.bundle import MANIFEST
from tests import tiny
from tests.conftest import Cli

COMMAND = [sys.executable, "-m", "bertline", "infer"]
HEADER = b"id\tsentence\tlabel\n"
LABELLED = ("--label-column", "label")


def errors(stderr: str) -> list[str]:
    """Lines that are no progress remark; the bundle's variant and device is the one remark before an error."""
    return [line for line in stderr.splitlines() if ": variant " not in line]


def left_behind(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.glob("*o.tsv*"))


def fails(cli: Cli, folder: Path, *arguments: object, code: int = 1) -> str:
    """The one error line of `infer ARGUMENTS -o folder/o.tsv`."""
    outcome = cli("infer", *arguments, "-o", folder / "o.tsv")
    assert outcome.code == code
    (line,) = errors(outcome.err)
    assert line.startswith("bertline: ") and outcome.out == ""
    assert left_behind(folder) == []
    return line


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", "t.tsv: the file is empty; give a table"),
        (HEADER, "t.tsv: has a header and no rows; give a table"),
        (HEADER + b"1\ta\t0\n2\tb\n", "t.tsv, line 3, column label is missing: the row has 2 where 3 are expected"),
        (HEADER + b"1\ta\t0\t\n", "t.tsv, line 2, column 4 is one too many: the row has 4 where 3 are expected"),
        (HEADER + b"1\ta\t0\n\n", "t.tsv, line 3, column sentence is missing"),
        (HEADER + b"1\tcaf\xe9\t0\n", "t.tsv, line 2: column 2, byte 6 is not UTF-8; convert the file with iconv"),
        (HEADER + b"1\ta\0\t0\n", "t.tsv, line 2: column 2 holds a NUL character; remove it with tr"),
        (HEADER + b"1\ta\t0\n2\tb\tperhaps\n", "t.tsv, line 3, column label: 'perhaps' is not a label (0, 1); correct"),
        (b"id\ttext\tlabel\n1\ta\t0\n", "t.tsv: no column 'sentence'; its columns are 'id', 'text', 'label'; name"),
        (b"sentence\tsentence\tlabel\na\tb\t0\n", "several columns are called 'sentence'; give --text-column"),
        (b"sentence\tlabel\tscore\na\t0\t1\n", "t.tsv, line 1, column 3: 'score' is what the scores are called"),
    ],
    ids=[
        "empty", "header only", "too few", "too many", "blank line", "not UTF-8", "NUL", "no label", "no text column",
        "two text columns", "scored already",
    ],
)  # fmt: skip
def test_a_bad_table(cli: Cli, bundle: Path, tmp_path: Path, content: bytes, expected: str) -> None:
    (tmp_path / "t.tsv").write_bytes(content)
    assert expected in fails(cli, tmp_path, bundle, tmp_path / "t.tsv", *LABELLED)


def test_an_error_in_the_first_window_leaves_nothing(cli: Cli, bundle: Path, tmp_path: Path) -> None:
    path = tiny.write_table(tmp_path / "t.tsv", 200)
    path.write_bytes(path.read_bytes() + b"200\tthe cat\n")
    assert "t.tsv, line 202, column label is missing" in fails(cli, tmp_path, bundle, path)


def test_inputs_that_are_not_there(cli: Cli, bundle: Path, tmp_path: Path, table: Path) -> None:
    assert "nowhere.tsv: no such file" in fails(cli, tmp_path, bundle, table, tmp_path / "nowhere.tsv")
    (tmp_path / "empty").mkdir()
    assert "empty: the folder holds no table (.tsv, .txt, " in fails(cli, tmp_path, bundle, tmp_path / "empty")
    assert "*.csv: no file has such a name; check the pattern" in fails(cli, tmp_path, bundle, tmp_path / "*.csv")
    assert "the file is empty" in fails(cli, tmp_path, bundle, "/dev/null")
    assert "longer than 16 MiB" in fails(cli, tmp_path, bundle, "/dev/zero")
    assert "no such bundle folder; make one" in fails(cli, tmp_path, tmp_path / "nowhere", table)


def change(folder: Path, key: str, value: object) -> None:
    document = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(document | {key: value}))


@pytest.mark.parametrize(
    ("damage", "code", "expected"),
    [
        (lambda b: (b / MANIFEST).unlink(), 1, "has no bertline.json, so it is no bundle or an unfinished one"),
        (lambda b: (b / MANIFEST).write_text("{"), 1, "bertline.json: is not JSON"),
        (lambda b: (b / "tokenizer.json").write_text("{}"), 3, "tokenizer.json has 2 bytes instead of"),
        (lambda b: (b / "onnx" / "model.onnx").unlink(), 3, "onnx/model.onnx is missing"),
        (
            lambda b: change(b, "files", {"../x": {"sha256": "0" * 64, "bytes": 1}}),
            1,
            "'../x' leaves the bundle; files: ",
        ),
        (lambda b: change(b, "labels", ["\x1b[2J\n", "a"]), 1, r"the label '\x1b[2J\n' holds a tab, a line end"),
        (lambda b: change(b, "variants", {"\x1b[2J": 1}), 1, "variants.\\x1b[2J is 1, not an object"),
    ],
    ids=["no manifest", "broken JSON", "changed", "no graph", "path that leaves", "labels", "terminal commands"],
)
def test_a_bad_bundle(
    cli: Cli, bundle: Path, tmp_path: Path, table: Path, damage: Callable[[Path], None], code: int, expected: str
) -> None:
    copy = Path(shutil.copytree(bundle, tmp_path / "bundle"))
    damage(copy)
    assert expected in fails(cli, tmp_path, copy, table, code=code)


def test_one_changed_byte_in_the_graph(cli: Cli, bundle: Path, tmp_path: Path, table: Path) -> None:
    copy = Path(shutil.copytree(bundle, tmp_path / "bundle"))
    content = bytearray((copy / "onnx" / "model.onnx").read_bytes())
    content[1000] ^= 1
    (copy / "onnx" / "model.onnx").write_bytes(content)
    assert "onnx/model.onnx has changed (its sha256 is not the manifest's)" in fails(cli, tmp_path, copy, table, code=3)


def test_an_output_that_exists_is_kept_unless_forced(cli: Cli, bundle: Path, tmp_path: Path, table: Path) -> None:
    out = tmp_path / "o.tsv"
    out.write_text("mine")
    outcome = cli("infer", bundle, table, "-o", out)
    assert outcome.code == 1 and "o.tsv: the file exists; name another -o, or --force" in outcome.err
    assert out.read_text() == "mine"
    assert cli("infer", bundle, table, "-o", out, "--force").code == 0
    assert out.read_text().count("\n") == 25


def test_outputs_that_cannot_be(cli: Cli, bundle: Path, tmp_path: Path, table: Path) -> None:
    content = table.read_bytes()
    for output, expected in (
        (tmp_path / "no" / "o.tsv", "the folder"),
        (tmp_path, "is a folder; name a file with -o"),
        (table, "is an input as well, and would be overwritten"),
        (Path("/dev/null"), "is a device or a pipe"),
    ):
        outcome = cli("infer", bundle, table, "-o", output, "--force")
        assert outcome.code == 1 and expected in outcome.err and outcome.err.count("\n") == 1
    for report, code in ((table, 1), (tmp_path / "o.tsv", 2), (tmp_path / "no" / "r.json", 1)):
        assert fails(cli, tmp_path, bundle, table, "--report", report, "--force", code=code)
    assert table.read_bytes() == content


@pytest.mark.parametrize(
    ("arguments", "code", "expected"),
    [
        (["--device", "tpu"], 2, "--device tpu: give auto, cpu, cuda, or cuda:N"),
        (["--device", "cuda:77"], 1, "--device cpu"),
        (["--variant", "int8"], 1, "has no variant 'int8'; it has fp32; choose with --variant"),
        (["--max-length", "65"], 1, "--max-length 65: the model takes 3 to 64 tokens"),
        (["--frobnicate"], 2, "No such option: --frobnicate"),
        (["--window", "0"], 2, "--window"),
        (["--batch-tokens", "many"], 2, "--batch-tokens"),
        (["--threads", "99999999999999999999"], 2, "--threads"),
        (["--format", "csv"], 2, "--format csv: the formats known by name are cola, sst2, "),
        (["--format", "cola", "--header"], 2, "leave out --header"),
        (["--label-column", "gold"], 1, "no column 'gold'"),
        (["--pair-column", "id"], 2, "this bundle scores single texts, and id would be a second; leave out"),
        (["--format", "mrpc"], 2, "this bundle scores single texts, and #2 String would be a second; leave out"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else None,
)
def test_wrong_options(
    cli: Cli, bundle: Path, tmp_path: Path, table: Path, arguments: list[str], code: int, expected: str
) -> None:
    assert expected in fails(cli, tmp_path, bundle, table, *arguments, code=code)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 KiB; where none can be mounted, a limit on the size of files stands in (see below)."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", folder], capture_output=True)
    yield folder
    if mounted.returncode == 0:
        subprocess.run(["umount", folder], check=True)


def test_a_full_disk(bundle: Path, tmp_path: Path, small_disk: Path) -> None:
    table, out = tiny.write_table(tmp_path / "t.tsv", 20_000), small_disk / "o.tsv"
    limited = None
    if not os.path.ismount(small_disk):
        limit = 2**16
        limited = lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))  # noqa: E731
    done = subprocess.run([*COMMAND, bundle, table, "-o", out], capture_output=True, text=True, preexec_fn=limited)
    assert done.returncode == 1
    (line,) = errors(done.stderr)
    assert f"{out}: " in line and "nothing was written; free some space first" in line
    assert left_behind(small_disk) == []


def test_a_file_that_may_not_grow(bundle: Path, tmp_path: Path) -> None:
    table, out = tiny.write_table(tmp_path / "t.tsv", 5_000), tmp_path / "o.tsv"
    done = subprocess.run(
        [*COMMAND, bundle, table, "-o", out],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (2**16, 2**16)),
    )
    assert done.returncode == 1
    (line,) = errors(done.stderr)
    assert "File too large; nothing was written" in line and left_behind(tmp_path) == []


def test_stdout_that_is_full_closed_or_left_early(bundle: Path, table: Path) -> None:
    def shell(redirection: str) -> subprocess.CompletedProcess[str]:
        command = " ".join(map(str, [*COMMAND, bundle, table, "-q -o -", redirection]))
        return subprocess.run(["bash", "-o", "pipefail", "-c", command], capture_output=True, text=True)

    full, closed, early = shell("> /dev/full"), shell(">&-"), shell("| true")
    assert (full.returncode, full.stderr.count("\n")) == (1, 1) and "No space left on device" in full.stderr
    assert (closed.returncode, closed.stderr.count("\n")) == (1, 1) and "stdout is closed" in closed.stderr
    assert early.stderr == ""
