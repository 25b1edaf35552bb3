"""The Node consumer as a module: a function of texts, with types that say what it is."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import numpy as np
import pytest

from export.consumers import SOURCES
from infer.output import softmax
from infer.scorer import Scorer
from tests import tiny
from tests.conftest import Once
from tests.runtimes.conftest import prepared
from tests.runtimes.programs import PROGRAMS

NODE = PROGRAMS["node"]


@pytest.fixture(scope="module")
def node_bundle(once: Once, shipped: Path) -> Path:
    NODE.need()
    return prepared(once, shipped, NODE)


def run_module(folder: Path, code: str) -> subprocess.CompletedProcess[str]:
    (folder / "use.mjs").write_text(code, encoding="utf-8")
    return subprocess.run(["node", folder / "use.mjs"], capture_output=True, text=True, cwd=folder)


def test_texts_are_scored_as_infer_scores_them(node_bundle: Path, tmp_path: Path) -> None:
    texts = [*tiny.SENTENCES, "", "the cat " * 100]
    code = f"""
        import {{ Classifier }} from "{node_bundle}/runtimes/node/index.js";
        const classifier = await Classifier.open();
        const answers = await classifier.score({json.dumps(texts)});
        const shown = answers.map((answer) => ({{ ...answer, probabilities: [...answer.probabilities] }}));
        console.log(JSON.stringify({{ shown, labels: classifier.labels }}));
        await classifier.close();
    """
    done = run_module(tmp_path, code)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    scorer = Scorer.open(node_bundle, device="cpu", variant="fp32", provider="cpu")
    expected = softmax(scorer.score(texts))
    assert found["labels"] == list(scorer.labels)
    np.testing.assert_allclose([row["probabilities"] for row in found["shown"]], expected, atol=1e-5)
    assert [row["label"] for row in found["shown"]] == [scorer.labels[best] for best in expected.argmax(axis=1)]
    np.testing.assert_allclose([row["score"] for row in found["shown"]], expected.max(axis=1), atol=1e-5)


def test_what_can_be_mended_is_told_by_its_class(node_bundle: Path, tmp_path: Path) -> None:
    code = f"""
        import {{ Classifier, ScoringError }} from "{node_bundle}/runtimes/node/index.js";
        const refusal = await Classifier.open("{node_bundle}", {{ variant: "int8" }}).catch((error) => error);
        console.log(refusal instanceof ScoringError, refusal.message);
    """
    done = run_module(tmp_path, code)
    assert done.stdout == "true --variant int8: this bundle has fp32, fp16, quantized for this runtime\n", done.stderr


def test_the_types_name_what_the_module_exports() -> None:
    declared = (SOURCES / "node" / "index.d.ts").read_text(encoding="utf-8")
    module = (SOURCES / "node" / "index.js").read_text(encoding="utf-8")
    exported = set(re.findall(r"^export (?:class|(?:async )?function\*?) (\w+)", module, re.M))
    exported |= {name for line in re.findall(r"^export \{ (.*) \};", module, re.M) for name in line.split(", ")}
    assert set(re.findall(r"^export (?:class|function) (\w+)", declared, re.M)) == exported


def test_versions_are_exact_and_no_registry_is_named() -> None:
    package = json.loads((SOURCES / "node" / "package.json").read_text(encoding="utf-8"))
    lock = json.loads((SOURCES / "node" / "package-lock.json").read_text(encoding="utf-8"))
    assert all(re.fullmatch(r"\d+\.\d+\.\d+", version) for version in package["dependencies"].values())
    packages = {name: entry for name, entry in lock["packages"].items() if name}
    assert all(entry["integrity"].startswith("sha512-") for entry in packages.values())
    assert all(
        entry.get("resolved", "https://registry.npmjs.org/").startswith("https://registry.npmjs.org/")
        for entry in packages.values()
    )


def test_without_its_packages_it_says_how_to_get_them(node_bundle: Path, tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(node_bundle, tmp_path / "bundle", symlinks=True))
    (bundle / "runtimes/node/node_modules").unlink()
    done = NODE.run(bundle, "selfcheck")
    folder = bundle / "runtimes/node"
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"bertline.js: {folder} lacks its packages; npm ci --ignore-scripts there\n"
