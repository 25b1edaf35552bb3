"""`bertline infer` and `info`."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from bertline import options
from bertline.console import log_console

if TYPE_CHECKING:
    from rich.console import Console

    from infer.fleet import Fleet
    from infer.scorer import Scorer

_MOST_BATCH_TOKENS = 2**20

BundlePath = Annotated[Path, typer.Argument(help="Bundle folder, from bertline export.", metavar="BUNDLE")]


def infer(
    bundle: BundlePath,
    inputs: Annotated[
        list[str],
        typer.Argument(help="Tables: .tsv, .gz, .zst, .parquet; folders, globs; or - for stdin.", metavar="INPUT..."),
    ],
    output: Annotated[
        str, typer.Option("--output", "-o", help="Scored file, by its ending; FOLDER/ for one per input; - for stdout.")
    ],
    device: options.Device = "auto",
    devices: Annotated[
        str | None, typer.Option(help="Several, a process each: all, or cuda:0,cuda:1.", metavar="all|D,D")
    ] = None,
    variant: options.VariantName = "auto",
    provider: options.Provider = "auto",
    threads: options.Threads = None,
    max_length: Annotated[int | None, typer.Option(help="Tokens a text is cut to; else the bundle's.")] = None,
    batch_tokens: Annotated[
        str | None,
        typer.Option(
            help="Tokens in one batch, or auto: the fastest, tried out first.",
            metavar="auto|N",
            show_default="2048, on CUDA 16384",
        ),
    ] = None,
    window: Annotated[
        int | None,
        typer.Option(min=1, help="Rows held in memory and sorted by length.", show_default="8192, on CUDA 32768"),
    ] = None,
    dedupe: Annotated[bool, typer.Option("--dedupe/--no-dedupe", help="Score equal texts once.")] = True,
    text_column: options.TextColumn = None,
    pair_column: options.PairColumn = None,
    label_column: options.LabelColumn = None,
    labels: Annotated[bool, typer.Option("--labels/--no-labels", help="Report metrics where there are labels.")] = True,
    columns: options.Columns = None,
    header: options.Header = None,
    format: options.Format = None,
    on_error: Annotated[
        str, typer.Option(help="A bad row: fail stops, quarantine sets it aside.", metavar="fail|quarantine")
    ] = "fail",
    probabilities: Annotated[bool, typer.Option("--probabilities", help="Add prob_<label> columns.")] = False,
    logits: Annotated[bool, typer.Option("--logits", help="Add logit_<label> columns.")] = False,
    output_header: Annotated[
        bool, typer.Option("--output-header/--no-output-header", help="Write a header row.")
    ] = True,
    thresholds: Annotated[
        bool, typer.Option("--thresholds", help="Decide by the bundle's thresholds, from bertline threshold.")
    ] = False,
    report: Annotated[Path | None, typer.Option(help="The report's name; else OUTPUT.report.json.")] = None,
    html: Annotated[bool, typer.Option("--html", help="Write OUTPUT.report.html as well.")] = False,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with an unfinished run of the same command.")] = False,
    engine: Annotated[
        str,
        typer.Option(help="local: this process; ray: workers on a cluster, -o a folder of parts.", metavar="local|ray"),
    ] = "local",
    ray_address: Annotated[
        str | None,
        typer.Option(help="HOST:PORT of a Ray cluster, or auto; else one on this machine.", metavar="ADDRESS"),
    ] = None,
    workers: Annotated[
        int | None,
        typer.Option(min=1, help="Ray: how many score.", show_default="a GPU or 4 CPUs each, as many as fit"),
    ] = None,
    part_rows: Annotated[
        int | None, typer.Option(min=1, help="Ray: rows of a part.", show_default="16 windows")
    ] = None,
    part_format: Annotated[
        str | None,
        typer.Option(help="Ray: how parts are written.", metavar="tsv|tsv.gz|jsonl|parquet", show_default="tsv"),
    ] = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Score tables: all their columns, then predicted_label and score, in the input's order.

    A bundle of several labels adds predicted_label and prob_<label>, one of numbers prediction.

    A run that is stopped or killed goes on with the same command and --resume.

    With --engine ray, inputs and -o may be URIs, such as s3://bucket/folder; -o gets part files and a manifest.

    Example: bertline infer bundle dev.tsv --format cola -o dev.scored.tsv --html

    Example: bertline infer bundle dev.tsv --format cola -o dev.parts --engine ray --workers 2
    """
    from contextlib import ExitStack

    from bertline.bundle import Bundle
    from bertline.errors import UsageError
    from bertline.tsv import TableSpec
    from infer.fleet import Fleet, devices_of
    from infer.inputs import expand
    from infer.jobs import plan_jobs
    from infer.output import OutputFormat
    from infer.pipeline import check_job, score_files
    from infer.scorer import Scorer
    from infer.summary import summary_of

    how_to: dict[str, Any] = dict(
        spec=TableSpec.from_options(
            format=format,
            header=header,
            columns=columns,
            text_column=text_column,
            pair_column=pair_column,
            label_column=label_column,
        ),
        form=OutputFormat(header=output_header, probabilities=probabilities, logits=logits),
        use_labels=labels,
        thresholds=thresholds,
        window_rows=window,
        dedupe=dedupe,
        tune=batch_tokens == "auto",
        on_error=on_error,
        resume=resume,
        force=force,
        html=html,
    )
    budget = _budget(batch_tokens)
    console = log_console(quiet)
    for_ray = {"ray_address": ray_address, "workers": workers, "part_rows": part_rows, "part_format": part_format}
    if engine == "ray":
        from infer.cluster.command import plan_cluster_job
        from infer.cluster.engine import score_on_cluster

        run = plan_cluster_job(
            inputs,
            output,
            report=report,
            devices=devices,
            device=device,
            part_format=part_format,
            how=how_to,
            part_rows=part_rows,
            workers=workers,
            address=ray_address,
            variant=variant,
            provider=provider,
            threads=threads,
            max_length=max_length,
            batch_tokens=budget,
        )
        opened = Bundle.open(bundle)
        with row_progress(console) as advance:
            result, _ = score_on_cluster(run, opened, lambda line: console.print(line, markup=False), advance)
        for line in summary_of(output, result):
            console.print(line, markup=False)
        return
    if engine != "local":
        raise UsageError(f"--engine {engine}: give local or ray")
    for option, value in for_ray.items():
        if value is not None:
            raise UsageError(f"--{option.replace('_', '-')} is for --engine ray; leave it out, or add that")
    for name in [*inputs, output]:
        if "://" in name and not Path(name).exists():
            raise UsageError(f"{name.partition('://')[0]}://…: is no file of this machine; --engine ray takes URIs")
    jobs = plan_jobs(expand([Path(name) for name in inputs]), output, report, **how_to)
    opened = Bundle.open(bundle)
    several: list[str] = []
    if devices is not None:
        from infer.fleet import devices_of  # brings multiprocessing, which one device does without

        several = devices_of(devices)
    if several and device != "auto":
        raise UsageError("--device names one, and --devices several; give one of the two")
    if several and batch_tokens == "auto":
        raise UsageError("--batch-tokens auto tries out one device; give a number, or leave out --devices")
    how: dict[str, Any] = {
        "variant": variant,
        "provider": provider,
        "threads": threads,
        "max_length": max_length,
        "batch_tokens": budget,
    }
    scorers: list[Scorer | Fleet] = []
    with ExitStack() as opened_for_all:

        def open_scorer() -> "Scorer | Fleet":
            if not scorers:
                if several:
                    from infer.fleet import Fleet

                    scorer: Scorer | Fleet = opened_for_all.enter_context(Fleet(opened, several, **how))
                else:
                    scorer = Scorer.open(opened, device=device, **how)
                _introduce(console, bundle, scorer)
                scorers.append(scorer)
            return scorers[0]

        for job in jobs:
            check_job(job)
        for job in jobs:
            with row_progress(console) as advance:
                result, _ = score_files(job, opened.manifest, open_scorer, advance)
            for line in summary_of(job.output, result):
                console.print(line, markup=False)


def info(
    path: Annotated[Path, typer.Argument(help="Bundle or model folder.", metavar="BUNDLE|MODEL_DIR")],
    as_json: Annotated[bool, typer.Option("--json", help="As JSON.")] = False,
) -> None:
    """What a bundle or a model folder is, in ten lines.

    Example: bertline info bundle
    """
    import json

    from infer.describe import describe

    facts = describe(path)
    if as_json:
        typer.echo(json.dumps(facts, indent=1, ensure_ascii=False))
        return
    width = max(map(len, facts))
    for name, value in facts.items():
        typer.echo(f"{name:<{width}}  {value}")


def _budget(option: str | None) -> int | None:
    """Tokens a batch; None: the device's default, with which `auto` begins."""
    from bertline.errors import UsageError

    if option in (None, "auto"):
        return None
    if not (option.isascii() and option.isdigit() and 0 < int(option) <= _MOST_BATCH_TOKENS):
        raise UsageError(f"--batch-tokens {option}: give auto, or a number from 1 to {_MOST_BATCH_TOKENS:,}")
    return int(option)


def _introduce(console: "Console", bundle: Path, scorer: "Scorer | Fleet") -> None:
    """What runs, and why."""
    if scorer.remark:
        console.print(scorer.remark, markup=False)
    choice = scorer.choice
    console.print(
        f"{bundle}: variant {scorer.variant} on {scorer.device} ({scorer.provider}), {scorer.threads} threads; "
        f"{choice.reason}; {choice.recorded_loss}",
        markup=False,
    )


def row_progress(console: "Console") -> Any:
    """A bar over the bytes of the inputs with the rows done; a context whose value is to be told of both."""
    from contextlib import contextmanager

    from rich.progress import TextColumn

    from bertline.console import progress_bar

    @contextmanager
    def bar() -> Any:
        with progress_bar(console, TextColumn("{task.fields[rows]:,} rows, {task.fields[rate]:,.0f}/s")) as progress:
            task = progress.add_task("scoring", total=None, rows=0, rate=0.0)

            def advance(rows: int, read: int, total: int | None) -> None:
                elapsed = progress.tasks[0].elapsed or 1e-9
                progress.update(task, completed=read, total=total, rows=rows, rate=rows / elapsed)

            try:
                yield advance
            except BaseException:
                progress.update(task, visible=False)  # an error stands alone
                raise

    return bar()
