"""The model that training starts from."""

import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from bertline.errors import BertlineError
from bertline.model_folder import is_classifier, labels_of, model_positions
from bertline.problems import problem_type_of
from bertline.schema import parse_json
from finetune.recipe import Recipe
from finetune.tokenizer import load_tokenizer, tokenizer_problems

_SHOWN_LABELS = 6
_CHECKPOINT_FILES = ["*.safetensors", "*.json", "*.txt", "*.model"]  # weights, config, vocabularies


def load_base(
    recipe: Recipe, labels: tuple[str, ...], say: Callable[[str], None] = lambda remark: None
) -> tuple[Any, Any]:
    """The checkpoint with a new classification head where it has none of this size, and its fast tokenizer.

    `say` is told where a head that was trained is replaced, or trained for something else. Only safetensors are read
    and no code of the checkpoint's is run. Raises BertlineError where it cannot be had, and listing everything that is
    missing or does not fit.
    """
    from safetensors import SafetensorError
    from transformers import AutoModelForSequenceClassification, set_seed
    from transformers.utils.logging import disable_progress_bar, set_verbosity_error

    set_verbosity_error()
    disable_progress_bar()
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # without network it would tell every attempt
    set_seed(recipe.seed)  # the new head's weights are drawn here
    if Path(recipe.model).is_absolute() and not Path(recipe.model).is_dir():
        raise BertlineError(f"{recipe.model}: no such model folder; give --model a folder or a checkpoint's name")
    try:
        folder, config = _checkpoint(recipe.model)
        model, loading = AutoModelForSequenceClassification.from_pretrained(
            folder,
            num_labels=len(labels),
            id2label=dict(enumerate(labels)),
            label2id={label: number for number, label in enumerate(labels)},
            problem_type=recipe.problem_type,  # by which the model chooses its loss
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
    tokenizer = load_tokenizer(folder, recipe.model)
    problems = [*tokenizer_problems(tokenizer, model.config.vocab_size), *_weight_problems(model, loading)]
    if problems:
        raise BertlineError(f"--model {recipe.model}: {'; '.join(problems)}; name a whole checkpoint")
    positions = model_positions(model)
    if recipe.max_length > positions:
        raise BertlineError(f"--max-length {recipe.max_length}: the model takes {positions} tokens at most")
    if is_classifier(config.get("architectures")):
        remark = _head_remark(config, labels, recipe.problem_type, replaced=bool(loading["mismatched_keys"]))
        if remark:
            say(f"--model {recipe.model}: {remark}")
    return model, tokenizer


def _checkpoint(model: str) -> tuple[Path, dict[str, Any]]:
    """The folder itself, or the hub's checkpoint of that name in the cache, fetched where it is not there yet.

    With its config. Pickled weights and files of other runtimes are not fetched. Raises OSError or ValueError where it
    cannot be had.
    """
    from huggingface_hub import snapshot_download

    folder = Path(model)
    if not folder.is_dir():
        folder = Path(snapshot_download(model, allow_patterns=_CHECKPOINT_FILES, ignore_patterns="*/*"))
    config = parse_json((folder / "config.json").read_bytes())
    if not isinstance(config, dict):  # transformers takes it for granted
        raise ValueError("config.json is not a JSON object")
    return folder, config


def _head_remark(config: dict[str, Any], labels: tuple[str, ...], problem_type: str, *, replaced: bool) -> str | None:
    """What becomes of the head that the checkpoint was trained with; None where it goes on as it was."""
    own = labels_of(config) or ("LABEL_0", "LABEL_1")  # transformers' own names, where a config has none
    if replaced:
        outputs = f"{len(own)} outputs" if len(own) > 1 else "one output"
        return f"its head has {outputs} ({_named(own)}), and the corpus needs {len(labels)}: a new one is drawn"
    before = problem_type_of(config.get("problem_type"), len(own))
    if before != problem_type:
        return f"its head was trained for {before}, and goes on with {problem_type}"
    if own != labels and own != tuple(f"LABEL_{number}" for number in range(len(own))):
        order = f"; --labels {','.join(own)} keeps its order" if sorted(own) == sorted(labels) else ""
        return f"its head was trained for {_named(own)}, and goes on as {_named(labels)}{order}"
    return None


def _named(labels: tuple[str, ...]) -> str:
    return ", ".join(labels[:_SHOWN_LABELS]) + (", …" if len(labels) > _SHOWN_LABELS else "")


def _weight_problems(model: Any, loading: dict[str, Any]) -> list[str]:
    """Weights that were not there or of another size, and are random now; the head and the pooler may be."""
    unfit = {*loading["missing_keys"], *(name for name, *_ in loading["mismatched_keys"])}
    body = sorted(name for name in unfit if name.startswith(f"{model.base_model_prefix}.") and ".pooler." not in name)
    return [f"{len(body)} of its weights are missing or of another size, such as {body[0]}"] if body else []
