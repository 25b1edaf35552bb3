"""`bertline demo`, whole: the line on its own corpus, with the figures it promises."""

import json
from pathlib import Path

import pytest

from tests.conftest import Cli


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from bertline.demo import run_demo

    output = tmp_path_factory.mktemp("demo") / "demo"
    run_demo(output)
    return output


def metrics(demo: Path, name: str) -> dict:
    return json.loads((demo / f"{name}.scored.tsv.report.json").read_text())["metrics"]


def test_it_learns_the_grammar(demo: Path) -> None:
    print({name: metrics(demo, name)["mcc"] for name in ("in_domain_dev", "out_of_domain_dev")})
    assert metrics(demo, "in_domain_dev")["mcc"] >= 0.8
    assert metrics(demo, "out_of_domain_dev")["mcc"] > 0


def test_no_dev_sentence_was_trained_on(demo: Path) -> None:
    def sentences(name: str) -> set[str]:
        lines = (demo / "corpus" / "raw" / f"{name}.tsv").read_text(encoding="utf-8").splitlines()
        return {line.split("\t")[3] for line in lines}

    assert not sentences("in_domain_train") & (sentences("in_domain_dev") | sentences("out_of_domain_dev"))


def test_its_bundle_checks_itself(demo: Path, cli: Cli) -> None:
    outcome = cli("verify", demo / "bundle")
    assert outcome.code == 0 and "FAILED" not in outcome.out


def test_its_report_shows_every_station(demo: Path) -> None:
    page = (demo / "report.html").read_text(encoding="utf-8")
    for section in ("Training", "Parity", "Scores of in_domain_dev", "Scores of out_of_domain_dev", "Latency"):
        assert f">{section}</h2>" in page
    assert page.count("<svg") >= 7


def test_it_leaves_an_earlier_demo_alone(demo: Path, cli: Cli) -> None:
    outcome = cli("demo", "-o", demo)
    assert outcome.code == 1 and "--force" in outcome.err
