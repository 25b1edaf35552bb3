"""The model that training starts from, and the device and precision it runs in."""

from pathlib import Path
from typing import Any

import torch

from bertline.errors import BertlineError, UsageError
from finetune.recipe import Recipe


def load_base(recipe: Recipe, labels: tuple[str, ...]) -> tuple[Any, Any]:
    """The checkpoint with a new classification head where it has none of this size, and its fast tokenizer.

    Only safetensors are read and no code of the checkpoint's is run. Raises BertlineError where it cannot be had.
    """
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, set_seed
    from transformers.utils import logging

    logging.set_verbosity_error()
    logging.disable_progress_bar()
    set_seed(recipe.seed)  # the new head's weights are drawn here
    local = Path(recipe.model).is_dir()
    if Path(recipe.model).is_absolute() and not local:
        raise BertlineError(f"{recipe.model}: no such model folder; give --model a folder or a checkpoint's name")
    try:
        tokenizer = AutoTokenizer.from_pretrained(recipe.model, trust_remote_code=False, local_files_only=local)
        model = AutoModelForSequenceClassification.from_pretrained(
            recipe.model,
            num_labels=len(labels),
            id2label=dict(enumerate(labels)),
            label2id={label: number for number, label in enumerate(labels)},
            ignore_mismatched_sizes=True,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=local,
            dtype=torch.float32,
        )
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).strip().splitlines()[0]
        raise BertlineError(
            f"--model {recipe.model}: cannot be loaded ({reason}); give the folder of a model with safetensors weights "
            "and a tokenizer, or connect to the hub"
        ) from None
    if not tokenizer.is_fast:
        raise BertlineError(f"--model {recipe.model}: has no fast tokenizer (tokenizer.json), which export needs")
    model.config.problem_type = "single_label_classification"
    positions = getattr(model.config, "max_position_embeddings", recipe.max_length)
    if recipe.max_length > positions:
        raise BertlineError(f"--max-length {recipe.max_length}: the model has {positions} positions")
    return model, tokenizer


def resolve_device(device: str) -> str:
    """`cpu` or `cuda`; `auto` is cuda where PyTorch finds one. BertlineError where cuda is asked for and not there."""
    if device not in ("auto", "cpu", "cuda"):
        raise UsageError(f"--device {device}: give auto, cpu or cuda")
    if device == "cuda" and not torch.cuda.is_available():
        raise BertlineError(
            f"--device cuda: PyTorch {torch.__version__} finds no CUDA device; check nvidia-smi "
            "and that PyTorch is a CUDA build, or use --device cpu"
        )
    return "cuda" if device == "cuda" or (device == "auto" and torch.cuda.is_available()) else "cpu"


def resolve_precision(precision: str, device: str) -> str:
    """fp32, bf16 or fp16; `auto` is bf16 where the device multiplies bf16 matrices natively.

    On a CPU those are AMX and AVX512-BF16. Raises BertlineError for fp16 on a CPU.
    """
    if precision == "fp16" and device == "cpu":
        raise BertlineError("--precision fp16: only a CUDA device trains in fp16; use bf16 or fp32")
    if precision != "auto":
        return precision
    if device == "cuda":
        return "bf16" if torch.cuda.is_bf16_supported(including_emulation=False) else "fp32"
    native = torch.cpu._is_amx_tile_supported() or torch.cpu._is_avx512_bf16_supported()
    return "bf16" if native else "fp32"
