"""The recipe is the notebook's, and nonsense is refused."""

from dataclasses import asdict

import pytest

from bertline.errors import UsageError
from bertline.presets import PRESETS
from bertline.problems import PROBLEM_TYPES
from finetune.recipe import METRICS, PROBLEMS, Recipe


def test_the_defaults_are_the_notebooks() -> None:
    recipe = asdict(Recipe())
    notebook = {
        "model": "bert-base-uncased",
        "max_length": 64,
        "validation_share": 0.1,
        "batch_size": 32,
        "learning_rate": 2e-5,
        "adam_epsilon": 1e-8,
        "warmup_steps": 0,
        "epochs": 4,
        "max_grad_norm": 1.0,
        "seed": 42,
        "weight_decay": 0.0,
    }
    assert {name: recipe[name] for name in notebook} == notebook
    assert recipe["keep"] == "best" and recipe["precision"] == "auto" and not recipe["pad_to_max_length"]
    assert not recipe["compile"]


def test_every_value_that_makes_no_sense_is_named_at_once() -> None:
    with pytest.raises(UsageError) as refusal:
        Recipe(
            max_length=2,
            validation_share=1,
            batch_size=0,
            learning_rate=0,
            adam_epsilon=0,
            warmup_steps=-1,
            epochs=0,
            max_grad_norm=0,
            weight_decay=-1,
            seed=-1,
            precision="int8",
            keep="first",
            metric="pearson",
        )
    assert str(refusal.value).count("--") == 14


def test_problems_and_metrics_are_named_as_elsewhere() -> None:
    assert tuple(PROBLEMS.values()) == tuple(METRICS) == PROBLEM_TYPES
    for preset in PRESETS.values():
        assert set(preset.metrics) <= set(METRICS[PROBLEMS[preset.problem]])


@pytest.mark.parametrize("problem", PROBLEM_TYPES)
def test_a_metric_belongs_to_its_problem(problem: str) -> None:
    assert [Recipe(problem_type=problem, metric=metric).metric for metric in METRICS[problem]]
    with pytest.raises(UsageError, match="--metric rouge"):
        Recipe(problem_type=problem, metric="rouge")
    with pytest.raises(UsageError, match="--problem ranking"):
        Recipe(problem_type="ranking")


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["learning_rate", "adam_epsilon", "weight_decay", "validation_share"])
def test_numbers_are_finite(name: str, value: float) -> None:
    with pytest.raises(UsageError, match=name.replace("_", "-")):
        Recipe(**{name: value})  # type: ignore[arg-type]
