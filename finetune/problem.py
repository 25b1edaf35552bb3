"""Which problem a run trains, and which metric picks its best epoch, where the options do not say so."""

import logging
from collections.abc import Callable
from pathlib import Path

from bertline.errors import UsageError
from bertline.model_folder import is_classifier
from bertline.presets import PRESETS
from bertline.problems import PROBLEM_TYPES, SINGLE_LABEL
from bertline.schema import parse_json
from finetune.corpus import is_cola
from finetune.recipe import METRICS, PROBLEMS, problem_word


def resolve_problem(
    problem: str | None, format: str | None, corpus: str, model: str, say: Callable[[str], None] = lambda remark: None
) -> str:
    """One of PROBLEM_TYPES: as asked for, else the format's or CoLA's, else the base model's, else single label.

    `say` is told where it is the base model that decides for another problem than a single label.
    """
    if problem is None and format is not None:
        problem = PRESETS[format].problem
    if problem is None:
        stated = None if is_cola(corpus) else _stated_by(model)
        if stated is not None and stated != SINGLE_LABEL:
            word = problem_word(stated)
            say(f"--problem {word}, which --model {model} was trained for; give another --problem where rows differ")
        return stated or SINGLE_LABEL
    if problem not in PROBLEMS:
        raise UsageError(f"--problem {problem}: give one of {', '.join(PROBLEMS)}")
    return PROBLEMS[problem]


def resolve_metric(metric: str | None, format: str | None, problem_type: str) -> str:
    """As asked for, else the format's first that belongs to the problem, else the problem's default."""
    if metric:
        return metric
    preferred = PRESETS[format].metrics if format else ()
    return next((name for name in preferred if name in METRICS[problem_type]), METRICS[problem_type][0])


def _stated_by(model: str) -> str | None:
    """What config.json says of a model whose head is trained; None where it says nothing, or cannot be had.

    Why it cannot is told when the model is loaded.
    """
    try:
        folder = Path(model) if Path(model).is_dir() else _fetched_config(model)
        config = parse_json((folder / "config.json").read_bytes())
    except (OSError, ValueError):
        return None
    if not isinstance(config, dict) or not is_classifier(config.get("architectures")):
        return None
    stated = config.get("problem_type")
    return stated if stated in PROBLEM_TYPES else None


def _fetched_config(model: str) -> Path:
    """The folder in the hub's cache that holds that checkpoint's config.json; OSError or ValueError where none does."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.utils.tqdm import disable_progress_bars

    disable_progress_bars()
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)  # without network it would tell every attempt
    return Path(snapshot_download(model, allow_patterns="config.json"))
