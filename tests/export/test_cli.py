"""`bertline export`, from its options to its exit codes."""

import csv
import json
import shutil
from collections.abc import Callable
from pathlib import Path

import onnx
import pytest

from bertline.bundle import Bundle
from tests import tiny
from tests.conftest import Cli, Outcome
from tests.export.conftest import Change


def one_line(outcome: Outcome, code: int, message: str) -> None:
    """The command failed with that exit code and one line, without a traceback."""
    assert (outcome.code, outcome.err.count("\n")) == (code, 1), outcome.err
    assert outcome.err.startswith("bertline: ") and message in outcome.err


def test_it_says_what_it_proved(
    cli: Cli, exporter: Callable[[Change], None], model_dir: Path, table: Path, tmp_path: Path
) -> None:
    exporter(lambda proto: None)
    outcome = cli("export", model_dir, "-o", tmp_path / "b", "--verify-on", table, "--label-column", "label")
    assert outcome.code == 0 and outcome.out == ""
    for words in ("wrote onnx/model.onnx (", "grid of shapes: max |Δlogit|", "24 rows", "0 flips"):
        assert words in outcome.err
    assert cli("export", model_dir, "-o", tmp_path / "quiet", "-q") == Outcome(0, "", "")


def test_a_failed_proof_is_exit_code_3(
    cli: Cli, exporter: Callable[[Change], None], model_dir: Path, tmp_path: Path
) -> None:
    def halved(proto: onnx.ModelProto) -> None:
        bias = next(tensor for tensor in proto.graph.initializer if tensor.name.endswith("classifier.weight"))
        bias.CopyFrom(onnx.numpy_helper.from_array(onnx.numpy_helper.to_array(bias) / 2, bias.name))

    exporter(halved)
    one_line(cli("export", model_dir, "-o", tmp_path / "b", "-q"), 3, "parity: batch × sequence ")
    assert list(tmp_path.iterdir()) == []


def test_a_finished_bundle_is_kept_and_force_replaces_it(
    cli: Cli, exporter: Callable[[Change], None], model_dir: Path, tmp_path: Path
) -> None:
    exporter(lambda proto: None)
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "precious").touch()
    one_line(cli("export", model_dir, "-o", tmp_path / "b", "-q"), 1, "--force to replace it")
    assert [path.name for path in (tmp_path / "b").iterdir()] == ["precious"]
    assert cli("export", model_dir, "-o", tmp_path / "b", "-q", "--force").code == 0
    assert not (tmp_path / "b" / "precious").exists()
    Bundle.open(tmp_path / "b").verify()


def without(*names: str) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        for name in names:
            (folder / name).unlink()

    return damage


def pickled(folder: Path) -> None:
    (folder / "model.safetensors").rename(folder / "pytorch_model.bin")


def changed(**values: object) -> Callable[[Path], None]:
    def damage(folder: Path) -> None:
        config = json.loads((folder / "config.json").read_text(encoding="utf-8")) | values
        kept = {name: value for name, value in config.items() if value is not None}
        (folder / "config.json").write_text(json.dumps(kept), encoding="utf-8")

    return damage


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (shutil.rmtree, "no such model folder; make one with bertline finetune"),
        (without("tokenizer.json"), "no tokenizer.json"),
        (without("model.safetensors"), "no model.safetensors"),
        (pickled, "pickled weights are not read"),
        (without("tokenizer.json", "model.safetensors", "config.json"), "no config.json; no tokenizer.json"),
        (changed(id2label=None, label2id=None), "config.json names no labels"),
        (changed(architectures=["BertModel"]), "its architecture is no sentence classifier"),
        (changed(model_type="unheard-of"), "transformers cannot load it"),
        (lambda folder: (folder / "config.json").write_text("{"), "config.json is not JSON"),
        (lambda folder: (folder / "tokenizer.json").write_text("{}"), "transformers cannot load it"),
    ],
)
def test_a_model_folder_that_is_not_whole_is_one_line(
    damage: Callable[[Path], object], message: str, cli: Cli, model_copy: Path, tmp_path: Path
) -> None:
    damage(model_copy)
    outcome = cli("export", model_copy, "-o", tmp_path / "b", "-q")
    one_line(outcome, 1, message)
    assert str(model_copy) in outcome.err and not list(tmp_path.glob("b*"))


HEAD = b"id\tsentence\tlabel\n"
BAD_TABLES = {
    "no such file": (None, (), "no such file"),
    "empty": (b"", (), "is empty"),
    "header only": (HEAD, (), "has a header and no rows"),
    "ragged": (HEAD + b"1\ta\t0\n2\tb\n", (), "line 3, column label is missing"),
    "not UTF-8": (HEAD + b"1\t\xff\t0\n", (), "line 2: column 2, byte 3 is not UTF-8"),
    "a NUL": (HEAD + b"1\t\0\t0\n", (), "line 2: column 2 holds a NUL"),
    "no such label": (
        HEAD + b"1\ta\tx\n",
        ("--label-column", "label"),
        "line 2, column label: 'x' is not a label (0, 1)",
    ),
    "no text column": (b"id\ttext\n1\ta\n", (), "no column 'sentence'; its columns are 'id', 'text'"),
}


@pytest.mark.parametrize(("content", "options", "message"), BAD_TABLES.values(), ids=BAD_TABLES)
def test_a_bad_table_to_verify_on_is_one_line(
    content: bytes | None,
    options: tuple[str, ...],
    message: str,
    cli: Cli,
    exporter: Callable[[Change], None],
    model_dir: Path,
    tmp_path: Path,
) -> None:
    exporter(lambda proto: None)
    table = tmp_path / "bad.tsv"
    if content is not None:
        table.write_bytes(content)
    outcome = cli("export", model_dir, "-o", tmp_path / "b", "--verify-on", table, "-q", *options)
    one_line(outcome, 1, message)
    assert str(table) in outcome.err and not [*tmp_path.glob("b"), *tmp_path.glob("b.*")]


def test_an_output_without_its_folder_is_one_line(cli: Cli, model_dir: Path, tmp_path: Path) -> None:
    one_line(cli("export", model_dir, "-o", tmp_path / "no" / "b"), 1, f"mkdir -p {tmp_path / 'no'}")


def test_pairs_go_the_whole_line(cli: Cli, model_dir: Path, tmp_path: Path) -> None:
    table, scored = tmp_path / "pairs.tsv", tmp_path / "scored.tsv"
    rows = [f"{tiny.SENTENCES[row % 8]}\t{tiny.SENTENCES[row % 5]}\t{('no', 'yes')[row % 2]}" for row in range(24)]
    table.write_text("\n".join(["left\tright\tsame", *rows]) + "\n", encoding="utf-8")
    columns = ("--text-column", "left", "--pair-column", "right", "--label-column", "same")
    training = ("--model", model_dir, "--epochs", "1", "--precision", "fp32", "-q")
    assert cli("finetune", table, "-o", tmp_path / "model", *columns, *training).code == 0
    assert cli("export", tmp_path / "model", "-o", tmp_path / "bundle", "--verify-on", table).code == 0
    manifest = Bundle.open(tmp_path / "bundle").manifest
    assert (manifest.text_columns, manifest.labels) == (("left", "right"), ("no", "yes"))
    assert manifest.variants["fp32"].gates[0].rows == 24
    outcome = cli("infer", tmp_path / "bundle", table, "-o", scored)
    assert outcome.code == 0, outcome.err
    with scored.open(encoding="utf-8", newline="") as stream:
        found = list(csv.DictReader(stream, delimiter="\t", quoting=csv.QUOTE_NONE))
    assert [(row["left"], row["right"], row["same"]) for row in found] == [tuple(row.split("\t")) for row in rows]
    assert {row["predicted_label"] for row in found} <= {"no", "yes"}
