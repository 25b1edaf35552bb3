"""`openvino-python` has OpenVINO in ONNX Runtime's place, and its precision matters."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from bertline.bundle import FileEntry
from infer.cpus import matrix_formats
from tests.conftest import Once
from tests.runtimes.conftest import prepared
from tests.runtimes.programs import PROGRAMS

OPENVINO = PROGRAMS["openvino-python"]
SOURCE = "runtimes/openvino-python/bertline_openvino.py"


@pytest.fixture(scope="module")
def openvino_bundle(once: Once, shipped: Path) -> Path:
    return prepared(once, shipped, OPENVINO)


def test_as_a_module_it_does_without_onnxruntime(openvino_bundle: Path) -> None:
    code = """
        import sys
        sys.path.insert(0, sys.argv[1])
        from bertline_openvino import Classifier
        [(label, share)] = Classifier(sys.argv[2], threads=1).score(["The cat sleeps."])
        assert label in ("0", "1") and 0.5 <= share <= 1
        assert not {"onnxruntime", "bertline"} & set(sys.modules)
    """
    words = [sys.executable, "-E", "-c", _outdented(code), str((openvino_bundle / SOURCE).parent), str(openvino_bundle)]
    done = subprocess.run(words, capture_output=True, text=True, cwd="/")
    assert done.returncode == 0, done.stderr


def test_it_leaves_nothing_in_the_bundle(openvino_bundle: Path, tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(openvino_bundle, tmp_path / "bundle"))
    before = sorted(bundle.rglob("*"))
    assert OPENVINO.run(bundle, "selfcheck").returncode == 0  # by python -E, which keeps bytecode whatever we have set
    assert sorted(bundle.rglob("*")) == before


@pytest.mark.skipif(
    not {"avx_vnni", "avx512_vnni"} & set(matrix_formats()), reason="OpenVINO multiplies int8 only on CPUs with VNNI"
)
def test_where_activations_go_to_int8_the_self_check_fails(openvino_bundle: Path, tmp_path: Path) -> None:
    """OpenVINO's own choice for a file with int8 weights, on CPUs that multiply int8."""
    bundle = Path(shutil.copytree(openvino_bundle, tmp_path / "bundle"))
    text = (bundle / SOURCE).read_text(encoding="utf-8")
    changed = text.replace('"DYNAMIC_QUANTIZATION_GROUP_SIZE": "0"', '"DYNAMIC_QUANTIZATION_GROUP_SIZE": "32"')
    assert changed != text
    (bundle / SOURCE).write_text(changed, encoding="utf-8")
    manifest = json.loads((bundle / "bertline.json").read_text(encoding="utf-8"))
    entry = FileEntry.of(bundle / SOURCE)
    manifest["files"][SOURCE] = {"sha256": entry.sha256, "bytes": entry.bytes}
    (bundle / "bertline.json").write_text(json.dumps(manifest), encoding="utf-8")
    done = OPENVINO.run(bundle, "selfcheck", "--variant", "quantized")
    assert done.returncode == 3 and "FAILED  logits" in done.stdout, done.stdout


def test_its_faults_have_its_name(openvino_bundle: Path, tmp_path: Path) -> None:
    done = OPENVINO.run(openvino_bundle, "score", tmp_path / "in.tsv", tmp_path / "out.tsv")
    assert done.stderr == f"bertline_openvino: {tmp_path}/in.tsv: no such file; check the name\n"


def _outdented(code: str) -> str:
    return "\n".join(line.removeprefix(" " * 8) for line in code.splitlines())
