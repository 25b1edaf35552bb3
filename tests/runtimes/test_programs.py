"""Every consumer that is a program: the scores of `infer`, and a self-check that finds faults."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from infer.scorer import Scorer
from tests import tiny
from tests.conftest import Cli, Once
from tests.runtimes.conftest import VARIANTS, prepared, scored
from tests.runtimes.programs import Program

EXACTLY = ("--variant", "fp32", "--provider", "cpu", "-q")


@pytest.mark.parametrize("variant", VARIANTS)
def test_scores_are_those_of_infer(cli: Cli, program: Program, ready: Path, tmp_path: Path, variant: str) -> None:
    table = tiny.write_table(tmp_path / "table.tsv", rows=100)
    flags = ("--variant", variant, "--probabilities", "--logits")
    assert cli("infer", ready, table, "-o", tmp_path / "ours.tsv", "--provider", "cpu", *flags, "-q").code == 0
    done = program.run(ready, "score", table, tmp_path / "theirs.tsv", *flags)
    assert (done.returncode, done.stdout) == (0, "") and done.stderr.startswith("100 rows in ")
    ours, theirs = scored(tmp_path / "ours.tsv"), scored(tmp_path / "theirs.tsv")
    assert list(ours[0]) == list(theirs[0])
    numbers = [name for name in ours[0] if name == "score" or name.startswith(("prob_", "logit_"))]
    for one, other in zip(ours, theirs, strict=True):
        assert {name: one[name] for name in one if name not in numbers} == {
            name: other[name] for name in other if name not in numbers
        }
        np.testing.assert_allclose([float(one[n]) for n in numbers], [float(other[n]) for n in numbers], atol=1e-4)


@pytest.mark.parametrize("flags", [(), ("--logits",)])
@pytest.mark.parametrize("problem", ["several", "number"])
def test_several_labels_and_numbers_are_those_of_infer(
    request: pytest.FixtureRequest,
    once: Once,
    cli: Cli,
    program: Program,
    tmp_path: Path,
    problem: str,
    flags: tuple[str, ...],
) -> None:
    bundle = prepared(once, request.getfixturevalue(f"shipped_{problem}"), program)
    table = tiny.write_table(tmp_path / "table.tsv")
    assert cli("infer", bundle, table, "-o", tmp_path / "ours.tsv", "--no-labels", *EXACTLY, *flags).code == 0
    done = program.run(bundle, "score", table, tmp_path / "theirs.tsv", *flags)
    assert done.returncode == 0, done.stderr
    ours, theirs = scored(tmp_path / "ours.tsv"), scored(tmp_path / "theirs.tsv")
    assert list(ours[0]) == list(theirs[0])
    numbers = [name for name in ours[0] if name == "prediction" or name.startswith(("prob_", "logit_"))]
    assert bool(flags) == any(name.startswith("logit_") for name in numbers)
    for one, other in zip(ours, theirs, strict=True):
        assert [one[name] for name in one if name not in numbers] == [other[n] for n in other if n not in numbers]
        np.testing.assert_allclose([float(one[n]) for n in numbers], [float(other[n]) for n in numbers], atol=1e-4)
    if problem == "several":
        assert len({row["predicted_label"] for row in ours}) > 1 and any("," in row["predicted_label"] for row in ours)
        done = program.run(bundle, "score", table, tmp_path / "with.tsv", "--probabilities", *flags)
        assert (tmp_path / "with.tsv").read_text() == (tmp_path / "theirs.tsv").read_text(), "they are always there"
    else:
        done = program.run(bundle, "score", table, tmp_path / "with.tsv", "--probabilities")
        assert done.returncode == 1 and "--probabilities: this bundle predicts a number" in done.stderr
        assert done.stderr.count("\n") == 1 and not (tmp_path / "with.tsv").exists()


def test_a_problem_that_is_not_known_is_refused(program: Program, ready: Path, table: Path, tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(ready, tmp_path / "bundle", symlinks=True))
    manifest = bundle / "bertline.json"
    manifest.write_text(manifest.read_text().replace("single_label_classification", "ranking"))
    for command in (("score", table, tmp_path / "out.tsv"), ("selfcheck",)):
        done = program.run(bundle, *command)
        assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
        assert "bertline.json: problem_type is 'ranking', which this program does not know" in done.stderr
    assert not (tmp_path / "out.tsv").exists()


def test_pairs_and_their_token_ids(program: Program, ready_for_pairs: Path, tmp_path: Path) -> None:
    texts = [
        ("the cat " * 40, "a dog " * 10),
        ("a dog", "the cat " * 60),
        ("", "the book"),
        ("john " * 50, "mary " * 51),
        ("john " * 80, "mary " * 70),
        ("", ""),
    ]
    table = tmp_path / "pairs.tsv"
    table.write_text("".join(f"{one}\t{two}\r\n" for one, two in [("first", "second"), *texts]), encoding="utf-8-sig")
    done = program.run(ready_for_pairs, "score", table, tmp_path / "out.tsv", "--token-ids", "--logits")
    assert done.returncode == 0, done.stderr
    rows, scorer = (
        scored(tmp_path / "out.tsv"),
        Scorer.open(ready_for_pairs, device="cpu", variant="fp32", provider="cpu"),
    )
    encoded = scorer.encoder.encode([(row["first"], row["second"]) for row in rows])
    assert [row["token_ids"] for row in rows] == [" ".join(map(str, ids)) for ids in encoded.input_ids]
    found = np.array([[float(row[f"logit_{label}"]) for label in scorer.labels] for row in rows])
    np.testing.assert_allclose(found, scorer.run_tokens(encoded), atol=1e-4)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_sound_bundle_passes_its_self_check(program: Program, ready: Path, variant: str) -> None:
    done = program.run(ready, "selfcheck", "--variant", variant)
    assert done.returncode == 0, done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[1] for line in lines] == ["hashes", "token", "logits", "padding"]
    assert {line[0] for line in lines} == {"ok"}


def changed_hash(bundle: Path) -> None:
    with (bundle / "config.json").open("a") as stream:
        stream.write(" ")


def changed_goldens(bundle: Path, change: str) -> None:
    """Other token ids, or other logits, under a hash that fits: only the later steps can find them."""
    from bertline.bundle import FileEntry

    path, manifest = bundle / "golden.jsonl", bundle / "bertline.json"
    goldens = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    if change == "ids":
        goldens[1]["input_ids"][1] += 1
    else:
        goldens[1]["logits"]["fp32"][0] += 0.01
    path.write_text("".join(json.dumps(golden) + "\n" for golden in goldens), encoding="utf-8")
    document, entry = json.loads(manifest.read_text(encoding="utf-8")), FileEntry.of(path)
    document["files"]["golden.jsonl"] = {"sha256": entry.sha256, "bytes": entry.bytes}
    manifest.write_text(json.dumps(document), encoding="utf-8")


@pytest.mark.parametrize(
    ("change", "failed"),
    [
        (changed_hash, "hashes     missing or changed: config.json"),
        (lambda bundle: changed_goldens(bundle, "ids"), "token ids  39 of 40 goldens"),
        (lambda bundle: changed_goldens(bundle, "logits"), "logits     max |Δlogit| 1.0e-02"),
    ],
    ids=["hash", "ids", "logits"],
)
def test_a_fault_is_found_by_its_step(
    program: Program, ready: Path, tmp_path: Path, change: object, failed: str
) -> None:
    bundle = Path(shutil.copytree(ready, tmp_path / "bundle", symlinks=True))
    change(bundle)  # type: ignore[operator]
    done = program.run(bundle, "selfcheck")
    assert done.returncode == 3 and f"FAILED  {failed}" in done.stdout, done.stdout


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (b"", (), "the file is empty"),
        (b"id\tsentence\n", (), "has a header and no rows; give a table with at least one row"),
        (b"sentence\tsentence\nGo!\tNo!\n", (), "several columns are called 'sentence'; rename all but one"),
        (b"id\tsentence\n1\tGo!\t2\n", (), "line 2: has 3 columns instead of 2"),
        (b"id\tsentence\n1\t\xff\n", (), "line 2: is not UTF-8"),
        (b"id\tsentence\n1\t\xed\xa0\x80\n", (), "line 2: is not UTF-8"),
        (b"id\tsentence\n1\ta\0b\n", (), "line 2: holds a NUL"),
        (b"id\ttext\n1\tGo!\n", (), "has no column 'sentence' but id, text; see --text-column"),
        (b"sentence\tlogit_1\nGo!\t1\n", ("--logits",), "'logit_1' is what the scores are called; rename that column"),
        (b"sentence\nGo!\n", ("--variant", "int8"), "--variant int8: this bundle has fp32, fp16, quantized"),
        (b"sentence\nGo!\n", ("--bundle", "/nowhere"), "/nowhere: has no bertline.json"),
        (b"sentence\nGo!\n", ("--pair-column", "id"), "--pair-column: this bundle scores single texts"),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    program: Program, ready: Path, tmp_path: Path, content: bytes, options: tuple[str, ...], message: str
) -> None:
    (tmp_path / "in.tsv").write_bytes(content)
    done = program.run(ready, "score", tmp_path / "in.tsv", tmp_path / "out.tsv", *options)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and message in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["in.tsv"]


@pytest.mark.parametrize("change", [lambda file: file.write_bytes(b"other"), Path.unlink], ids=["changed", "missing"])
def test_a_model_that_is_not_the_exported_one_is_not_run(
    program: Program, ready: Path, table: Path, tmp_path: Path, change: Callable[[Path], object]
) -> None:
    bundle = Path(shutil.copytree(ready, tmp_path / "bundle", symlinks=True))
    change(bundle / "onnx" / "model.onnx")
    done = program.run(bundle, "score", table, tmp_path / "out.tsv")
    assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr
    assert f"{bundle}/onnx/model.onnx: is missing or changed since the export" in done.stderr
    assert not (tmp_path / "out.tsv").exists()


def test_an_input_named_as_an_unfinished_output_is_kept(program: Program, ready: Path, tmp_path: Path) -> None:
    source = tmp_path / "out.tsv.partial"
    source.write_text("sentence\nGo!\n")
    done = program.run(ready, "score", source, tmp_path / "out.tsv")
    assert done.returncode == 1 and f"{source}: left by an unfinished run" in done.stderr, done.stderr
    assert list(tmp_path.iterdir()) == [source] and source.read_text() == "sentence\nGo!\n"


def test_a_folder_that_is_not_there_is_one_line(program: Program, ready: Path, table: Path, tmp_path: Path) -> None:
    done = program.run(ready, "score", table, tmp_path / "none/out.tsv")
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "folder" in done.stderr, done.stderr


def test_what_stands_there_is_kept(program: Program, ready: Path, table: Path, tmp_path: Path) -> None:
    (tmp_path / "out.tsv").write_text("precious")
    done = program.run(ready, "score", table, tmp_path / "out.tsv")
    assert done.returncode == 1 and "the file exists" in done.stderr
    assert (tmp_path / "out.tsv").read_text() == "precious"
