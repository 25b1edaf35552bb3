"""The README's commands, as tests run them: fenced `bash` blocks, each tagged by what it needs."""

import re
import shlex
from pathlib import Path

README = Path(__file__).parent.parent / "README.md"
TAGS = {
    "setup",  # make targets and pip: CI runs them as a whole
    "cola",  # the corpus and the encoder in the current folder
    "tiny",  # a bundle and a table of the reader's own, which any model can stand for
    "network",
}
_BLOCK = re.compile(r"^```bash *(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)


def blocks() -> list[tuple[str, str]]:
    """Tag and text of each fenced bash block, in order."""
    return _BLOCK.findall(README.read_text(encoding="utf-8"))


def commands(tag: str) -> list[list[str]]:
    """The arguments of each `bertline` command in the blocks of that tag, in order."""
    lines = [line for found, text in blocks() if found == tag for line in text.replace("\\\n", " ").splitlines()]
    parsed = [shlex.split(line, comments=True) for line in lines]
    return [words[1:] for words in parsed if words[:1] == ["bertline"]]
