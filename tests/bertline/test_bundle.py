"""A manifest is believed only when it is whole, consistent and stays in its folder."""

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bertline.bundle import MANIFEST, Bundle
from bertline.errors import BertlineError, VerificationError
from bertline.problems import MultiLabel, SingleLabel


@pytest.fixture
def copy(bundle: Path, tmp_path: Path) -> Path:
    """A bundle that a test may break."""
    return Path(shutil.copytree(bundle, tmp_path / "bundle"))


def change(folder: Path, edit: Callable[[Any], None]) -> None:
    document = json.loads((folder / MANIFEST).read_text())
    edit(document)
    (folder / MANIFEST).write_text(json.dumps(document))


def refused(folder: Path) -> str:
    with pytest.raises(BertlineError) as error:
        Bundle.open(folder)
    assert error.value.exit_code == 1
    return str(error.value)


def test_a_bundle_opens_verifies_and_writes_its_manifest_as_it_was(bundle: Path) -> None:
    opened = Bundle.open(bundle)
    opened.verify()
    assert opened.manifest.to_json() == (bundle / MANIFEST).read_text(encoding="utf-8")
    assert opened.manifest.positions == 64


def test_a_folder_that_is_none_and_one_without_manifest(tmp_path: Path) -> None:
    assert "no such bundle folder; make one with bertline export" in refused(tmp_path / "nowhere")
    assert f"has no {MANIFEST}, so it is no bundle or an unfinished one" in refused(tmp_path)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"", "is not JSON"),
        (b"{", "is not JSON"),
        (b"\xff\xfe", "is not JSON"),
        (b"[" * 200_000, "is not JSON (nested too deep)"),
        (b"[]", " is [], not an object"),
        (b"{}", "schema is missing; task is missing; problem_type is missing; labels is missing"),
    ],
    ids=["empty", "broken", "bytes", "deep", "list", "nothing in it"],
)
def test_a_manifest_that_is_none(copy: Path, content: bytes, message: str) -> None:
    (copy / MANIFEST).write_bytes(content)
    assert message in refused(copy)


@pytest.mark.parametrize(
    ("key", "value", "message"),
    [
        ("schema", 2, "schema is 2, and this bertline reads 1"),
        ("problem_type", "tagging", "problem_type is 'tagging', which is none of single_label_classification"),
        ("problem_type", "regression", "a regression model has one output, and this one has 2"),
        ("labels", ["a"], "one label of one is no choice"),
        ("labels", [], "labels are empty or not distinct"),
        ("labels", ["a", "a"], "labels are empty or not distinct"),
        ("labels", ["a", "b\tc"], r"the label 'b\tc' holds a tab"),
        ("labels", ["a", "\ud800"], r"the label '\ud800' holds a tab, a line end or the like"),
        ("labels", "ab", "labels is 'ab', not tuple"),
        ("text_columns", [], "text_columns must name one or two columns"),
        ("max_length", 2, "max_length is 2, not within 3 and 64 tokens"),
        ("max_length", 65, "max_length is 65, not within 3 and 64 tokens"),
        ("max_length", 10**30, "not int"),
        ("max_length", 64.0, "max_length is 64.0, not int"),
        ("files", {}, "files: config.json is not listed; files: tokenizer.json is not listed"),
        ("variants", {}, "variants: fp32 is missing"),
        ("default_variant", {"cpu": "int8"}, "default_variant.cpu: there is no variant 'int8'"),
        ("tokenizer", {}, "tokenizer.pad_id is missing"),
    ],
)
def test_a_manifest_that_contradicts_itself(copy: Path, key: str, value: Any, message: str) -> None:
    change(copy, lambda document: document.update({key: value}))
    assert message in refused(copy)


def stored(**changed: Any) -> dict[str, Any]:
    """Thresholds as `bertline threshold` stores them."""
    figures = {"accuracy": 0.5, "mcc": 0.1, "f1": 0.4}
    found = {"metric": "mcc", "labels": {"1": 0.25}, "rows": 9, "table": "dev.tsv", "sha256": "0" * 64}
    return {**found, "variant": "fp32", "before": figures, "after": figures, **changed}


def test_stored_thresholds_decide_the_tuned_problem(copy: Path) -> None:
    assert Bundle.open(copy).manifest.tuned_problem is None
    change(copy, lambda document: document.update(thresholds=stored()))
    manifest = Bundle.open(copy).manifest
    assert manifest.problem == SingleLabel(("0", "1")) and manifest.tuned_problem == SingleLabel(("0", "1"), 0.25)
    found = stored(labels={"1": 0.75, "0": 0.5})
    change(copy, lambda document: document.update(thresholds=found, problem_type="multi_label_classification"))
    assert Bundle.open(copy).manifest.tuned_problem == MultiLabel(("0", "1"), (0.5, 0.75))  # by label id


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"labels": {"1": 1.5}}, "thresholds.labels: 1.5 of '1' is not within 0 and 1"),
        ({"labels": {"0": 0.5}}, "thresholds.labels are of 0, and not of 1"),
        ({"labels": {}}, "thresholds.labels are of none, and not of 1"),
        ({"labels": {"1": "high"}}, "thresholds.labels.1 is 'high', not float"),
        ({"metric": "auc"}, "thresholds.metric is 'auc', which is none of accuracy, mcc, f1"),
        ({"rows": None}, "thresholds.rows is None, not int"),
    ],
)
def test_thresholds_that_are_none_are_refused(copy: Path, changed: dict[str, Any], message: str) -> None:
    change(copy, lambda document: document.update(thresholds=stored(**changed)))
    assert message in refused(copy)


def test_a_model_that_nothing_decides_has_no_thresholds(copy: Path) -> None:
    change(copy, lambda document: document.update(thresholds=stored(), labels=["0", "1", "2"]))
    assert "thresholds are stored, and the model gives the likeliest of 3 labels" in refused(copy)


def test_all_problems_are_listed_at_once(copy: Path) -> None:
    def edit(document: Any) -> None:
        document["variants"]["fp32"]["file"] = "onnx/other.onnx"
        document["files"]["../x"] = {"sha256": "0", "bytes": -1}
        document["tokenizer"]["pad_id"] = -1

    change(copy, edit)
    message = refused(copy)
    for part in (
        "variants.fp32.file: 'onnx/other.onnx' is not listed",
        "'../x' leaves the bundle",
        "the sha256 of '../x' is not 64 hexadecimal digits",
        "pad_id is -1",
    ):
        assert part in message


@pytest.mark.parametrize(
    "name",
    ["../outside", "a/../../outside", "/etc/hostname", "C:\\x", "a\\..\\b", "", ".", "a\0b", "\ud800", "link", "loop"],
)
def test_a_path_that_leaves_the_bundle_is_refused(copy: Path, name: str) -> None:
    (copy / "link").symlink_to("/etc/hostname")
    (copy / "loop").symlink_to("../bundle/../loop2")
    (copy.parent / "loop2").symlink_to("loop2")
    change(copy, lambda document: document["files"].update({name: {"sha256": "0" * 64, "bytes": 1}}))
    assert f"files: {name!r} leaves the bundle" in refused(copy)


def test_links_within_the_bundle_are_followed_and_a_manifest_elsewhere_is_not(copy: Path) -> None:
    (copy / "config.json").rename(copy / "elsewhere.json")
    (copy / "config.json").symlink_to("elsewhere.json")
    Bundle.open(copy).verify()
    (copy / MANIFEST).rename(copy.parent / MANIFEST)
    (copy / MANIFEST).symlink_to(copy.parent / MANIFEST)
    assert "is a link that leaves the bundle" in refused(copy)


def test_changed_and_missing_files_are_all_named(copy: Path) -> None:
    (copy / "README.md").write_bytes(b"!" + (copy / "README.md").read_bytes()[1:])
    (copy / "config.json").write_bytes(b"")
    (copy / "golden.jsonl").unlink()
    opened = Bundle.open(copy)
    opened.verify(["tokenizer.json"])
    with pytest.raises(VerificationError) as error:
        opened.verify()
    assert error.value.exit_code == 3
    for part in ("README.md has changed", "config.json has 0 bytes instead of", "golden.jsonl is missing"):
        assert part in str(error.value)
