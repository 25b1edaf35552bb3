"""`openvino-python`: the scores of `infer` from OpenVINO, at full precision on every CPU."""

import shutil
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import Cli
from tests.runtimes import battery
from tests.runtimes.conftest import VARIANTS

PROGRAM = "runtimes/openvino-python/bertline_openvino.py"


def openvino(bundle: Path, *arguments: object) -> battery.Done:
    """The bundle's own program."""
    return battery.run(sys.executable, "-E", bundle / PROGRAM, *arguments)


def test_as_a_module_it_does_without_onnxruntime(lean_bundle: Path) -> None:
    lines = [
        "import sys; sys.path.insert(0, sys.argv[1])",
        "from bertline_openvino import Classifier",
        "print(Classifier(sys.argv[2], threads=1).score(['The cat sleeps.']))",
        "assert not {'onnxruntime', 'bertline'} & set(sys.modules)",
    ]
    done = battery.run(sys.executable, "-E", "-c", "\n".join(lines), (lean_bundle / PROGRAM).parent, lean_bundle)
    assert done.returncode == 0 and done.stdout.startswith("[('"), done.stderr


@pytest.mark.parametrize("variant", VARIANTS)
def test_scores_are_those_of_infer(cli: Cli, lean_bundle: Path, tmp_path: Path, variant: str) -> None:
    battery.check_scores(openvino, cli, lean_bundle, tmp_path, variant)


def test_pairs_and_their_token_ids(pair_bundle: Path, tmp_path: Path) -> None:
    battery.check_pairs(openvino, pair_bundle, tmp_path)


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_sound_bundle_passes_its_self_check(lean_bundle: Path, variant: str) -> None:
    battery.check_sound(openvino, lean_bundle, variant)


@battery.each_change
def test_a_fault_is_found_by_its_step(
    lean_bundle: Path, tmp_path: Path, change: Callable[[Path], None], failed: str
) -> None:
    battery.check_found(openvino, Path(shutil.copytree(lean_bundle, tmp_path / "bundle")), change, failed)


def test_at_another_precision_the_self_check_fails(lean_bundle: Path, tmp_path: Path) -> None:
    """As it did where OpenVINO chose by itself: int8 for the activations of a file with int8 weights."""
    bundle = Path(shutil.copytree(lean_bundle, tmp_path / "bundle"))
    program = bundle / PROGRAM
    text = program.read_text(encoding="utf-8")
    changed = text.replace('"DYNAMIC_QUANTIZATION_GROUP_SIZE": "0"', '"DYNAMIC_QUANTIZATION_GROUP_SIZE": "32"')
    assert text != changed
    program.write_text(changed, encoding="utf-8")
    battery.restate(bundle, PROGRAM)
    done = openvino(bundle, "selfcheck", "--variant", "quantized")
    print(done.stdout)
    assert done.returncode == 3 and "FAILED  logits" in done.stdout, done.stdout


def test_bad_input_is_one_line_and_leaves_nothing(lean_bundle: Path, tmp_path: Path) -> None:
    """The table is read by python-lean's code, whose tests have every fault; this one names the program."""
    done = battery.check_refused(openvino, lean_bundle, tmp_path, b"", (), "the file is empty")
    assert done.stderr.startswith("bertline_openvino: ")


def test_what_stands_there_is_kept(lean_bundle: Path, tmp_path: Path) -> None:
    battery.check_kept(openvino, lean_bundle, tmp_path)
