"""The table of a training run, one row an epoch, and what it says."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from math import inf, isfinite
from typing import Any

from bertline.metrics import METRIC_NAMES
from finetune.recipe import UNDEFINED


@dataclass(frozen=True)
class Epoch:
    """What one epoch gave; the validation's are None without a validation share. Times in seconds."""

    epoch: int
    training_loss: float
    validation_loss: float | None
    training_seconds: float
    validation_seconds: float | None
    metrics: dict[str, float | None] = field(default_factory=dict)  # of validation, by name; None where undefined

    def to_json(self) -> dict[str, Any]:
        """As training.json has it: each metric is `validation_` and its name; null for a loss that is no number."""
        return {
            "epoch": self.epoch,
            "training_loss": _number(self.training_loss),
            "validation_loss": _number(self.validation_loss),
            **{f"validation_{name}": value for name, value in self.metrics.items()},
            "training_seconds": self.training_seconds,
            "validation_seconds": self.validation_seconds,
        }


def epochs_from_log(log_history: Sequence[dict[str, Any]], metrics: Sequence[str]) -> list[Epoch]:
    """The table from the Trainer's log, where training and validation are entries of their own."""
    trained = {round(entry["epoch"]): entry for entry in log_history if "loss" in entry}
    validated = {round(entry["epoch"]): entry for entry in log_history if "eval_loss" in entry}
    return [
        Epoch(
            number,
            float(entry["loss"]),
            validated.get(number, {}).get("eval_loss"),
            entry["train_seconds"],
            validated.get(number, {}).get("eval_runtime"),
            {name: _defined(validated.get(number, {}).get(f"eval_{name}")) for name in metrics},
        )
        for number, entry in sorted(trained.items())
    ]


def _number(loss: float | None) -> float | None:
    return None if loss is None or not isfinite(loss) else loss


def _defined(value: float | None) -> float | None:
    return None if value == UNDEFINED else value


def table_head(epochs: Sequence[Epoch]) -> list[str]:
    """The columns of the table: the epoch, and what `table_row` gives."""
    return ["epoch", "training loss", "validation loss", *(METRIC_NAMES[name] for name in epochs[0].metrics)]


def table_row(epoch: Epoch) -> list[str]:
    """Losses and metrics with four digits; a dash for what there is not."""
    values = (epoch.training_loss, epoch.validation_loss, *epoch.metrics.values())
    return ["–" if value is None else f"{value:.4f}" for value in values]


def training_remark(epochs: Sequence[Epoch]) -> str | None:
    """Where training diverged, or validation loss has started to rise, in a sentence; None while it still falls."""
    for epoch in epochs:
        if not all(isfinite(loss) for loss in (epoch.training_loss, epoch.validation_loss or 0.0)):
            return f"a loss of epoch {epoch.epoch} is no number: training diverged; give a lower --learning-rate"
    losses = [(epoch.validation_loss, epoch.epoch) for epoch in epochs if epoch.validation_loss is not None]
    if len(losses) < 2 or min(losses) == losses[-1]:
        return None
    lowest, at = min(losses)
    return f"validation loss was lowest at epoch {at} ({lowest:.4f}) and rises after it: later epochs overfit"


def kept_epoch(epochs: Sequence[Epoch], keep: str, metric: str) -> int:
    """The epoch whose weights are kept: the first with the best validation metric, or the last."""
    if keep == "last" or all(epoch.validation_loss is None for epoch in epochs):
        return epochs[-1].epoch

    def quality(epoch: Epoch) -> tuple[float, int]:
        value = epoch.metrics[metric]
        return -inf if value is None else value, -epoch.epoch

    return max(epochs, key=quality).epoch
