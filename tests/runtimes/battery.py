"""What every consumer must do, whatever it is written in."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from bertline.bundle import FileEntry
from infer.scorer import Scorer
from tests import tiny
from tests.conftest import Cli
from tests.runtimes.conftest import scored

Done = subprocess.CompletedProcess[str]
Program = Callable[..., Done]  # `program(bundle, "score", table, output, ...)`

PAIRS = [
    ("the cat " * 40, "a dog " * 10),
    ("a dog", "the cat " * 60),
    ("", "the book"),
    ("john " * 50, "mary " * 51),
    ("john " * 80, "mary " * 70),
    ("", ""),
]


def run(*command: object) -> Done:
    """A program's exit code and output, run where bertline is not to be found."""
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, cwd="/")


def check_scores(program: Program, cli: Cli, bundle: Path, folder: Path, variant: str) -> None:
    """All columns are those of `infer`, numbers within 1e-4, and stdout is empty."""
    table = tiny.write_table(folder / "table.tsv", rows=100)
    flags = ("--variant", variant, "--probabilities", "--logits")
    assert cli("infer", bundle, table, "-o", folder / "ours.tsv", "--provider", "cpu", *flags, "-q").code == 0
    done = program(bundle, "score", table, folder / "theirs.tsv", *flags)
    assert (done.returncode, done.stdout) == (0, "") and done.stderr.startswith("100 rows in "), done.stderr
    ours, theirs = scored(folder / "ours.tsv"), scored(folder / "theirs.tsv")
    assert list(ours[0]) == list(theirs[0])
    numbers = [name for name in ours[0] if name == "score" or name.startswith(("prob_", "logit_"))]
    for one, other in zip(ours, theirs, strict=True):
        assert {name: one[name] for name in one if name not in numbers} == {
            name: other[name] for name in other if name not in numbers
        }
        np.testing.assert_allclose([float(one[n]) for n in numbers], [float(other[n]) for n in numbers], atol=1e-4)


def check_pairs(program: Program, bundle: Path, folder: Path) -> None:
    """Token ids and logits of pairs, cut and whole, from a table with byte-order mark and CRLF."""
    table = folder / "pairs.tsv"
    table.write_text("".join(f"{one}\t{two}\r\n" for one, two in [("first", "second"), *PAIRS]), encoding="utf-8-sig")
    done = program(bundle, "score", table, folder / "out.tsv", "--token-ids", "--logits")
    assert done.returncode == 0, done.stderr
    rows, scorer = scored(folder / "out.tsv"), Scorer.open(bundle, device="cpu", variant="fp32", provider="cpu")
    encoded = scorer.encoder.encode([(row["first"], row["second"]) for row in rows])
    assert [row["token_ids"] for row in rows] == [" ".join(map(str, ids)) for ids in encoded.input_ids]
    found = np.array([[float(row[f"logit_{label}"]) for label in scorer.labels] for row in rows])
    np.testing.assert_allclose(found, scorer.run_tokens(encoded), atol=1e-4)


def check_sound(program: Program, bundle: Path, variant: str) -> None:
    """The self-check of a sound bundle: four lines, all ok."""
    done = program(bundle, "selfcheck", "--variant", variant)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[1] for line in lines] == ["hashes", "token", "logits", "padding"]
    assert {line[0] for line in lines} == {"ok"}


def change_file(bundle: Path) -> None:
    with (bundle / "config.json").open("a") as stream:
        stream.write(" ")


def change_ids(bundle: Path) -> None:
    """Other token ids under a hash that fits: only the later steps can find them."""
    _change_golden(bundle, lambda golden: golden["input_ids"].__setitem__(1, golden["input_ids"][1] + 1))


def change_logits(bundle: Path) -> None:
    _change_golden(bundle, lambda golden: golden["logits"]["fp32"].__setitem__(0, golden["logits"]["fp32"][0] + 0.01))


def _change_golden(bundle: Path, change: Callable[[dict[str, dict[str, list[float]]]], None]) -> None:
    path = bundle / "golden.jsonl"
    goldens = [json.loads(line) for line in path.read_text(encoding="utf-8").split("\n") if line]
    change(goldens[1])
    path.write_text("".join(json.dumps(golden) + "\n" for golden in goldens), encoding="utf-8")
    restate(bundle, "golden.jsonl")


def restate(bundle: Path, name: str) -> None:
    """The file as it is now, in the manifest."""
    manifest, entry = bundle / "bertline.json", FileEntry.of(bundle / name)
    document = json.loads(manifest.read_text(encoding="utf-8"))
    document["files"][name] = {"sha256": entry.sha256, "bytes": entry.bytes}
    manifest.write_text(json.dumps(document), encoding="utf-8")


def check_found(program: Program, bundle: Path, change: Callable[[Path], None], failed: str) -> None:
    """The self-check names what was changed."""
    change(bundle)
    done = program(bundle, "selfcheck")
    assert done.returncode == 3 and f"FAILED  {failed}" in done.stdout, done.stdout


each_change = pytest.mark.parametrize(
    ("change", "failed"),
    [
        (change_file, "hashes     missing or changed: config.json"),
        (change_ids, "token ids  39 of 40 goldens"),
        (change_logits, "logits     max |Δlogit| 1.0e-02"),
    ],
    ids=["hash", "ids", "logits"],
)

each_bad_input = pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (b"", (), "the file is empty"),
        (b"id\tsentence\n1\tGo!\t2\n", (), "line 2: has 3 columns instead of 2"),
        (b"id\tsentence\n1\t\xff\n", (), "line 2: is not UTF-8"),
        (b"id\tsentence\n1\t\xed\xa0\x80\n", (), "line 2: is not UTF-8"),
        (b"id\tsentence\n1\ta\0b\n", (), "line 2: holds a NUL"),
        (b"id\ttext\n1\tGo!\n", (), "has no column 'sentence' but id, text; see --text-column"),
        (b"sentence\nGo!\n", ("--variant", "int8"), "--variant int8: this bundle has fp32, fp16, quantized"),
        (b"sentence\nGo!\n", ("--bundle", "/nowhere"), "/nowhere: has no bertline.json"),
        (b"sentence\nGo!\n", ("--pair-column", "id"), "--pair-column: this bundle scores single texts"),
    ],
)


def check_refused(
    program: Program, bundle: Path, folder: Path, content: bytes, options: tuple[str, ...], message: str
) -> Done:
    """Bad input is one line and leaves nothing behind."""
    (folder / "in.tsv").write_bytes(content)
    done = program(bundle, "score", folder / "in.tsv", folder / "out.tsv", *options)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and message in done.stderr, done.stderr
    assert [path.name for path in folder.iterdir()] == ["in.tsv"]
    return done


def check_kept(program: Program, bundle: Path, folder: Path) -> None:
    """What stands under the output's name is kept."""
    table = tiny.write_table(folder / "table.tsv")
    (folder / "out.tsv").write_text("precious")
    done = program(bundle, "score", table, folder / "out.tsv")
    assert done.returncode == 1 and "the file exists" in done.stderr
    assert (folder / "out.tsv").read_text() == "precious"
