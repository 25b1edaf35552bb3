"""The table of a run, and what it says."""

import json
from math import inf, nan

import pytest

from finetune.epochs import Epoch, epochs_from_log, kept_epoch, table_head, table_row, training_remark
from finetune.recipe import UNDEFINED


def epochs(*figures: tuple[float, float]) -> list[Epoch]:
    """One epoch for each (validation loss, validation MCC)."""
    return [Epoch(n, 0.5, loss, 1.0, 0.1, {"accuracy": 0.7, "mcc": mcc}) for n, (loss, mcc) in enumerate(figures, 1)]


def test_training_and_validation_entries_of_the_log_become_one_row() -> None:
    log = [
        {"epoch": 1.0, "loss": 0.6, "train_seconds": 2.0},
        {"epoch": 1.0, "eval_loss": 0.5, "eval_accuracy": 0.8, "eval_mcc": 0.3, "eval_runtime": 0.2},
        {"epoch": 2.0, "loss": 0.4, "train_seconds": 3.0},
        {"epoch": 2.0, "train_loss": 0.5, "train_runtime": 9.0},  # the Trainer's summary
    ]
    assert epochs_from_log(log, ("accuracy", "mcc")) == [
        Epoch(1, 0.6, 0.5, 2.0, 0.2, {"accuracy": 0.8, "mcc": 0.3}),
        Epoch(2, 0.4, None, 3.0, None, {"accuracy": None, "mcc": None}),
    ]


def test_the_first_epoch_of_the_best_mcc_is_kept() -> None:
    assert kept_epoch(epochs((0.5, 0.1), (0.4, 0.3), (0.6, 0.3), (0.7, 0.2)), "best", "mcc") == 2


def test_an_undefined_metric_is_below_any_other() -> None:
    log = [
        entry
        for epoch, pearson in enumerate((UNDEFINED, -0.2, UNDEFINED), 1)
        for entry in (
            {"epoch": epoch, "loss": 0.6, "train_seconds": 2.0},
            {"epoch": epoch, "eval_loss": 0.5, "eval_pearson": pearson, "eval_runtime": 0.2},
        )
    ]
    found = epochs_from_log(log, ["pearson"])
    assert [epoch.metrics["pearson"] for epoch in found] == [None, -0.2, None]
    assert [kept_epoch(found[:n], "best", "pearson") for n in (1, 3)] == [1, 2]
    assert [table_row(epoch)[-1] for epoch in found] == ["–", "-0.2000", "–"]
    assert table_head(found) == ["epoch", "training loss", "validation loss", "Pearson"]


@pytest.mark.parametrize("losses", [(0.5, nan), (nan, None), (0.5, inf)])
def test_a_loss_that_is_no_number_is_told_and_recorded_as_none(losses: tuple[float, float | None]) -> None:
    found = [Epoch(1, 0.6, 0.5, 2.0, 0.2), Epoch(2, *losses, 2.0, 0.2)]
    assert training_remark(found) == ("a loss of epoch 2 is no number: training diverged; give a lower --learning-rate")
    assert None in [found[1].to_json()[f"{name}_loss"] for name in ("training", "validation")]
    assert json.loads(json.dumps(found[1].to_json(), allow_nan=False))["training_loss"] in (0.5, None)


def test_the_record_names_each_metric() -> None:
    (epoch,) = epochs((0.5, 0.1))
    assert list(epoch.to_json()) == [
        "epoch",
        "training_loss",
        "validation_loss",
        "validation_accuracy",
        "validation_mcc",
        "training_seconds",
        "validation_seconds",
    ]


def test_the_last_epoch_is_kept_where_asked_or_where_nothing_was_validated() -> None:
    assert kept_epoch(epochs((0.5, 0.3), (0.4, 0.1)), "last", "mcc") == 2
    unvalidated = [Epoch(n, 0.5, None, 1.0, None, {"mcc": None}) for n in (1, 2, 3)]
    assert kept_epoch(unvalidated, "best", "mcc") == 3
    assert training_remark(unvalidated) is None


def test_it_says_where_validation_loss_starts_to_rise() -> None:
    remark = training_remark(epochs((0.5, 0.1), (0.4123, 0.2), (0.45, 0.3), (0.6, 0.3)))
    assert remark is not None and "epoch 2 (0.4123)" in remark


@pytest.mark.parametrize("losses", [(0.5,), (0.5, 0.4, 0.3)])
def test_it_says_nothing_while_validation_loss_falls(losses: tuple[float, ...]) -> None:
    assert training_remark(epochs(*((loss, 0.0) for loss in losses))) is None
