"""Fine-tuning: corpus and recipe to a model folder that `from_pretrained` reads."""

import json
import time
from collections.abc import Callable, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import torch
import transformers
from rich.console import Console

from bertline.errors import BertlineError, UsageError
from bertline.evaluation import AnyEvaluation
from bertline.files import check_output, partial_of, publish_folder, write_whole
from bertline.model_folder import TRAINING
from bertline.processes import Processes
from finetune.arguments import training_arguments
from finetune.base import load_base
from finetune.compilation import compile_model, compiling, require_compiler
from finetune.corpus import Corpus
from finetune.dataset import split, tokenize
from finetune.device import describe, peak_memory_mib, reset_peak_memory, resolve_own_device, resolve_precision
from finetune.distributed import RANDOM_STATES, SharingTrainer, lost_another, part, serve_any_count
from finetune.epochs import Epoch, epochs_from_log, kept_epoch, training_remark
from finetune.evaluate import evaluate_folder
from finetune.metrics import compute_metrics, reported
from finetune.overview import length_bins, token_lengths
from finetune.pages import training_page, write_pictures
from finetune.progress import EpochClock, TrainingBar
from finetune.recipe import Recipe
from finetune.record import training_record

_CHECKPOINTS = ".checkpoints"
_RUN = "run.json"  # what an interrupted run was, so that --resume continues the same one
# Trainer writes them one by one, and the last one last: a checkpoint that lacks any was cut short.
_CHECKPOINT = ("model.safetensors", "optimizer.pt", "scheduler.pt", "trainer_state.json")


@dataclass(frozen=True)
class Run:
    """A finished run: the folder, its table, the holdouts, and the seconds it took in all."""

    folder: Path
    epochs: list[Epoch]
    kept_epoch: int
    metric: str  # which the best epoch goes by
    holdouts: dict[str, AnyEvaluation]
    seconds: float
    remark: str | None
    trained_on: str  # the device, its card, and the precision
    rows_per_second: float  # trained on; validation and holdouts apart
    peak_device_memory_mib: float | None  # held by PyTorch on the card; None on the CPU


def finetune(
    corpus: Corpus,
    recipe: Recipe,
    output: Path,
    *,
    device: str = "auto",
    resume: bool = False,
    force: bool = False,
    console: Console | None = None,
    show: Callable[[Any, Any, Corpus, int], None] = lambda model, tokenizer, corpus, validation_rows: None,
    processes: Processes | None = None,
) -> Run | None:
    """Train, keep the best epoch (or the last), judge it on the holdouts, and write the model folder `output`.

    An unfinished run stands in `output`.partial with the last finished epoch's checkpoint; `resume` goes on from
    there and ends with the same weights, on a CPU to the bit. `show` is called with what will be trained. Of several
    `processes`, which share each batch, the first one writes, says and returns all, and the others None. Raises
    BertlineError as `load_base` and `split` do, where `output` is taken, where the unfinished run was another one, and
    where the device is not there, does not have the precision, runs out of memory, or cannot be compiled for;
    UsageError for a batch that does not divide among the processes.
    """
    started = time.perf_counter()
    console = console or Console(quiet=True)
    processes = processes or Processes()
    work = partial_of(output).absolute()  # checkpoints name each other by it
    say = partial(console.print, markup=False, emoji=False)
    _require_shares(recipe.batch_size, processes.count)
    device = resolve_own_device(device, processes, say)
    precision = processes.from_first("precision", lambda: resolve_precision(recipe.precision, device, say))
    trained_on = f"{describe(device)} in {precision}" + (f" by {processes.count} processes" * (processes.count > 1))
    identity = _identity(recipe, corpus, device, precision)
    asked = resume
    resume = processes.from_first("resumes", lambda: _resumes(work, identity, output, resume=asked, force=force))
    if recipe.compile:
        say("trying torch.compile")
        require_compiler(device)
    metrics = compute_metrics(corpus.problem, recipe)
    training, validation = split(corpus.train, recipe.validation_share, recipe.seed)
    if not Path(recipe.model).is_dir():
        say(f"fetching {recipe.model} from the hub, or its cache")
    model, tokenizer = processes.in_turn("model", lambda: load_base(recipe, corpus.labels, say))
    if processes.first:
        show(model, tokenizer, corpus, len(validation))

    checkpoint = processes.from_first("checkpoint", lambda: _prepare(work, identity, resume=resume))
    if recipe.compile:
        compile_model(model)
    bar = TrainingBar(console, recipe.metric)
    trainer_class = transformers.Trainer if processes.count == 1 else SharingTrainer
    share = replace(recipe, batch_size=recipe.batch_size // processes.count)
    with (
        processes.telling("model folder"),
        _interruptible(bar, work),
        compiling(device) if recipe.compile else nullcontext(),
    ):
        trainer = trainer_class(
            model=model,
            args=training_arguments(share, work / _CHECKPOINTS, device, precision, validate=bool(validation)),
            train_dataset=tokenize(training, tokenizer, recipe.max_length, corpus.problem),
            eval_dataset=tokenize(validation, tokenizer, recipe.max_length, corpus.problem) if validation else None,
            processing_class=tokenizer,
            data_collator=_collator(tokenizer, recipe),
            compute_metrics=metrics,
            callbacks=[EpochClock(), bar],
        )
        trainer.remove_callback(transformers.PrinterCallback)
        say(f"training on {trained_on}")
        reset_peak_memory(device)
        trainer.train(resume_from_checkpoint=checkpoint)
        if not processes.first:
            processes.hear("model folder")
            part()
            return None
        epochs = epochs_from_log(trainer.state.log_history, reported(recipe))
        model.save_pretrained(work)  # fp32: lower precisions are autocast's, step by step
        tokenizer.save_pretrained(work)
        (work / "model.safetensors").chmod((work / "config.json").stat().st_mode)  # written for the owner alone
        holdouts = evaluate_folder(work, corpus.holdouts, corpus.problem, recipe.max_length, device)
        run = Run(
            output,
            epochs,
            kept_epoch(epochs, recipe.keep, recipe.metric),
            recipe.metric,
            holdouts,
            time.perf_counter() - started,
            training_remark(epochs),
            trained_on,
            len(training) * len(epochs) / sum(epoch.training_seconds for epoch in epochs),
            peak_memory_mib(device),
        )
        record = training_record(run, recipe, corpus, device, precision, processes.count, model)
        (work / TRAINING).write_text(record, encoding="utf-8")
        write_pictures(work, run)
        lengths = length_bins(token_lengths(corpus.train, tokenizer))
        (work / "training.html").write_text(training_page(run, recipe, corpus, lengths), encoding="utf-8")
        _clean(work)
        publish_folder(work, output)
    part()
    return run


def _require_shares(batch_size: int, processes: int) -> None:
    if batch_size % processes:
        raise UsageError(
            f"--batch-size {batch_size}: {processes} processes share a batch equally; give a multiple of {processes}"
        )


def _collator(tokenizer: Any, recipe: Recipe) -> Any:
    padding = "max_length" if recipe.pad_to_max_length else "longest"
    return transformers.DataCollatorWithPadding(tokenizer, padding=padding, max_length=recipe.max_length)


def _identity(recipe: Recipe, corpus: Corpus, device: str, precision: str) -> dict[str, Any]:
    """All that decides what a run gives, as JSON gives it back."""
    identity = asdict(recipe) | {
        "corpus": corpus.sha256,
        "table": asdict(corpus.spec),
        "labels": corpus.labels,
        "device": device.partition(":")[0],  # whichever card is free may go on
        "precision": precision,
    }
    return dict(json.loads(json.dumps(identity)))


def _resumes(work: Path, identity: dict[str, Any], output: Path, *, resume: bool, force: bool) -> bool:
    """Whether the unfinished run is to go on; BertlineError where the output is taken, or by another run."""
    unfinished = (work / _RUN).is_file()
    if unfinished and not resume and not force:
        raise BertlineError(f"{work}: left by an unfinished run; go on with --resume, or start afresh with --force")
    free = not output.exists() or (output.is_dir() and not any(output.iterdir()))
    check_output(output, force=force or (resume and unfinished and free))
    if not (unfinished and resume):
        return False
    found = json.loads((work / _RUN).read_text(encoding="utf-8"))
    differing = [
        f"{name} was {found.get(name)} and is now {value}"
        for name, value in identity.items()
        if found.get(name) != value
    ]
    if differing:
        raise BertlineError(
            f"{work}: --resume needs the same run, but {'; '.join(differing)}; "
            "give the same options, or start afresh with --force in place of --resume"
        )
    return True


def _prepare(work: Path, identity: dict[str, Any], *, resume: bool) -> str | None:
    """Make the work folder, or find the checkpoint to go on from and remove those that were cut short."""
    import shutil

    if not resume:
        if work.exists():
            shutil.rmtree(work)
        work.mkdir()
        write_whole(work / _RUN, json.dumps(identity, indent=1) + "\n")
    whole = {}
    for checkpoint in (work / _CHECKPOINTS).glob("checkpoint-*"):
        if all((checkpoint / name).is_file() for name in _CHECKPOINT) and any(
            (checkpoint / name).is_file() for name in RANDOM_STATES
        ):
            whole[int(checkpoint.name.removeprefix("checkpoint-"))] = str(checkpoint)
        else:
            shutil.rmtree(checkpoint)
    if not whole:
        return None
    last = Path(whole[max(whole)])
    serve_any_count(last)
    _name_best_here(last)
    return str(last)


def _name_best_here(checkpoint: Path) -> None:
    """The best checkpoint stands beside this one: where it was before a move, the Trainer would miss it."""
    path = checkpoint / "trainer_state.json"
    state = json.loads(path.read_text(encoding="utf-8"))
    if state["best_model_checkpoint"]:
        state["best_model_checkpoint"] = str(checkpoint.parent / Path(state["best_model_checkpoint"]).name)
        write_whole(path, json.dumps(state, indent=1) + "\n")


@contextmanager
def _interruptible(bar: TrainingBar, work: Path) -> Any:
    """Leave what can be resumed, and say so; the terminal is left clean in any case."""
    try:
        yield
    except KeyboardInterrupt:
        raise KeyboardInterrupt(
            f"the finished epochs are kept in {work}; go on with the same command and --resume"
        ) from None
    except torch.OutOfMemoryError:
        raise BertlineError(
            f"{work}: the device's memory is full; start afresh with --force and a smaller --batch-size or "
            "--max-length, or go on with --resume when nothing else runs on it"
        ) from None
    except RuntimeError as error:
        if not lost_another(error):
            raise
        raise BertlineError(
            f"another process of this run has ended; the finished epochs are kept in {work}; go on with the same "
            "command and --resume"
        ) from None
    finally:
        bar.stop()


def _clean(work: Path) -> None:
    """Remove what only an unfinished run needs: checkpoints hold optimizer state that is no safetensors."""
    import shutil

    shutil.rmtree(work / _CHECKPOINTS)
    (work / _RUN).unlink()


def file_sizes(folder: Path) -> Sequence[tuple[str, int]]:
    """Name and bytes of each file of a model folder, largest first."""
    return sorted(((file.name, file.stat().st_size) for file in folder.iterdir()), key=lambda item: -item[1])
