"""The terminal: results on stdout, everything else on stderr, bars only where a person looks."""

from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

MEBIBYTE = 2**20
_RESULT_WIDTH = 110  # columns, where stdout is no terminal


def result_console() -> Console:
    """Where results are printed. Not a terminal: plain text, wide enough for the tables."""
    console = Console(highlight=False)
    return console if console.is_terminal else Console(highlight=False, width=_RESULT_WIDTH)


def log_console(quiet: bool = False) -> Console:
    """Where progress and remarks go: stderr, or nowhere with `quiet`."""
    return Console(stderr=True, highlight=False, quiet=quiet, soft_wrap=True)


def progress_bar(console: Console, *columns: ProgressColumn) -> Progress:
    """A bar with elapsed and remaining time; `columns` come between. It shows only on a terminal."""
    return Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        *columns,
        TimeElapsedColumn(),
        TextColumn("elapsed"),
        _Remaining(),
        console=console,
        disable=console.quiet or not console.is_terminal,
    )


class _Remaining(TimeRemainingColumn):
    """The remaining time with its word, or nothing while there is no knowing."""

    def render(self, task: Task) -> Text:
        return Text(f"{super().render(task)} left" if task.time_remaining is not None else "")


def file_size(size: int) -> str:
    """Bytes as a person reads them: 91.6 MB (decimal, as shops and `ls --si` count)."""
    if size < 1000:
        return f"{size} B"
    value = float(size)
    for unit in ("kB", "MB", "GB", "TB"):
        value /= 1000
        if value < 1000 or unit == "TB":
            break
    return f"{value:,.1f} {unit}"
