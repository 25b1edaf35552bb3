"""The root of the command line: the stations' commands, and what their errors become."""

import os
import sys
from pathlib import Path
from typing import Annotated

import click
import typer

import bertline
from benchmarks.cli import benchmark
from bertline import options
from bertline.errors import BertlineError
from export.cli import export
from finetune.cli import finetune
from infer.cli import infer, info, verify

_EXTRA_OF = {
    "onnxruntime": "cpu",
    "torch": "train",
    "transformers": "train",
    "accelerate": "train",
    "onnx": "export",
    "onnxscript": "export",
}

app = typer.Typer(
    name="bertline",
    help="A production line for BERT sentence classifiers: fine-tune, export to ONNX, score files, report.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"bertline {bertline.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    debug: Annotated[bool, typer.Option("--debug", help="Show the traceback of an error.")] = False,
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Show the version.")
    ] = False,
) -> None:
    pass


@app.command()
def demo(
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder.")] = Path("artifacts/demo"),
    force: options.Force = False,
    quiet: options.Quiet = False,
) -> None:
    """The whole line on a built-in corpus, offline: make, train, export, verify, score, time, report.

    Example: bertline demo -o artifacts/demo
    """
    from bertline.demo import run_demo

    run_demo(output, force=force, quiet=quiet)


for command in (finetune, export, verify, infer, info):
    app.command()(command)
app.add_typer(benchmark, name="benchmark")


def run(arguments: list[str] | None = None) -> int:
    """Run the command line (default: the process's own); returns the exit code, one line on stderr for an error."""
    arguments = sys.argv[1:] if arguments is None else arguments
    debug = "--debug" in arguments
    try:
        code = app(arguments, standalone_mode=False)
    except BertlineError as error:
        if debug:
            raise
        return _fail(str(error), error.exit_code)
    except click.exceptions.Exit as end:
        return end.exit_code
    except click.UsageError as error:
        command = error.ctx.command_path if error.ctx else "bertline"
        return _fail(f"{error.format_message()} See {command} --help.", 2)
    except (KeyboardInterrupt, click.Abort) as interrupt:
        return _fail(f"interrupted; {interrupt}" if str(interrupt) else "interrupted", 130)
    except BrokenPipeError:
        # The reader of our stdout went away, as `head` does; nothing is left to say, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except ModuleNotFoundError as error:
        extra = _EXTRA_OF.get((error.name or "").split(".")[0])
        if debug or extra is None:
            raise
        return _fail(f"{error.name} is not installed; pip install 'bertline[{extra}]'", 1)
    except OSError as error:
        if debug or (error.filename is None and error.errno is None):
            raise
        where = f"{error.filename}: " if error.filename else ""
        return _fail(f"{where}{error.strerror or error}; check the disk's space and permissions", 1)
    return int(code or 0)


def _fail(message: str, code: int) -> int:
    print(f"bertline: {' '.join(message.split())}", file=sys.stderr)
    return code
