"""The root of the command line: the stations' commands, and what their errors become."""

import os
import sys
from pathlib import Path
from typing import Annotated

import typer
from typer.main import get_command

import bertline
from benchmarks.cli import benchmark
from bertline import options
from bertline.errors import BertlineError
from export.cli import export
from finetune.cli import finetune
from infer.cli import infer, info
from infer.threshold_cli import threshold
from infer.verify_cli import sign, verify
from infer.web_cli import web

_EXTRA_OF = {
    "onnxruntime": "cpu",
    "torch": "train",
    "transformers": "train",
    "accelerate": "train",
    "onnx": "export",
    "onnxscript": "export",
    "nncf": "int8",
    "openvino": "openvino",
    "openvino_tokenizers": "openvino",
    "model_signing": "sign",
    "cryptography": "sign",
    "OpenSSL": "sign",
}

app = typer.Typer(
    name="bertline",
    help="A production line for BERT sentence classifiers: fine-tune, export to ONNX, score files, report.",
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


for command in (finetune, export, verify, sign, threshold, infer, info, web):
    app.command()(command)
app.add_typer(benchmark, name="benchmark")


def run(arguments: list[str] | None = None) -> int:
    """Run the command line (default: the process's own); returns the exit code, one line on stderr for an error."""
    arguments = (sys.argv[1:] if arguments is None else arguments) or ["--help"]
    debug = "--debug" in arguments
    command = get_command(app)
    try:
        # Not app(arguments): typer would turn Ctrl-C and a closed pipe into exit codes without a word.
        with command.make_context("bertline", list(arguments), obj=tuple(arguments)) as context:
            command.invoke(context)
        if sys.stdout is not None:
            sys.stdout.flush()  # a full disk behind stdout is an error with a line of its own, not one at exit
        return 0
    except BertlineError as error:
        if debug:
            raise
        return _fail(str(error), error.exit_code)
    except typer.Exit as end:
        return end.exit_code
    except typer.TyperException as error:  # of these, only usage errors are raised outside of prompts
        where = getattr(error, "ctx", None)
        name = where.command_path if where else "bertline"
        return _fail(f"{error.format_message().removesuffix('.')}; see {name} --help", 2)
    except KeyboardInterrupt as interrupt:
        return _fail(f"interrupted; {interrupt}" if str(interrupt) else "interrupted", 130)
    except BrokenPipeError:
        _drop_stdout()  # its reader went away, as `head` does: nothing is left to say
        return 1
    except ModuleNotFoundError as error:
        extra = _EXTRA_OF.get((error.name or "").split(".")[0])
        if debug or extra is None:
            raise
        return _fail(f"{error.name} is not installed; pip install 'bertline[{extra}]'", 1)
    except OSError as error:
        if debug or (error.filename is None and error.errno is None):
            raise
        if error.filename is None:
            _drop_stdout()  # it may be the one that failed
        where = f"{error.filename}: " if error.filename else ""
        return _fail(f"{where}{error.strerror or error}; check the disk's space and permissions", 1)


def _fail(message: str, code: int) -> int:
    line = " ".join(message.split())
    if sys.stderr is not None:
        # Names come from the user's files: none may send the terminal a command.
        print("bertline:", "".join(c if c.isprintable() else repr(c)[1:-1] for c in line), file=sys.stderr)
    return code


def _drop_stdout() -> None:
    """Send what is still buffered nowhere, so that Python does not stumble over it at exit."""
    if sys.stdout is not None:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
