"""One batch shared by several processes, as if one had it: the same rows, the same loss, the same gradient."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from accelerate.utils import recursively_apply  # type: ignore[import-untyped]
from torch.utils.data import Sampler
from transformers.trainer_pt_utils import LengthGroupedSampler, safe_globals

_ALONE, _FIRST = "rng_state.pth", "rng_state_0.pth"  # the first process's, by how many wrote the checkpoint
RANDOM_STATES = (_ALONE, _FIRST)


class SharingTrainer(transformers.Trainer):
    """The Trainer of a run by several processes, each with an equal share of the batch, `per_device_…_batch_size` rows.

    A batch holds the rows that it would hold in one process: accelerate gives each process the next share of the same
    order, and fills up the epoch's last batch with rows of the first. Those fillers count for nothing: the loss is the
    model's own, of real rows, and weighs as much as they are many, so that the mean over the processes (which is what
    DistributedDataParallel makes of gradients) is the mean over the batch's rows. Losses, gradients and metrics are
    thus one process's within rounding, dropout apart: its masks are drawn by each process.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.add_callback(_OwnMasks())

    def train(self, *arguments: Any, **options: Any) -> Any:
        """As the Trainer does, and then wait: the first process may remove checkpoints that all have read."""
        output = super().train(*arguments, **options)
        self.accelerator.wait_for_everyone()
        return output

    def _get_train_sampler(self, train_dataset: Any = None) -> Any:
        sampler = self._of_whole_batches(super()._get_train_sampler(train_dataset))
        # accelerate seeds a RandomSampler anew each epoch, the same in all processes
        return _SameOrder(sampler, self.args.device) if isinstance(sampler, LengthGroupedSampler) else sampler

    def _get_eval_sampler(self, eval_dataset: Any) -> Any:
        return self._of_whole_batches(super()._get_eval_sampler(eval_dataset))

    def _of_whole_batches(self, sampler: Any) -> Any:
        """Of like length are the rows of a batch, not those of a share."""
        if isinstance(sampler, LengthGroupedSampler):
            sampler.batch_size *= self.args.world_size
        return sampler

    def compute_loss(
        self, model: Any, inputs: Any, return_outputs: bool = False, num_items_in_batch: Any = None
    ) -> Any:
        """The share's loss, scaled so that its mean over the processes is the batch's; logits are the whole share's."""
        share, real, rows = self._rows()
        kept = real or share  # a share without real rows is run all the same, since the others wait for its gradients
        loss, outputs = super().compute_loss(
            model, {name: values[:kept] for name, values in inputs.items()}, return_outputs=True
        )
        loss = loss * (real * self.args.world_size / rows)
        if not return_outputs:
            return loss
        return loss, recursively_apply(partial(_of_rows, rows=share), outputs)

    def prediction_step(self, *arguments: Any, **options: Any) -> Any:
        """Loss, logits and labels; the loss is the whole batch's."""
        loss, logits, labels = super().prediction_step(*arguments, **options)
        return self.accelerator.reduce(loss, "mean"), logits, labels

    def _rows(self) -> tuple[int, int, int]:
        """Rows of this process's share of the batch, how many of them are no fillers, and rows of the whole batch."""
        share, processes = self.args.per_device_train_batch_size, self.args.world_size
        loader = self.accelerator.gradient_state
        last = loader.end_of_dataloader and loader.remainder > 0
        rows = loader.remainder if last else share * processes
        return share, min(max(rows - share * self.args.process_index, 0), share), rows


def _of_rows(values: torch.Tensor, rows: int) -> torch.Tensor:
    """A model's output with zeros for the fillers it did not see: processes gather as many rows each."""
    missing = rows - len(values) if values.dim() else 0
    return torch.cat([values, values.new_zeros((missing, *values.shape[1:]))]) if missing else values


class _SameOrder(Sampler[int]):
    """The order of rows that the first process draws, in all: their generators part with the first dropout mask."""

    def __init__(self, sampler: Any, device: torch.device) -> None:
        self.sampler, self.device = sampler, device

    def __len__(self) -> int:
        return len(self.sampler)

    def __iter__(self) -> Iterator[int]:
        order = torch.tensor(list(self.sampler), device=self.device)
        torch.distributed.broadcast(order, src=0)
        return iter(order.tolist())


class _OwnMasks(transformers.TrainerCallback):
    """Dropout masks of its own for each process but the first, which draws what one process alone would draw."""

    def on_train_begin(self, args: Any, state: Any, control: Any, **_: Any) -> None:
        if args.process_index:
            seeds = np.random.SeedSequence((args.seed, args.process_index, state.global_step))
            torch.manual_seed(int(seeds.generate_state(1)[0]))


def part() -> None:
    """Leave the group of processes, where there is one, as NCCL asks for."""
    if torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()


def lost_another(error: RuntimeError) -> bool:
    """Whether it says that another process answers no more; gloo has no class of its own for that."""
    return isinstance(error, torch.distributed.DistError) or "gloo/transport" in str(error)


def serve_any_count(checkpoint: Path) -> None:
    """Let one process go on from a checkpoint of several, or several from one's: with the first's random state.

    The Trainer looks for it under another name. With it the order of rows goes on as it would have.
    """
    for found, wanted in ((_ALONE, _FIRST), (_FIRST, _ALONE)):
        if (checkpoint / wanted).exists():
            continue
        with safe_globals():
            state = torch.load(checkpoint / found, weights_only=True)
        if "cuda" in state:  # one process keeps its card's state, several the states of all cards
            state["cuda"] = [state["cuda"]] if wanted == _FIRST else state["cuda"][0]
        part = checkpoint / f"{wanted}.partial"
        torch.save(state, part)
        part.replace(checkpoint / wanted)
