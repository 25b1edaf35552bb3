"""`bertline finetune`, from its options to its exit codes."""

import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests import tiny
from tests.conftest import Cli, Outcome

QUICK = ("--epochs", "1", "--batch-size", "8", "--precision", "fp32", "--device", "cpu")


def one_line(outcome: Outcome, code: int, message: str) -> None:
    """The command failed with that exit code and one line, without a traceback."""
    assert (outcome.code, outcome.err.count("\n")) == (code, 1), outcome.err
    assert outcome.err.startswith("bertline: ") and message in outcome.err


def test_it_shows_and_writes_a_run(cli: Cli, model_dir: Path, table: Path, tmp_path: Path) -> None:
    outcome = cli("finetune", table, "--model", model_dir, "-o", tmp_path / "m", "--holdout", table, *QUICK)
    assert outcome.code == 0, outcome.err
    for words in (
        f"24 sentences in {table}, 21 to train on, 3 to validate; labels 0: 12 (50.0%), 1: 12 (50.0%)",
        "ten random rows",
        "five rows labelled 0",
        "token lengths",
        "41 named parameters",
        "1 (kept)",
        "holdout table: 24 rows, 12 labelled 1 (50.0%), accuracy 0.",
        "trained on cpu in fp32: ",
        f"next: bertline export {tmp_path / 'm'} -o bundle",
    ):
        assert words in outcome.out
    assert re.search(r"98\.7 kB +model\.safetensors", outcome.out)
    assert "training on cpu in fp32" in outcome.err and "\x1b" not in outcome.err


def test_quiet_says_nothing_but_the_result(cli: Cli, model_dir: Path, table: Path, tmp_path: Path) -> None:
    outcome = cli("finetune", table, "--model", model_dir, "-o", tmp_path / "m", *QUICK, "-q")
    assert (outcome.code, outcome.err) == (0, "")
    assert "ten random rows" not in outcome.out and "1 (kept)" in outcome.out


def test_labels_may_be_named(cli: Cli, model_dir: Path, table: Path, tmp_path: Path) -> None:
    options = ("--model", model_dir, "--labels", "bad, good", *QUICK, "-q")
    assert cli("finetune", table, "-o", tmp_path / "m", *options).code == 0
    assert '"1": "good"' in (tmp_path / "m" / "config.json").read_text()
    one_line(cli("finetune", table, "-o", tmp_path / "n", *options, "--labels", "one"), 2, "--labels one")


def test_a_finished_output_is_kept_and_force_replaces_it(
    cli: Cli, model_dir: Path, table: Path, tmp_path: Path
) -> None:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "precious").touch()
    command = ("finetune", table, "--model", model_dir, "-o", tmp_path / "m", *QUICK)
    one_line(cli(*command), 1, "--force to replace it")
    assert [path.name for path in (tmp_path / "m").iterdir()] == ["precious"]
    assert cli(*command, "--force").code == 0
    assert not (tmp_path / "m" / "precious").exists() and (tmp_path / "m" / "model.safetensors").exists()


HEAD = b"id\tsentence\tlabel\n"
BAD_TABLES = {
    "empty": (b"", (), "is empty"),
    "header only": (HEAD, (), "has a header and no rows"),
    "ragged": (HEAD + b"1\ta\t0\n2\tb\n", (), "line 3, column label is missing"),
    "not UTF-8": (HEAD + b"1\t\xff\t0\n", (), "line 2: column 2, byte 3 is not UTF-8"),
    "a NUL": (HEAD + b"1\t\0\t0\n", (), "line 2: column 2 holds a NUL"),
    "no such label": (HEAD + b"1\ta\tx\n", ("--labels", "a,b"), "line 2, column label: 'x' is not a label (a, b)"),
    "no text column": (
        HEAD + b"1\ta\t0\n2\tb\t1\n",
        ("--text-column", "text"),
        "no column 'text'; its columns are 'id'",
    ),
}


@pytest.mark.parametrize(("content", "options", "message"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_a_bad_table_is_one_line(
    content: bytes, options: tuple[str, ...], message: str, cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "bad.tsv").write_bytes(content)
    outcome = cli("finetune", tmp_path / "bad.tsv", "--model", "unused", "-o", tmp_path / "m", *options)
    one_line(outcome, 1, message)
    assert str(tmp_path / "bad.tsv") in outcome.err
    assert [path.name for path in tmp_path.iterdir()] == ["bad.tsv"]


@pytest.mark.parametrize(
    ("corpus", "options", "code", "message"),
    [
        ("nowhere.tsv", (), 1, "nowhere.tsv: no such file"),
        (".", (), 1, "holds no raw/in_domain_train.tsv"),
        ("table.tsv", ("--holdout", "nowhere.tsv"), 1, "nowhere.tsv: no such file"),
        ("table.tsv", ("-o", "no/such/folder"), 1, "mkdir -p no/such"),
        ("table.tsv", ("--model", "someone/unknown"), 1, "or connect to the hub"),
        ("table.tsv", ("--model", "table.tsv"), 1, "cannot be loaded"),
        ("table.tsv", ("--max-length", "65"), 1, "--max-length 65: the model takes 64 tokens"),
        ("table.tsv", ("--validation-share", "0.99"), 1, "leaves 0 to train on"),
        ("table.tsv", ("--precision", "fp16"), 1, "only a CUDA device trains in fp16"),
        ("table.tsv", ("--epochs", "0", "--keep", "first"), 2, "--epochs 0 (1 or more), --keep first (best or last)"),
        ("table.tsv", ("--epochs", "many"), 2, "--epochs"),
        ("table.tsv", ("--device", "tpu"), 2, "give auto, cpu, cuda, or cuda:N"),
        ("table.tsv", ("--problem", "pairs"), 2, "--problem pairs: give one of single, multi-label, regression"),
        ("table.tsv", ("--problem", "multi-label", "--metric", "mcc"), 2, "--metric mcc (micro_f1, macro_f1 with"),
        ("table.tsv", ("--problem", "regression", "--labels", "a"), 2, "leave out --labels"),
        ("table.tsv", ("--labels", "0,1,2", "--metric", "f1"), 2, "there are 3; give macro_f1"),
        ("table.tsv", ("--problem", "regression", "--label-column", "2"), 1, "'The cat sleeps.' is not a number"),
        ("table.tsv", ("--format", "csv"), 2, "the formats known by name are cola, sst2, "),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_one_line(
    corpus: str,
    options: tuple[str, ...],
    code: int,
    message: str,
    cli: Cli,
    model_dir: Path,
    table: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    one_line(cli("finetune", corpus, "--model", model_dir, "-o", "m", *QUICK, "-q", *options), code, message)
    assert [path.name for path in tmp_path.iterdir()] == ["table.tsv"]


def test_a_model_folder_that_is_not_whole_is_one_line(cli: Cli, model_dir: Path, table: Path, tmp_path: Path) -> None:
    for missing, message in (("tokenizer.json", "tokenizer"), ("model.safetensors", "no file named model.safetensors")):
        folder = shutil.copytree(model_dir, tmp_path / missing)
        (folder / missing).unlink()
        (folder / "tokenizer_config.json").unlink()
        one_line(cli("finetune", table, "--model", folder, "-o", tmp_path / "out", *QUICK, "-q"), 1, message)
    assert not list(tmp_path.glob("out*"))


def test_ctrl_c_leaves_what_can_be_resumed(cli: Cli, model_dir: Path, tmp_path: Path) -> None:
    table, output = tiny.write_table(tmp_path / "table.tsv", 64), tmp_path / "m"
    options = ("finetune", table, "--model", model_dir, "-o", output, *QUICK, "--epochs", "30")
    with subprocess.Popen(
        [sys.executable, "-m", "bertline", *map(str, options)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        env=os.environ | {"OMP_NUM_THREADS": "1"},
    ) as process:
        assert process.stderr
        for line in process.stderr:
            if line.startswith("epoch 2: validation loss"):
                break
        process.send_signal(signal.SIGINT)
        last_words = process.stderr.read()
    assert process.returncode == 130
    assert last_words.endswith(
        f"bertline: interrupted; the finished epochs are kept in {output}.partial; "
        "go on with the same command and --resume\n"
    )
    assert "Traceback" not in last_words and not output.exists()
    one_line(cli(*options), 1, "go on with --resume")
    one_line(cli(*options, "--resume", "--seed", "1"), 1, "seed was 42 and is now 1")
    outcome = cli(*options, "--resume")
    assert outcome.code == 0 and "epoch 1:" not in outcome.err and "epoch 30:" in outcome.err
    assert output.is_dir() and not list(tmp_path.glob("*.partial"))
