"""The INPUT arguments of the command line: files, folders, globs and stdin, as one list of files in order."""

import glob
from collections.abc import Sequence
from pathlib import Path

from bertline.compression import compression_of
from bertline.errors import BertlineError
from bertline.tsv import require_input

STDIN = Path("-")
PARQUET = ".parquet"
TEXT_ENDINGS = (".tsv", ".txt", ".tab")  # each alone, or with .gz or .zst behind
LEFT_BY_RUNS = (
    ".report.json",
    ".report.html",
    ".rejects.tsv",
    ".journal",
    ".partial",
    ".new",
)  # no tables


def expand(arguments: Sequence[Path]) -> list[Path]:
    """The files that the arguments name, in the order given; those of a folder or a glob sorted by name.

    A file of any ending is itself; a folder stands for the tables right in it, by their endings; a glob is what
    holds `*`, `?` or `[` and is no file. Files that runs leave beside their output are no tables. Raises
    BertlineError where an argument stands for nothing.
    """
    return [path for argument in arguments for path in _expanded(argument)]


def is_parquet(path: Path) -> bool:
    """Whether a file of that name is read, or written, as Parquet."""
    return path.suffix.lower() == PARQUET


def _expanded(argument: Path) -> list[Path]:
    if argument == STDIN:
        return [argument]
    if argument.is_dir():
        try:
            found = [path for path in argument.iterdir() if path.is_file() and is_table(path)]
        except PermissionError:
            raise BertlineError(f"{argument}: the folder may not be read; allow it with chmod u+rx") from None
        if not found:
            endings = ", ".join((*TEXT_ENDINGS, PARQUET))
            raise BertlineError(f"{argument}: the folder holds no table ({endings}, also .gz and .zst); name a file")
        return sorted(found, key=str)
    if set("*?[") & set(str(argument)) and not argument.exists():
        matches = map(Path, glob.glob(str(argument)))  # noqa: PTH207 - Path.glob finds hidden files, too
        found = [path for path in matches if path.is_file() and not is_left_by_run(path)]
        if not found:
            raise BertlineError(f"{argument}: no file has such a name; check the pattern, and the folder it is in")
        return sorted(found, key=str)
    require_input(argument)
    return [argument]


def is_table(path: Path) -> bool:
    name = path.name.lower()
    ending = (path.with_suffix("") if compression_of(path) else path).suffix.lower()
    known = ending in TEXT_ENDINGS or name.endswith(PARQUET)
    return known and not name.startswith(".") and not is_left_by_run(path)


def is_left_by_run(path: Path) -> bool:
    return path.name.endswith(LEFT_BY_RUNS)
