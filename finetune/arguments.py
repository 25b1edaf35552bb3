"""The recipe in the Trainer's words, and the one device that the Trainer is held to."""

from pathlib import Path
from typing import Any

import torch
import transformers

from finetune.recipe import Recipe


def training_arguments(recipe: Recipe, checkpoints: Path, device: str, precision: str, *, validate: bool) -> Any:
    """The `TrainingArguments` of a run on `device`, `cpu` or `cuda:N`, with its checkpoints in that folder."""
    arguments = transformers.TrainingArguments(
        **trainer_options(recipe, checkpoints, device, precision, validate=validate)
    )
    if device != "cpu":
        # The Trainer takes the first card and gives all others a batch each: another card, and another recipe.
        torch.cuda.set_device(device)
        arguments._setup_devices = arguments.distributed_state.device = torch.device(device)
        arguments._n_gpu = 1
    return arguments


def trainer_options(
    recipe: Recipe, checkpoints: Path, device: str, precision: str, *, validate: bool
) -> dict[str, Any]:
    """What `TrainingArguments` is called with.

    Neither TF32 nor `torch_compile`, which would turn TF32 on, is among it: fp32 is fp32. There are no workers to load
    data: texts are token ids beforehand, and padding a batch takes less time than a training step.
    """
    each_epoch = "epoch" if validate else "no"
    best = validate and recipe.keep == "best"
    cuda = device != "cpu"
    return {
        "output_dir": str(checkpoints),
        "num_train_epochs": recipe.epochs,
        "per_device_train_batch_size": recipe.batch_size,
        "per_device_eval_batch_size": recipe.batch_size,
        "learning_rate": recipe.learning_rate,
        "adam_epsilon": recipe.adam_epsilon,
        "weight_decay": recipe.weight_decay,
        "max_grad_norm": recipe.max_grad_norm,
        "warmup_steps": recipe.warmup_steps,
        "lr_scheduler_type": "linear",
        "optim": "adamw_torch_fused" if cuda else "adamw_torch",
        "train_sampling_strategy": "random" if recipe.pad_to_max_length else "group_by_length",
        "bf16": precision == "bf16",
        "fp16": precision == "fp16",
        "use_cpu": not cuda,
        "seed": recipe.seed,
        "eval_strategy": each_epoch,
        "save_strategy": "epoch",
        "save_total_limit": 1,  # the best epoch is kept beside the last
        "load_best_model_at_end": best,
        "metric_for_best_model": recipe.metric if best else None,
        "greater_is_better": True,
        "logging_strategy": "epoch",
        "logging_nan_inf_filter": False,  # it would wait for the card at each batch, and hide that a run diverged
        "dataloader_pin_memory": cuda,
        "accelerator_config": {"non_blocking": cuda},  # copies wait for nothing that the card still computes
        "ddp_find_unused_parameters": False,
        "ddp_static_graph": True,  # finds parameters that a family does not use, in the first step alone
        "average_tokens_across_devices": False,  # SharingTrainer weighs by rows
        "disable_tqdm": True,
        "report_to": "none",
    }
