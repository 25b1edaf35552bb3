"""Each peer's virtual environment: there as a whole or not at all, and named by what it was asked to hold."""

import fcntl
import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.peers.catalogue import SCRIPTS
from benchmarks.peers.process import PeerError
from bertline.errors import BertlineError
from bertline.files import whole_folder, write_whole

PROTOCOL = SCRIPTS / "protocol.py"
_IMPORT_SECONDS = 600  # to load the packages for the first time, from a cold disk
_KEY_LENGTH = 12  # hexadecimal digits


def default_folder() -> Path:
    """Where environments are kept unless told: a cache, since each can be made again."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "bertline" / "peers"


@dataclass(frozen=True)
class Environment:
    """A peer's environment, made or not; another requirements file or Python is another environment."""

    name: str
    folder: Path  # bin/python and the packages
    source: Path  # requirements.txt and peer.py

    @classmethod
    def of(cls, name: str, root: Path, scripts: Path = SCRIPTS) -> "Environment":
        """The environment of a peer below `root`; PeerError where its files are not here."""
        source = scripts / name
        requirements = source / "requirements.txt"
        if not requirements.is_file():
            raise PeerError("its files are not in the wheel; run bertline from a clone of its repository")
        held = requirements.read_bytes() + f"\0{sys.version_info[:2]}".encode()
        return cls(name, root / f"{name}-{hashlib.sha256(held).hexdigest()[:_KEY_LENGTH]}", source)

    @property
    def command(self) -> tuple[str | Path, ...]:
        """What serves the peer's ways; isolated from our variables, our packages and the folder we are in."""
        return self.folder / "bin" / "python", "-I", PROTOCOL, self.source / "peer.py"

    @property
    def log(self) -> Path:
        """What pip said."""
        return self._beside(".log")

    @property
    def missing(self) -> str | None:
        """Why it cannot be used, in one line; None where it is installed."""
        if self.folder.is_dir():
            return None
        failure = self._beside(".failed")
        if failure.is_file():
            return f"could not be installed: {failure.read_text(encoding='utf-8').strip()}"
        return f"not installed; bertline benchmark peers install {self.name}"

    def install(self, *, force: bool = False) -> None:
        """Make it, unless it is there; `force` makes it anew.

        Raises PeerError, and remembers why, where pip or the packages' own imports fail: nothing then stands under
        its name. BertlineError where another process is making it.
        """
        self.folder.parent.mkdir(parents=True, exist_ok=True)
        with _lock(self._beside(".lock"), self.name):
            if self.folder.is_dir() and not force:
                return
            failure = self._beside(".failed")
            failure.unlink(missing_ok=True)
            try:
                with whole_folder(self.folder, force=True) as partial:
                    self._fill(partial)
                    self._check_imports(partial)
            except PeerError as error:
                write_whole(failure, f"{error}\n")
                raise

    def _fill(self, partial: Path) -> None:
        """A virtual environment with the packages; its python finds them under another name, too, once it is moved."""
        python = partial / "bin" / "python"
        with self.log.open("wb") as log:
            for command in (
                (sys.executable, "-m", "venv", partial),
                (python, "-I", "-m", "pip", "install", "--no-input", "-r", self.source / "requirements.txt"),
            ):
                words = [str(word) for word in command]
                if subprocess.run(words, stdin=subprocess.DEVNULL, stdout=log, stderr=log).returncode:
                    raise PeerError(_reason(self.log))

    def _check_imports(self, partial: Path) -> None:
        """Start it and let it end: what it imports must be there and fit together."""
        command = [partial / "bin" / "python", *self.command[1:]]
        try:
            done = subprocess.run(command, input=b"", capture_output=True, timeout=_IMPORT_SECONDS)
        except subprocess.TimeoutExpired:
            raise PeerError(f"its packages are not imported within {_IMPORT_SECONDS} s") from None
        if done.returncode:
            with self.log.open("ab") as log:
                log.write(done.stderr)
            lines = done.stdout.splitlines()
            raise PeerError(str(json.loads(lines[-1])["error"]) if lines else f"ends with {done.returncode}")

    def _beside(self, ending: str) -> Path:
        return self.folder.with_name(self.folder.name + ending)


@contextmanager
def _lock(path: Path, name: str) -> Iterator[None]:
    """Hold it while the environment is made; it goes with the process, however that ends."""
    with path.open("wb") as stream:
        try:
            fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BertlineError(f"{name}: another process is installing it; let that one finish") from None
        yield


def _reason(log: Path) -> str:
    """What pip said first of an error, else its last line."""
    lines = [line.strip() for line in log.read_text("utf-8", "replace").splitlines() if line.strip()]
    errors = [line for line in lines if line.startswith("ERROR:")]
    return " ".join((errors[:1] or lines[-1:] or ["pip failed without a word"])[0].removeprefix("ERROR:").split())
