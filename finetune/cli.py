"""`bertline finetune`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bertline import options
from finetune.recipe import PROBLEMS, Recipe

if TYPE_CHECKING:
    from rich.console import Console

    from finetune.train import Run

_DEFAULT = Recipe()


def finetune(
    corpus: Annotated[str, typer.Argument(help="cola, a folder or zip archive laid out like it, or a TSV file.")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Model folder.")],
    model: Annotated[str, typer.Option(help="Checkpoint to start from: a name or a folder.")] = _DEFAULT.model,
    epochs: Annotated[int, typer.Option()] = _DEFAULT.epochs,
    batch_size: Annotated[int, typer.Option(help="Rows.")] = _DEFAULT.batch_size,
    learning_rate: Annotated[float, typer.Option(help="AdamW; falls linearly to 0.")] = _DEFAULT.learning_rate,
    adam_epsilon: Annotated[float, typer.Option()] = _DEFAULT.adam_epsilon,
    warmup_steps: Annotated[int, typer.Option(help="Batches of rising learning rate.")] = _DEFAULT.warmup_steps,
    weight_decay: Annotated[float, typer.Option(help="Not on biases and LayerNorm weights.")] = _DEFAULT.weight_decay,
    max_grad_norm: Annotated[float, typer.Option(help="Gradients are clipped to it.")] = _DEFAULT.max_grad_norm,
    max_length: Annotated[int, typer.Option(help="Tokens a sentence is cut to.")] = _DEFAULT.max_length,
    validation_share: Annotated[float, typer.Option(help="Of the rows; 0 trains on all.")] = _DEFAULT.validation_share,
    seed: Annotated[int, typer.Option()] = _DEFAULT.seed,
    precision: Annotated[str, typer.Option(help="auto, fp32, bf16, fp16.")] = _DEFAULT.precision,
    keep: Annotated[str, typer.Option(help="best (by the validation metric) or last.")] = _DEFAULT.keep,
    problem: Annotated[
        str | None,
        typer.Option(
            help="What a row has: one label of several, any number of them (joined by commas), or a number. Else what "
            "the format says, or the base model; else single.",
            metavar="|".join(PROBLEMS),
        ),
    ] = None,
    metric: Annotated[
        str | None,
        typer.Option(
            help="What the best epoch goes by: mcc, accuracy, f1 (of the second label of two) or macro_f1; with "
            "multi-label micro_f1 or macro_f1; with regression pearson or spearman.",
            show_default="the format's, else the first",
        ),
    ] = None,
    pad_to_max_length: Annotated[
        bool, typer.Option("--pad-to-max-length", help="Fixed padding and random batches, as the notebook does.")
    ] = False,
    holdout: Annotated[Path | None, typer.Option(help="TSV to judge by; else CoLA's dev files.")] = None,
    labels: Annotated[str | None, typer.Option(help="Label names by id: a,b,c.", metavar="A,B,C")] = None,
    device: options.Device = "auto",
    compile: Annotated[
        bool, typer.Option("--compile/--no-compile", help="Train by torch.compile; it takes minutes to begin.")
    ] = False,
    text_column: options.TextColumn = None,
    pair_column: options.PairColumn = None,
    label_column: options.LabelColumn = None,
    columns: options.Columns = None,
    header: options.Header = None,
    format: options.Format = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an interrupted run.")] = False,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Fine-tune BERT on a corpus; the defaults are the notebook's recipe.

    Example: bertline finetune cola --model bert-base-uncased -o model

    Pairs with a number: bertline finetune train.tsv --format stsb --holdout dev.tsv -o model

    Several processes share each batch, one a card, with the same losses: torchrun --nproc-per-node 2 --no-python
    bertline finetune cola -o model
    """
    from dataclasses import replace
    from functools import partial

    from rich.console import Console

    from bertline.console import log_console, result_console
    from bertline.processes import Processes
    from bertline.tsv import TableSpec
    from finetune.corpus import load_corpus
    from finetune.label_names import remark_on
    from finetune.problem import resolve_metric, resolve_problem

    spec = TableSpec.from_options(
        format=format,
        header=header,
        columns=columns,
        text_column=text_column,
        pair_column=pair_column,
        label_column=label_column,
    )
    processes = Processes.from_environment()
    quiet = quiet or not processes.first
    log = log_console(quiet)
    say = partial(log.print, markup=False, emoji=False)
    problem_type = resolve_problem(problem, format, corpus, model, say)
    recipe = Recipe(
        model=model,
        max_length=max_length,
        validation_share=validation_share,
        batch_size=batch_size,
        learning_rate=learning_rate,
        adam_epsilon=adam_epsilon,
        warmup_steps=warmup_steps,
        epochs=epochs,
        max_grad_norm=max_grad_norm,
        weight_decay=weight_decay,
        seed=seed,
        precision=precision,
        keep=keep,
        problem_type=problem_type,
        metric=resolve_metric(metric, format, problem_type),
        pad_to_max_length=pad_to_max_length,
        compile=compile,
    )
    names = [name.strip() for name in labels.split(",")] if labels else None
    with _download_bar(log) as progress:
        loaded = processes.in_turn(
            "corpus",
            lambda: load_corpus(
                corpus, spec, problem_type=problem_type, labels=names, holdout=holdout, progress=progress
            ),
        )
    remark = remark_on(loaded.labels, problem_type)
    if remark:
        say(remark)
    recipe = replace(
        recipe,
        text_column=loaded.spec.text_column or recipe.text_column,
        pair_column=loaded.spec.pair_column,
        label_column=loaded.spec.label_column or recipe.label_column,
    )

    from finetune.overview import show_overview
    from finetune.train import finetune as train

    console = Console(quiet=True) if quiet else result_console()
    run = train(
        loaded,
        recipe,
        output,
        device=device,
        resume=resume,
        force=force,
        console=log,
        show=lambda model, tokenizer, corpus, rows: show_overview(console, recipe, corpus, model, tokenizer, rows),
        processes=processes,
    )
    if run:
        _show_run(result_console(), run)


def _show_run(console: "Console", run: "Run") -> None:
    from rich.table import Table

    from bertline.console import file_size
    from bertline.metrics import METRIC_NAMES
    from finetune.epochs import table_head, table_row
    from finetune.metrics import told
    from finetune.train import file_sizes

    plain: dict[str, Any] = {"markup": False, "emoji": False, "soft_wrap": True}  # names and paths as they stand
    table = Table(title="training", title_justify="left", box=None)
    for name in (*table_head(run.epochs), "training", "validation"):
        table.add_column(name, justify="right")
    for epoch in run.epochs:
        seconds = (epoch.training_seconds, epoch.validation_seconds)
        table.add_row(
            f"{epoch.epoch}{' (kept)' if epoch.epoch == run.kept_epoch else ''}",
            *table_row(epoch),
            *("–" if value is None else f"{value:.1f} s" for value in seconds),
        )
    console.print(table)
    if run.remark:
        console.print(run.remark)
    for name, evaluation in run.holdouts.items():
        summary, chosen = evaluation.summary(), f", {METRIC_NAMES[run.metric]} {told(evaluation, run.metric)}"
        console.print(f"holdout {name}: {summary}{'' if chosen in summary else chosen}", **plain)
    memory = "" if run.peak_device_memory_mib is None else f", {run.peak_device_memory_mib:,.0f} MiB on the card"
    console.print(f"trained on {run.trained_on}: {run.rows_per_second:,.0f} rows/s{memory}", **plain)
    console.print(f"total {run.seconds:.0f} s; wrote {run.folder}:", **plain)
    for name, size in file_sizes(run.folder):
        console.print(f"  {file_size(size):>10}  {name}", **plain)
    console.print(f"next: bertline export {run.folder} -o bundle", **plain)


def _download_bar(console: "Console") -> Any:
    """A bar that appears with the first byte of a download, and not before."""
    from contextlib import contextmanager

    from rich.progress import DownloadColumn

    from bertline.console import progress_bar

    @contextmanager
    def bar() -> Any:
        with progress_bar(console, DownloadColumn()) as progress:
            tasks: list[Any] = []

            def advance(done: int, total: int | None) -> None:
                if not tasks:
                    tasks.append(progress.add_task("fetching CoLA", total=total))
                progress.update(tasks[0], completed=done, total=total)

            yield advance

    return bar()
