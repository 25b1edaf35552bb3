"""The options that mean the same in every command, as typer annotations."""

from typing import Annotated

import typer

from bertline.presets import PRESETS

Force = Annotated[bool, typer.Option("--force", help="Replace what stands under the output's name.")]
Quiet = Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no remarks on stderr.")]
Device = Annotated[str, typer.Option(help="auto, cpu, cuda, or cuda:N.")]
VariantName = Annotated[
    str, typer.Option("--variant", help="auto (the fastest that passed its gate), bf16, or a variant of the bundle.")
]
Provider = Annotated[str, typer.Option(help="What computes on the CPU: auto, cpu (onnxruntime's own), or openvino.")]
Threads = Annotated[
    int | None, typer.Option(min=1, max=1024, help="Threads to compute with; else the CPUs this process may use.")
]
Format = Annotated[
    str | None,
    typer.Option(
        help="The columns of a task: cola (no header; source, label, notes, sentence), or the GLUE benchmark's files.",
        metavar="|".join(PRESETS),
    ),
]
Header = Annotated[
    bool | None,
    typer.Option("--header/--no-header", help="Whether the first line names the columns.", show_default="header"),
]
Columns = Annotated[str | None, typer.Option(help="Names for a file without a header: a,b,c.", metavar="A,B,C")]
TextColumn = Annotated[str | None, typer.Option(help="Column with the text: a name or a 1-based position.")]
PairColumn = Annotated[str | None, typer.Option(help="Column with the second text of a pair.")]
LabelColumn = Annotated[
    str | None, typer.Option(help="Column with the label: a name or an id, names joined by commas, or a number.")
]
