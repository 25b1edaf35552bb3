"""A consumer that is ready to run: what it must do to be measured, and how those do it that are programs."""

from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from benchmarks.runtimes.process import ending, run, shortened
from benchmarks.runtimes.result import Installed
from bertline.bundle import Bundle
from bertline.errors import BertlineError
from infer.selfcheck import Check

STEPS = ("hashes", "token ids", "logits", "padding")  # of a self-check, in this order
_MEGABYTE = 1e6


class Consumer(Protocol):
    """Every call starts it anew, and raises BertlineError where it fails, or takes too long."""

    @property
    def installed(self) -> Installed: ...

    def score(self, table: Path, output: Path, variant: str) -> None:
        """Write the scored table, with logits and token ids."""

    def self_check(self, variant: str) -> list[Check]:
        """The steps, as far as it came."""


@dataclass(frozen=True)
class Setting:
    """Where a consumer runs. What it leaves in the stack is undone at the end."""

    bundle: Bundle
    folder: Path  # its own in the bundle, absolute
    scratch: Path  # for what it makes
    timeout_seconds: float  # of one call
    stack: ExitStack


# Makes a consumer ready; BertlineError says why it cannot run here, and the next command.
Open = Callable[[Setting], Consumer]


@dataclass(frozen=True)
class Program:
    """A consumer with a command line."""

    installed: Installed
    command: tuple[str | Path, ...]  # in front of its arguments
    setting: Setting

    def score(self, table: Path, output: Path, variant: str) -> None:
        self._run("score", table, output, "--logits", "--token-ids", "--variant", variant)

    def self_check(self, variant: str) -> list[Check]:
        out = self._run("selfcheck", "--variant", variant, codes=(0, 3))
        steps = [(line[:6].strip(), line[8:18].strip(), line[19:]) for line in out.splitlines()]
        return [Check(name, verdict == "ok", finding) for verdict, name, finding in steps]

    def _run(self, *words: str | Path, codes: Sequence[int] = (0,)) -> str:
        """What it wrote to stdout."""
        bundle = self.setting.bundle.path.resolve()
        done = run([*self.command, *words, "--bundle", bundle], self.setting.timeout_seconds)
        if done.returncode not in codes:
            raise BertlineError(ending(done))
        return done.stdout


def failed_steps(checks: Sequence[Check]) -> str:
    """What failed of a self-check, empty where all of its steps are there and have passed."""
    failed = [f"{check.name}: {check.finding}" for check in checks if not check.passed]
    if not failed and tuple(check.name for check in checks) != STEPS:
        failed = [f"has the steps {', '.join(check.name for check in checks) or 'none'}, not {', '.join(STEPS)}"]
    return shortened("; ".join(failed))


def megabytes(*places: Path) -> float:
    """10^6 bytes of files, and of all files below folders; a file that has two names counts once."""
    files = {
        file.resolve()
        for place in places
        for file in (place.resolve().rglob("*") if place.is_dir() else [place])
        if file.is_file()
    }
    return sum(file.stat().st_size for file in files) / _MEGABYTE
