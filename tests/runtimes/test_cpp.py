"""`cpp`: text to scores by OpenVINO's C++ runtime and its tokenizer, built as its README says."""

import json
import shutil
import sys
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from export.consumers import SOURCES
from tests.conftest import Cli, Once
from tests.runtimes import battery
from tests.runtimes.conftest import VARIANTS, scored
from tests.runtimes.needs import needs


@pytest.fixture(scope="session")
def cpp(once: Once) -> battery.Program:
    """The program, built once; it names the bundle, since it was not built in one."""
    needs("cmake", "g++", "nlohmann/json.hpp", "openssl/evp.h")

    def build(folder: Path) -> None:
        settings = (f"-DPython3_EXECUTABLE={sys.executable}", "-DCMAKE_CXX_FLAGS=-O1 -Werror")
        for command in (["-S", SOURCES / "cpp", "-B", folder, *settings], ["--build", folder, "--parallel", "2"]):
            done = battery.run("cmake", *command)
            assert done.returncode == 0, done.stdout + done.stderr

    return partial(_call, once("cpp_build", build) / "bertline_cpp")


def _call(program: Path, bundle: Path, *arguments: object) -> battery.Done:
    named = () if "--bundle" in arguments else ("--bundle", bundle)
    return battery.run(program, *arguments, *named)


@pytest.mark.parametrize("variant", VARIANTS)
def test_scores_are_those_of_infer(
    cpp: battery.Program, cli: Cli, lean_bundle: Path, tmp_path: Path, variant: str
) -> None:
    battery.check_scores(cpp, cli, lean_bundle, tmp_path, variant)


def test_pairs_and_their_token_ids(cpp: battery.Program, pair_bundle: Path, tmp_path: Path) -> None:
    battery.check_pairs(cpp, pair_bundle, tmp_path)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_sound_bundle_passes_its_self_check(cpp: battery.Program, lean_bundle: Path, variant: str) -> None:
    battery.check_sound(cpp, lean_bundle, variant)


def test_so_does_one_of_pairs(cpp: battery.Program, pair_bundle: Path) -> None:
    battery.check_sound(cpp, pair_bundle, "fp32")


@battery.each_change
def test_a_fault_is_found_by_its_step(
    cpp: battery.Program, lean_bundle: Path, tmp_path: Path, change: Callable[[Path], None], failed: str
) -> None:
    battery.check_found(cpp, Path(shutil.copytree(lean_bundle, tmp_path / "bundle")), change, failed)


@battery.each_bad_input
def test_bad_input_is_one_line_and_leaves_nothing(
    cpp: battery.Program, lean_bundle: Path, tmp_path: Path, content: bytes, options: tuple[str, ...], message: str
) -> None:
    battery.check_refused(cpp, lean_bundle, tmp_path, content, options, message)


def test_what_stands_there_is_kept(cpp: battery.Program, lean_bundle: Path, tmp_path: Path) -> None:
    battery.check_kept(cpp, lean_bundle, tmp_path)


def test_a_table_without_header_or_with_nothing_but_empty_texts(
    cpp: battery.Program, lean_bundle: Path, tmp_path: Path
) -> None:
    (tmp_path / "in.tsv").write_text("\t1\n\ufeff\t2\n\t3", encoding="utf-8")
    done = cpp(
        lean_bundle, "score", tmp_path / "in.tsv", tmp_path / "out.tsv", "--columns", "sentence,id", "--token-ids"
    )
    assert done.returncode == 0, done.stderr
    assert [row["id"] for row in scored(tmp_path / "out.tsv")] == ["1", "2", "3"]
    assert {len(row["token_ids"].split()) for row in scored(tmp_path / "out.tsv")} == {2}


@pytest.mark.parametrize(
    "arguments",
    [(), ("selfcheck", "--logits"), ("score", "in.tsv"), ("score", "a", "b", "--variants", "fp32"), ("verify",)],
)
def test_wrong_usage_exits_2(cpp: battery.Program, lean_bundle: Path, arguments: tuple[str, ...]) -> None:
    done = cpp(lean_bundle, *arguments)
    assert done.returncode == 2 and "usage: bertline_cpp score" in done.stderr


def test_a_file_outside_of_the_bundle_is_refused(cpp: battery.Program, lean_bundle: Path, tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(lean_bundle, tmp_path / "bundle"))
    manifest = json.loads((bundle / "bertline.json").read_text(encoding="utf-8"))
    manifest["variants"]["fp32"]["file"] = "../model.onnx"
    (bundle / "bertline.json").write_text(json.dumps(manifest), encoding="utf-8")
    battery.check_refused(cpp, bundle, _emptied(tmp_path / "work"), b"sentence\nGo!\n", (), "leaves the bundle")


def test_a_bundle_without_its_tokenizer_says_how_to_get_it(cpp: battery.Program, bundle: Path, tmp_path: Path) -> None:
    battery.check_refused(cpp, bundle, tmp_path, b"sentence\nGo!\n", (), "export it with --runtimes cpp")


def _emptied(folder: Path) -> Path:
    folder.mkdir()
    return folder
