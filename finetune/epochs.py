"""The table of a training run, one row an epoch, and what it says."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Epoch:
    """What one epoch gave; the validation figures are None without a validation share. Times in seconds."""

    epoch: int
    training_loss: float
    validation_loss: float | None
    validation_accuracy: float | None
    validation_mcc: float | None
    training_seconds: float
    validation_seconds: float | None


def epochs_from_log(log_history: Sequence[dict[str, Any]]) -> list[Epoch]:
    """The table from the Trainer's log, where training and validation are entries of their own."""
    trained = {round(entry["epoch"]): entry for entry in log_history if "loss" in entry}
    validated = {round(entry["epoch"]): entry for entry in log_history if "eval_loss" in entry}
    return [
        Epoch(
            number,
            float(entry["loss"]),
            validated.get(number, {}).get("eval_loss"),
            validated.get(number, {}).get("eval_accuracy"),
            validated.get(number, {}).get("eval_mcc"),
            entry["train_seconds"],
            validated.get(number, {}).get("eval_runtime"),
        )
        for number, entry in sorted(trained.items())
    ]


def overfitting_remark(epochs: Sequence[Epoch]) -> str | None:
    """Where validation loss has started to rise, in a sentence; None while it still falls."""
    losses = [(epoch.validation_loss, epoch.epoch) for epoch in epochs if epoch.validation_loss is not None]
    if len(losses) < 2 or min(losses) == losses[-1]:
        return None
    lowest, at = min(losses)
    return f"validation loss was lowest at epoch {at} ({lowest:.4f}) and rises after it: later epochs overfit"


def kept_epoch(epochs: Sequence[Epoch], keep: str) -> int:
    """The epoch whose weights are kept: the first with the best validation MCC, or the last."""
    scored = [epoch for epoch in epochs if epoch.validation_mcc is not None]
    if keep == "last" or not scored:
        return epochs[-1].epoch
    return max(scored, key=lambda epoch: (epoch.validation_mcc, -epoch.epoch)).epoch
