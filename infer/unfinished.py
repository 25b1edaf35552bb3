"""An output in the making: `OUTPUT.partial`, its rejected rows, and the journal that lets a later run go on."""

import fcntl
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from io import BufferedRandom, FileIO
from pathlib import Path
from typing import Any

from bertline.errors import BertlineError, UsageError
from bertline.files import NO_ROOM, check_output_file, partial_of
from infer.identity import differences
from infer.journal import Checkpoint, Journal


def journal_of(output: Path) -> Path:
    return output.with_name(output.name + ".journal")


def rejects_of(output: Path) -> Path:
    """Where the rows that were set aside stand, once the output is whole."""
    return output.with_name(output.name + ".rejects.tsv")


def files_of(output: Path) -> list[Path]:
    """All that a run writes, moves or removes, its report apart."""
    rejects = rejects_of(output)
    return [output, partial_of(output), journal_of(output), rejects, partial_of(rejects)]


def check_unfinished(output: Path, *, resume: bool, force: bool, inputs: list[Path]) -> None:
    """Refuse an output that could not be written, before any work is done; BertlineError says what stands there."""
    if resume and force:
        raise UsageError("--resume goes on with what stands there, and --force replaces it; give one of the two")
    partial, journal = partial_of(output), journal_of(output)
    for path in (output, journal_of(output), rejects_of(output)):
        check_output_file(path, force=True, inputs=inputs)
    if force:
        return
    if output.exists():
        if not resume:
            check_output_file(output)  # which says that the file exists
        return  # it is for the run to see whether this is its own output
    if resume and _is_untouched(output):
        return
    if partial.exists() and not journal.exists():
        raise BertlineError(f"{partial}: left by a run that cannot be gone on with; start over with --force")
    if partial.exists() and not resume:
        last = Journal.read(journal).last
        raise BertlineError(
            f"{partial}: an unfinished run, or one still going, has done {last.work['rows'] if last else 0:,} rows; "
            "go on with --resume, or start over with --force"
        )


def is_unfinished(output: Path, identity: dict[str, Any]) -> bool:
    """Whether a run of that `identity` stands unfinished beside an `output`: one that was to replace another run's,
    or that was killed at its very end.
    """
    if not (partial_of(output).is_file() and journal_of(output).is_file()):
        return False
    try:
        return not differences(Journal.read(journal_of(output)).identity, identity)
    except BertlineError:
        return False


def _is_untouched(output: Path) -> bool:
    """Whether a run was killed before it could write as much as its journal's head: there is nothing to lose."""
    partial = partial_of(output)
    return partial.is_file() and partial.stat().st_size == 0 and not journal_of(output).exists()


class Unfinished:
    """The files of one run, which no other run may write meanwhile. Make one with `start` or `resume`."""

    def __init__(self, output: Path, stream: FileIO, journal: Journal | None) -> None:
        self.output, self.journal = output, journal
        self.checkpoints = list(journal.checkpoints) if journal else []
        self._stream = stream
        self._rejects_partial = partial_of(rejects_of(output))
        self._rejects: FileIO | None = None

    @classmethod
    def start(cls, output: Path, identity: dict[str, Any] | None, *, force: bool) -> "Unfinished":
        """Begin with nothing; BertlineError where a run stands there and `force` is off, or is still going.

        Without an `identity` there is no journal, and the run cannot be resumed.
        """
        partial = partial_of(output)
        if output.exists() and not force:  # by another run, since `check_unfinished` looked
            check_output_file(output)
        if force and partial.exists():
            with partial.open("r+b") as former:
                _lock(former, partial, output)
                partial.unlink()
        try:
            stream = partial.open("x+b", buffering=0)
        except FileExistsError:
            raise BertlineError(f"{partial}: another run has begun to write it; let that one finish") from None
        _lock(stream, partial, output)
        partial_of(rejects_of(output)).unlink(missing_ok=True)
        journal_of(output).unlink(missing_ok=True)
        journal = None if identity is None else Journal(journal_of(output), identity)
        unfinished = cls(output, stream, journal)
        if journal:
            try:
                with unfinished._room():
                    journal.rewrite()
            except BaseException:
                unfinished.abandon()
                raise
        return unfinished

    @classmethod
    def resume(cls, output: Path, identity: dict[str, Any]) -> "Unfinished | None":
        """Go on behind the last checkpoint, or None where there is nothing to go on with.

        Raises BertlineError where that run was another than `identity` says, with the differences, or is still going.
        """
        partial, path = partial_of(output), journal_of(output)
        if _is_untouched(output):
            with partial.open("r+b") as former:
                _lock(former, partial, output)
                partial.unlink()
        if not (partial.is_file() and path.is_file()):
            return None
        stream = partial.open("r+b", buffering=0)
        _lock(stream, partial, output)
        journal = Journal.read(path)
        found = differences(journal.identity, identity)
        if found:
            raise BertlineError(
                f"{path}: is of another run: {'; '.join(found)}; run it as before, or start over with --force"
            )
        unfinished, last = cls(output, stream, journal), journal.last
        unfinished._cut(stream, partial, last.output_bytes if last else 0)
        if last and last.rejects_bytes:
            rejects = unfinished._rejects_partial
            if not rejects.exists() and rejects_of(output).exists():  # killed between the two renames at the end
                rejects_of(output).rename(rejects)
            unfinished._cut(unfinished._open_rejects(), rejects, last.rejects_bytes)
        else:
            unfinished._rejects_partial.unlink(missing_ok=True)
        journal.rewrite()  # without the end of a line that was not finished
        return unfinished

    def write(self, scored: bytes, rejects: bytes) -> tuple[int, int]:
        """Append scored and rejected rows, on disk when this returns; the lengths of both files in bytes."""
        with self._room():
            _append(self._stream, scored)
            if rejects:
                _append(self._open_rejects(), rejects)
        return self._stream.tell(), self._rejects.tell() if self._rejects else 0

    def record(self, checkpoint: Checkpoint) -> None:
        """Say that everything written so far belongs to finished windows."""
        if self.journal:
            with self._room():
                self.journal.append(checkpoint)

    def publish(self, finish: Callable[[Path, Path], None]) -> None:
        """Give the files their names; `finish` makes the output out of its partial file."""
        if self._rejects:
            self._rejects.close()
            self._rejects_partial.replace(rejects_of(self.output))
        elif rejects_of(self.output).exists():
            rejects_of(self.output).unlink()  # of an earlier run, whose output is replaced as well
        with self._room():
            finish(partial_of(self.output), self.output)
        if self.journal:
            self.journal.path.unlink(missing_ok=True)
        self._stream.close()

    def abandon(self, *, resumable: bool = True) -> str:
        """Close the files after an error: keep what can be gone on with, else remove them; a remark on what is kept.

        What is not `resumable` loses its journal only: the rows themselves may have taken hours.
        """
        self._stream.close()
        if self._rejects:
            self._rejects.close()
        if self._rows and self.journal:
            if resumable:
                return self._kept()
            self.journal.path.unlink()
            return f"what was scored is left in {partial_of(self.output)}"
        for path in (partial_of(self.output), self._rejects_partial, journal_of(self.output)):
            path.unlink(missing_ok=True)
        return ""

    @property
    def _rows(self) -> int:
        """Rows that a later run need not score again."""
        return int(self.journal.last.work["rows"]) if self.journal and self.journal.last else 0

    def _kept(self) -> str:
        return f"{self._rows:,} rows are done and kept, and the same command with --resume goes on"

    @contextmanager
    def _room(self) -> Iterator[None]:
        """BertlineError where the disk is full."""
        try:
            yield
        except OSError as error:
            if error.errno not in NO_ROOM:
                raise
            nothing = "" if self._rows else "nothing was written; "
            raise BertlineError(f"{self.output}: {error.strerror}; {nothing}free some space first") from None

    def _open_rejects(self) -> FileIO:
        if self._rejects is None:
            self._rejects = self._rejects_partial.open("a+b", buffering=0)
        return self._rejects

    @staticmethod
    def _cut(stream: FileIO, path: Path, size: int) -> None:
        if stream.seek(0, os.SEEK_END) < size:
            raise BertlineError(f"{path}: is shorter than its journal says; start over with --force")
        stream.truncate(size)
        stream.seek(size)


def _append(stream: FileIO, content: bytes) -> None:
    view = memoryview(content)
    while view:
        view = view[stream.write(view) :]
    os.fsync(stream.fileno())


def _lock(stream: FileIO | BufferedRandom, path: Path, output: Path) -> None:
    """Hold the file until it is closed, also by a kill; BertlineError where another run holds or has just ended it."""
    try:
        fcntl.flock(stream.fileno(), fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise BertlineError(f"{output}: another run is writing it at this moment; let that one finish") from None
    if not path.exists() or not os.path.samestat(path.stat(), os.fstat(stream.fileno())):
        raise BertlineError(f"{output}: another run has just ended there; look at it, and start again")
