"""Which problem is trained, and by which metric: what is asked for, the format's, the base model's."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest

from bertline.errors import UsageError
from bertline.problems import MULTI_LABEL, REGRESSION, SINGLE_LABEL
from finetune.problem import resolve_metric, resolve_problem


@pytest.fixture
def model(model_dir: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(model_dir, tmp_path / "model"))


def state(model: Path, **settings: Any) -> str:
    """What config.json says from now on."""
    config = json.loads((model / "config.json").read_text()) | settings
    (model / "config.json").write_text(json.dumps(config))
    return str(model)


def test_the_base_model_says_it_where_its_head_is_trained(model: Path) -> None:
    said: list[str] = []
    assert resolve_problem(None, None, "t.tsv", state(model, problem_type=None), said.append) == SINGLE_LABEL
    assert resolve_problem(None, None, "t.tsv", state(model, problem_type=SINGLE_LABEL), said.append) == SINGLE_LABEL
    assert not said
    assert resolve_problem(None, None, "t.tsv", state(model, problem_type=MULTI_LABEL), said.append) == MULTI_LABEL
    assert said == [
        f"--problem multi-label, which --model {model} was trained for; give another --problem where rows differ"
    ]
    assert resolve_problem(None, None, "t.tsv", state(model, problem_type="ranking")) == SINGLE_LABEL
    headless = state(model, problem_type=REGRESSION, architectures=["BertForMaskedLM"])
    assert resolve_problem(None, None, "t.tsv", headless) == SINGLE_LABEL


def test_the_format_and_cola_go_before_the_base_model_and_the_option_before_all(model: Path, tmp_path: Path) -> None:
    base = state(model, problem_type=MULTI_LABEL)
    assert resolve_problem(None, "stsb", "t.tsv", base) == REGRESSION
    assert resolve_problem(None, "sst2", "t.tsv", base) == SINGLE_LABEL
    assert resolve_problem(None, None, str(tmp_path), base) == SINGLE_LABEL  # a folder is CoLA's
    assert resolve_problem("single", "stsb", "t.tsv", base) == SINGLE_LABEL
    with pytest.raises(UsageError, match="--problem pairs: give one of single, multi-label, regression"):
        resolve_problem("pairs", None, "t.tsv", base)


@pytest.mark.parametrize("content", [None, "{", "[1]"])
def test_a_config_that_cannot_be_read_says_nothing(
    content: str | None, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    if content is None:
        assert resolve_problem(None, None, "t.tsv", "someone/no-such-model") == SINGLE_LABEL
    else:
        (tmp_path / "config.json").write_text(content)
        assert resolve_problem(None, None, "t.tsv", str(tmp_path)) == SINGLE_LABEL
    assert capfd.readouterr() == ("", "")


def test_a_names_config_alone_is_fetched(model: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def fetch(name: str, **patterns: Any) -> str:
        asked.append((name, patterns))
        return state(model, problem_type=REGRESSION)

    monkeypatch.setattr("huggingface_hub.snapshot_download", fetch)
    assert resolve_problem(None, None, "t.tsv", "someone/model") == REGRESSION
    assert asked == [("someone/model", {"allow_patterns": "config.json"})]


def test_the_metric_is_the_options_the_formats_or_the_problems() -> None:
    assert resolve_metric(None, None, SINGLE_LABEL) == "mcc"
    assert resolve_metric(None, "mrpc", SINGLE_LABEL) == "f1"
    assert resolve_metric("macro_f1", "mrpc", SINGLE_LABEL) == "macro_f1"
    assert resolve_metric(None, "stsb", SINGLE_LABEL) == "mcc"
    assert resolve_metric(None, "stsb", REGRESSION) == "pearson"
    assert resolve_metric(None, None, MULTI_LABEL) == "micro_f1"
