"""The root of the command line: one line for every error, and the code that goes with it."""

import errno
import subprocess
import sys
from collections.abc import Callable

import pytest
import typer
from typer.main import get_command

import bertline
from bertline import cli as root
from bertline.errors import BertlineError, UsageError, VerificationError
from tests.conftest import Cli


def raising(error: BaseException) -> Callable[..., None]:
    def command() -> None:
        raise error

    return command


@pytest.fixture
def fail_with(monkeypatch: pytest.MonkeyPatch) -> Callable[[BaseException], None]:
    """Make `bertline fail` a command that raises."""

    def install(error: BaseException) -> None:
        app = typer.Typer()
        app.callback()(root._root)
        app.command("fail")(raising(error))
        monkeypatch.setattr(root, "app", app)

    return install


@pytest.mark.parametrize(
    ("error", "code", "line"),
    [
        (BertlineError("t.tsv: is bad;\nmend it"), 1, "t.tsv: is bad; mend it"),
        (BertlineError("\x1b[2J\u202e é"), 1, "\\x1b[2J\\u202e é"),
        (UsageError("--a and --b"), 2, "--a and --b"),
        (VerificationError("changed"), 3, "changed"),
        (KeyboardInterrupt(), 130, "interrupted"),
        (KeyboardInterrupt("go on with --resume"), 130, "interrupted; go on with --resume"),
        (PermissionError(errno.EACCES, "Permission denied", "t.tsv"), 1, "t.tsv: Permission denied; check the disk's"),
        (ModuleNotFoundError(name="torch.nn"), 1, "torch.nn is not installed; pip install 'bertline[train]'"),
        (ModuleNotFoundError(name="onnxruntime"), 1, "onnxruntime is not installed; pip install 'bertline[cpu]'"),
    ],
    ids=lambda value: type(value).__name__ if isinstance(value, BaseException) else None,
)
def test_an_error_is_one_line_and_its_code(
    cli: Cli, fail_with: Callable[[BaseException], None], error: BaseException, code: int, line: str
) -> None:
    fail_with(error)
    outcome = cli("fail")
    assert (outcome.code, outcome.out) == (code, "")
    assert outcome.err.startswith(f"bertline: {line}") and outcome.err.count("\n") == 1


def test_debug_shows_the_traceback(cli: Cli, fail_with: Callable[[BaseException], None]) -> None:
    fail_with(BertlineError("bad"))
    with pytest.raises(BertlineError):
        cli("--debug", "fail")


@pytest.mark.parametrize("error", [ZeroDivisionError(), ModuleNotFoundError(name="bertline.nowhere")])
def test_a_mistake_of_ours_is_not_dressed_up(
    cli: Cli, fail_with: Callable[[BaseException], None], error: Exception
) -> None:
    fail_with(error)
    with pytest.raises(type(error)):
        cli("fail")


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["--nonsense"], "No such option: --nonsense"),
        (["infer"], "Missing argument 'BUNDLE'; see bertline infer --help"),
        (["infer", "b", "t.tsv"], "Missing option '--output' / '-o'; see bertline infer --help"),
        (["benchmark"], "Missing command; see bertline benchmark --help"),
    ],
)
def test_wrong_usage_is_one_line_with_the_command_to_ask(cli: Cli, arguments: list[str], message: str) -> None:
    outcome = cli(*arguments)
    assert (outcome.code, outcome.out) == (2, "")
    assert message in outcome.err and outcome.err.count("\n") == 1


def test_help_and_version(cli: Cli) -> None:
    assert cli("--version").out == f"bertline {bertline.__version__}\n"
    assert cli().out == cli("--help").out == cli("-h").out
    for command in ("demo", "finetune", "export", "verify", "infer", "info"):
        outcome = cli(command, "--help")
        assert outcome.code == 0 and f"Example: bertline {command}" in " ".join(outcome.out.split())


def test_it_is_a_module_as_well() -> None:
    done = subprocess.run([sys.executable, "-m", "bertline", "nonsense"], capture_output=True, text=True)
    assert done.returncode == 2 and done.stderr.count("\n") == 1


def test_no_help_text_has_words_that_are_taken_for_markup() -> None:
    def texts(command: typer.core.TyperCommand | typer.core.TyperGroup) -> list[str]:
        below = getattr(command, "commands", {}).values()
        own = [option.help or "" for option in command.params if hasattr(option, "help")]
        return [command.help or "", *own, *(text for one in below for text in texts(one))]

    found = texts(get_command(root.app))
    assert len(found) > 50
    assert [text for text in found if "[" in text] == []  # rich drops what stands in brackets
