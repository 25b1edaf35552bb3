"""`bertline export`."""

from pathlib import Path
from typing import Annotated

import typer

from bertline import options


def export(
    model_dir: Annotated[Path, typer.Argument(help="Model folder, from bertline finetune.", metavar="MODEL_DIR")],
    output: Annotated[Path, typer.Option("--output", "-o", help="Bundle folder.")],
    verify_on: Annotated[
        list[Path] | None, typer.Option(help="TSV files whose rows must score the same; may be repeated.")
    ] = None,
    variants: Annotated[
        str, typer.Option(help="What to make: fp32 always; fp16, quantized, int8, cuda-fp16, bf16.")
    ] = "fp32",
    calibrate_on: Annotated[
        list[Path] | None, typer.Option(help="TSV files with rows to calibrate int8 on; may be repeated.")
    ] = None,
    max_flips: Annotated[
        float | None,
        typer.Option(
            min=0,
            max=1,
            help="Share of rows whose label a variant may change; default 0.005, for int8 0.01, for cuda-fp16 0.002.",
        ),
    ] = None,
    max_mcc_drop: Annotated[
        float,
        typer.Option(
            min=0, max=2, help="MCC, micro F1 or Pearson that a variant may lose; of numbers, also 1 - concordance."
        ),
    ] = 0.01,
    runtimes: Annotated[
        str | None,
        typer.Option(
            help="Consumers to put into the bundle: python-lean, openvino-python, cpp, node, web, triton.",
            metavar="NAME,NAME",
        ),
    ] = None,
    text_column: options.TextColumn = None,
    pair_column: options.PairColumn = None,
    label_column: options.LabelColumn = None,
    columns: options.Columns = None,
    header: options.Header = None,
    format: options.Format = None,
    threads: options.Threads = None,
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """Export a model folder to an ONNX bundle, and prove that it gives the same answers.

    Exit code 3, and no bundle, where it does not. Example:
    bertline export model -o bundle --verify-on dev.tsv --format cola
    """
    from bertline.console import log_console
    from bertline.tsv import TableSpec
    from export.bundling import export_bundle

    spec = TableSpec.from_options(
        format=format,
        header=header,
        columns=columns,
        text_column=text_column,
        pair_column=pair_column,
        label_column=label_column,
    )
    console = log_console(quiet)
    export_bundle(
        model_dir,
        output,
        verify_on or [],
        spec,
        variants=[name.strip() for name in variants.split(",")],
        calibrate_on=calibrate_on or [],
        max_flips=max_flips,
        max_mcc_drop=max_mcc_drop,
        runtimes=runtimes,
        threads=threads,
        force=force,
        say=lambda line: console.print(line, markup=False, emoji=False),
    )
