"""What a run shows and notes while it trains: a bar, and the time of each epoch."""

import time
from typing import Any

import torch
from rich.console import Console
from rich.progress import MofNCompleteColumn, TextColumn
from transformers import TrainerCallback

from bertline.console import progress_bar
from bertline.metrics import METRIC_NAMES, in_words
from finetune.recipe import UNDEFINED


class EpochClock(TrainerCallback):
    """Writes each epoch's training seconds into the Trainer's log, which its checkpoints keep."""

    def on_epoch_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._begin = time.perf_counter()

    def on_epoch_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if args.device.type == "cuda":
            torch.cuda.synchronize(args.device)  # the last batches may only have been handed to it
        self._seconds = time.perf_counter() - self._begin

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
        if logs and "loss" in logs:
            state.log_history[-1]["train_seconds"] = self._seconds


class TrainingBar(TrainerCallback):
    """A bar over all steps, with elapsed and remaining time, and a line per finished epoch."""

    def __init__(self, console: Console, metric: str) -> None:
        self._console, self._metric = console, metric
        self._bar = progress_bar(console, MofNCompleteColumn(), TextColumn("batches"))

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self._task = self._bar.add_task("training", total=state.max_steps, completed=state.global_step)
        self._bar.start()

    def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        epoch = min(int(state.epoch or 0) + 1, int(args.num_train_epochs))
        self._bar.update(
            self._task, completed=state.global_step, description=f"epoch {epoch} of {args.num_train_epochs:.0f}"
        )

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **_: Any) -> None:
        if logs and "loss" in logs:
            self._console.print(f"epoch {state.epoch:.0f}: training loss {float(logs['loss']):.4f}")
        elif logs and "eval_loss" in logs:
            value = logs[f"eval_{self._metric}"]
            told = in_words(None if value == UNDEFINED else value)
            self._console.print(
                f"epoch {state.epoch:.0f}: validation loss {logs['eval_loss']:.4f}, {METRIC_NAMES[self._metric]} {told}"
            )

    def on_train_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        self.stop()

    def stop(self) -> None:
        """Leave the terminal clean, also where training was cut short."""
        self._bar.stop()
