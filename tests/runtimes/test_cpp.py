"""`cpp`: what its own tokenizer, table and command line do, beside what every consumer does."""

import json
import re
import shutil
from pathlib import Path

import pytest

from tests.conftest import Once
from tests.runtimes.conftest import prepared, scored
from tests.runtimes.programs import PROGRAMS
from tests.runtimes.test_programs import changed_goldens

CPP = PROGRAMS["cpp"]


@pytest.fixture(scope="module")
def cpp_bundle(once: Once, shipped: Path) -> Path:
    CPP.need()
    return prepared(once, shipped, CPP)


def test_a_table_without_header_and_with_nothing_but_empty_texts(cpp_bundle: Path, tmp_path: Path) -> None:
    (tmp_path / "in.tsv").write_text("\t1\n\ufeff\t2\n\t3", encoding="utf-8")
    flags = ("--columns", "sentence,id", "--token-ids")
    done = CPP.run(cpp_bundle, "score", tmp_path / "in.tsv", tmp_path / "out.tsv", *flags)
    assert done.returncode == 0, done.stderr
    assert [row["id"] for row in scored(tmp_path / "out.tsv")] == ["1", "2", "3"]
    assert {len(row["token_ids"].split()) for row in scored(tmp_path / "out.tsv")} == {2}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("ids", r"token ids  39 of 40 goldens .+; core '.+' differs at token 1: expected \d+, found \d+\n"),
        ("logits", r"logits     max .+; worst: '.+' has -?\d\.\d{6} for label 0, expected -?\d\.\d{6}\n"),
    ],
)
def test_its_self_check_says_what_differs(cpp_bundle: Path, tmp_path: Path, change: str, said: str) -> None:
    bundle = Path(shutil.copytree(cpp_bundle, tmp_path / "bundle"))
    changed_goldens(bundle, change)
    assert re.search(said, CPP.run(bundle, "selfcheck").stdout)


@pytest.mark.parametrize(
    "arguments",
    [(), ("selfcheck", "--logits"), ("score", "in.tsv"), ("score", "a", "b", "--variants", "fp32"), ("verify",)],
)
def test_wrong_usage_exits_2(cpp_bundle: Path, arguments: tuple[str, ...]) -> None:
    done = CPP.run(cpp_bundle, *arguments)
    assert done.returncode == 2 and "usage: bertline_cpp score" in done.stderr


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda manifest: manifest["variants"]["fp32"].update(file="../model.onnx"), "leaves the bundle"),
        (lambda manifest: manifest.pop("labels"), "key 'labels' not found"),
        (lambda manifest: manifest["variants"]["fp32"].update(file="onnx/other.onnx"), "onnx/other.onnx"),
    ],
    ids=["path", "key", "file"],
)
def test_a_wrong_manifest_is_one_line(cpp_bundle: Path, tmp_path: Path, change: object, message: str) -> None:
    bundle = Path(shutil.copytree(cpp_bundle, tmp_path / "bundle"))
    manifest = json.loads((bundle / "bertline.json").read_text(encoding="utf-8"))
    change(manifest)  # type: ignore[operator]
    (bundle / "bertline.json").write_text(json.dumps(manifest), encoding="utf-8")
    _refused(bundle, tmp_path, message)


def test_a_bundle_without_its_tokenizer_says_how_to_get_it(bundle: Path, cpp_bundle: Path, tmp_path: Path) -> None:
    _refused(bundle, tmp_path, "has no tokenizer for OpenVINO; export it with --runtimes cpp")


def _refused(bundle: Path, folder: Path, message: str) -> None:
    (folder / "in.tsv").write_text("sentence\nGo!\n")
    done = CPP.run(bundle, "score", folder / "in.tsv", folder / "out.tsv")
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and message in done.stderr, done.stderr
    assert not list(folder.glob("out.tsv*"))
