"""The model that training starts from."""

import json
import logging
from pathlib import Path
from typing import Any

import torch

from bertline.errors import BertlineError
from bertline.model_folder import model_positions
from finetune.recipe import Recipe

_CHECKPOINT_FILES = ["*.safetensors", "*.json", "*.txt", "*.model"]  # weights, config, vocabularies


def load_base(recipe: Recipe, labels: tuple[str, ...]) -> tuple[Any, Any]:
    """The checkpoint with a new classification head where it has none of this size, and its fast tokenizer.

    Only safetensors are read and no code of the checkpoint's is run. Raises BertlineError where it cannot be had, and
    listing everything that is missing or does not fit.
    """
    from safetensors import SafetensorError
    from transformers import AutoModelForSequenceClassification, AutoTokenizer, set_seed
    from transformers.utils.logging import disable_progress_bar, set_verbosity_error

    set_verbosity_error()
    disable_progress_bar()
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # without network it would tell every attempt
    set_seed(recipe.seed)  # the new head's weights are drawn here
    if Path(recipe.model).is_absolute() and not Path(recipe.model).is_dir():
        raise BertlineError(f"{recipe.model}: no such model folder; give --model a folder or a checkpoint's name")
    try:
        folder = _checkpoint_folder(recipe.model)
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
        model, loading = AutoModelForSequenceClassification.from_pretrained(
            folder,
            num_labels=len(labels),
            id2label=dict(enumerate(labels)),
            label2id={label: number for number, label in enumerate(labels)},
            ignore_mismatched_sizes=True,
            use_safetensors=True,
            trust_remote_code=False,
            local_files_only=True,
            dtype=torch.float32,
            output_loading_info=True,
        )
    except (OSError, ValueError, KeyError, SafetensorError) as error:
        reason = str(error).strip().splitlines()[0]
        raise BertlineError(
            f"--model {recipe.model}: cannot be loaded ({reason}); give the folder of a model with safetensors weights "
            "and a tokenizer, or connect to the hub"
        ) from None
    problems = [*_tokenizer_problems(tokenizer, model.config.vocab_size), *_weight_problems(model, loading)]
    if problems:
        raise BertlineError(f"--model {recipe.model}: {'; '.join(problems)}; name a whole checkpoint")
    positions = model_positions(model)
    if recipe.max_length > positions:
        raise BertlineError(f"--max-length {recipe.max_length}: the model takes {positions} tokens at most")
    model.config.problem_type = "single_label_classification"
    return model, tokenizer


def _checkpoint_folder(model: str) -> Path:
    """The folder itself, or the hub's checkpoint of that name in the cache, fetched where it is not there yet.

    Pickled weights and files of other runtimes are not fetched. Raises OSError or ValueError where it cannot be had.
    """
    from huggingface_hub import snapshot_download

    folder = Path(model)
    if not folder.is_dir():
        folder = Path(snapshot_download(model, allow_patterns=_CHECKPOINT_FILES, ignore_patterns="*/*"))
    if not isinstance(json.loads((folder / "config.json").read_bytes()), dict):  # transformers takes it for granted
        raise ValueError("config.json is not a JSON object")
    return folder


def _tokenizer_problems(tokenizer: Any, vocabulary: int) -> list[str]:
    if len(tokenizer) <= len(tokenizer.all_special_ids):  # what transformers makes up where there are no files
        return ["has no tokenizer"]
    problems = [] if tokenizer.is_fast else ["has no fast tokenizer (tokenizer.json), which export needs"]
    lacking = [name for name in ("pad", "cls", "sep", "unk") if getattr(tokenizer, f"{name}_token_id") is None]
    problems += [f"its tokenizer has no {' or '.join(lacking)} token, which export needs"] if lacking else []
    if len(tokenizer) > vocabulary:
        problems.append(f"its tokenizer has {len(tokenizer):,} tokens, and the model {vocabulary:,}")
    return problems


def _weight_problems(model: Any, loading: dict[str, Any]) -> list[str]:
    """Weights that were not there or of another size, and are random now; the head and the pooler may be."""
    unfit = {*loading["missing_keys"], *(name for name, *_ in loading["mismatched_keys"])}
    body = sorted(name for name in unfit if name.startswith(f"{model.base_model_prefix}.") and ".pooler." not in name)
    return [f"{len(body)} of its weights are missing or of another size, such as {body[0]}"] if body else []
