"""How each consumer is made ready, what is said where it cannot be, and that it answers."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack
from importlib.metadata import distribution
from pathlib import Path

import pytest

from benchmarks.runtimes.answers import difference, own_answers, read_answers, write_table
from benchmarks.runtimes.catalogue import KNOWN, chosen_consumers, held_consumers
from benchmarks.runtimes.consumer import Setting, failed_steps, megabytes
from benchmarks.runtimes.packages import required_packages, with_all_required
from bertline.bundle import Bundle
from bertline.errors import BertlineError
from export.consumers import SOURCES
from infer.scorer import Scorer
from infer.selfcheck import Check
from tests import tiny
from tests.conftest import Once
from tests.runtimes.needs import needs
from tests.runtimes.programs import need_node, use_packages
from tests.runtimes.served import write_page


@pytest.fixture
def setting(lean_bundle: Path, tmp_path: Path) -> Iterator[Setting]:
    """Of a consumer's own sources; read only."""
    with ExitStack() as stack:
        yield Setting(Bundle.open(lean_bundle), SOURCES / "cpp", tmp_path, 30, stack)


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("node", "needs node; install Node 20 or later"),
        ("cpp", "needs cmake; apt-get install cmake g++"),
        ("web", "needs chromium and chromedriver; apt-get install chromium chromium-driver"),
    ],
)
def test_a_missing_tool_is_named_with_what_brings_it(
    name: str, reason: str, setting: Setting, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda program: None)
    with pytest.raises(BertlineError, match=reason):
        KNOWN[name](setting)


def test_packages_that_are_missing_or_too_old_are_named(tmp_path: Path) -> None:
    file = tmp_path / "requirements.txt"
    file.write_text("# what it needs\nnumpy>=1.26\n\ntokenizers>=999\nno-such-package\n")
    with pytest.raises(BertlineError, match=f"needs tokenizers>=999, no-such-package; pip install -r {file}"):
        required_packages(file)
    file.write_text("numpy>=1.26\n")
    assert [package.name for package in required_packages(file)] == ["numpy"]


def test_what_packages_bring_is_counted_once(tmp_path: Path) -> None:
    names = [package.name for package in with_all_required([distribution("tokenizers"), distribution("tokenizers")])]
    assert {"tokenizers", "huggingface_hub"} <= set(names) and len(names) == len(set(names))
    assert "pytest" not in names  # of its extra for tests
    (tmp_path / "a").write_bytes(bytes(3000))
    (tmp_path / "b").symlink_to("a")
    assert megabytes(tmp_path, tmp_path / "a") == pytest.approx(0.003)


def built(setting: Setting, tmp_path: Path, source: str) -> Setting:
    """A folder with a C++ program that is built in a moment."""
    folder = tmp_path / "source"
    folder.mkdir()
    (folder / "requirements.txt").write_text("numpy\n")
    cmake = "cmake_minimum_required(VERSION 3.20)\nproject(x LANGUAGES CXX)\nadd_executable(bertline_cpp main.cpp)\n"
    (folder / "CMakeLists.txt").write_text(cmake)
    (folder / "main.cpp").write_text(source)
    return Setting(setting.bundle, folder, tmp_path / "build", 60, setting.stack)


def test_a_program_is_built_and_run(setting: Setting, tmp_path: Path) -> None:
    needs("cmake", "g++")
    consumer = KNOWN["cpp"](built(setting, tmp_path, "int main(int count, char**) { return count; }"))
    assert consumer.installed.versions == {"numpy": distribution("numpy").version}
    with pytest.raises(BertlineError, match="ended with exit code 10"):  # its name, and nine words
        consumer.score(tmp_path / "t.tsv", tmp_path / "o.tsv", "fp32")
    with pytest.raises(BertlineError, match="ended with exit code 6"):
        consumer.self_check("fp32")


def test_a_program_that_is_not_built_says_why(setting: Setting, tmp_path: Path) -> None:
    needs("cmake", "g++")
    with pytest.raises(BertlineError, match=r"is not built; see .*/README.md: .*main.cpp:1:.*unheard_of"):
        KNOWN["cpp"](built(setting, tmp_path, "int main() { return unheard_of; }"))


def test_a_self_check_has_all_its_steps() -> None:
    steps = [Check(name, True, "fine") for name in ("hashes", "token ids", "logits", "padding")]
    assert failed_steps(steps) == ""
    assert failed_steps(steps[:3]) == "has the steps hashes, token ids, logits, not hashes, token ids, logits, padding"
    assert failed_steps([]) == "has the steps none, not hashes, token ids, logits, padding"
    assert failed_steps([Check("hashes", False, "changed: a\nb")]) == "hashes: changed: a b"


def test_a_consumer_that_is_not_known_is_not_passed_over(lean_bundle: Path, setting: Setting) -> None:
    manifest = Bundle.open(lean_bundle).manifest
    assert set(held_consumers(manifest)) == {"node", "python-lean"}
    manifest.files["runtimes/triton/config.pbtxt"] = manifest.files["runtimes/fortran/main.f"] = next(
        iter(manifest.files.values())
    )
    chosen = chosen_consumers("all", manifest)
    assert list(chosen) == [*KNOWN, "triton", "fortran"]
    with pytest.raises(BertlineError, match="is a folder for Triton Inference Server, which is not run here"):
        chosen["triton"](setting)
    with pytest.raises(BertlineError, match="is not known to bertline benchmark runtimes"):
        chosen["fortran"](setting)


def answers_alike(bundle: Path, name: str, tmp_path: Path) -> None:
    """Self-check, and answers within the limits."""
    opened = Bundle.open(bundle)
    texts = [*tiny.SENTENCES, "", "a\u2028b ", "the cat " * 100]
    with ExitStack() as stack:
        consumer = KNOWN[name](Setting(opened, bundle / "runtimes" / name, tmp_path, 60, stack))
        assert consumer.installed.name == name and consumer.installed.size_mb > 20
        assert failed_steps(consumer.self_check("quantized")) == ""
        table = write_table(tmp_path / "t.tsv", opened.manifest.text_columns, texts)
        consumer.score(table, tmp_path / "o.tsv", "quantized")
        with pytest.raises(BertlineError, match="int8"):
            consumer.score(table, tmp_path / "more.tsv", "int8")
    expected = own_answers(Scorer.open(opened, device="cpu", variant="quantized", provider="cpu"), texts)
    found = difference(read_answers(tmp_path / "o.tsv", len(texts), opened.manifest.problem), expected)
    assert (found.id_mismatches, found.labels_differ) == (0, 0) and found.max_abs_logit < 1e-4


def test_node(lean_bundle: Path, tmp_path: Path) -> None:
    need_node()
    bundle = Path(shutil.copytree(lean_bundle, tmp_path / "bundle"))
    use_packages(bundle)
    answers_alike(bundle, "node", tmp_path)


@pytest.mark.usefixtures("browser")  # which says what is missing
def test_web(lean_bundle: Path, once: Once, tmp_path: Path) -> None:
    needs("npm")
    answers_alike(once("benchmarked_page", lambda output: write_page(lean_bundle, output)), "web", tmp_path)
