"""The output folder: what may stand in it before a run, what a run keeps in it, and what it leaves."""

import errno
import fcntl
import json
import os
import re
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from bertline.errors import BertlineError, UsageError
from bertline.files import partial_of, sha256_of
from infer.cluster.names import (
    ENDINGS,
    MANIFEST,
    PAGE,
    REPORT,
    RUN,
    WORKING,
    done_name,
    part_name,
    rejects_name,
)
from infer.cluster.part import PartDone
from infer.cluster.places import LocalPlace, Place
from infer.identity import differences

SCHEMA = 1
_READERS = 16  # records read at once
_PART = re.compile(r"part-(\d{6,})\.json")


class OutputFolder:
    """Of one run. `check` first; then `begin`, and at the end `publish`."""

    def __init__(self, place: Place, *, resume: bool, force: bool) -> None:
        self.place, self.working = place, place / WORKING
        self.run = uuid.uuid4().hex
        self._resume, self._force = resume, force
        self._lock: int | None = None
        self._made = False  # whether the folder was not there before
        self._taken = False  # whether what goes on in it is this run's

    def check(self) -> None:
        """Refuse what cannot be written to, before any work is done; BertlineError says what stands there."""
        if self._resume and self._force:
            raise UsageError("--resume goes on with what stands there, and --force replaces it; give one of the two")
        place = self.place
        if place.state() is not None:
            raise BertlineError(f"{place.name}: is a file; --engine ray writes a folder of parts; name another -o")
        if isinstance(place, LocalPlace) and not place.path.parent.is_dir():
            parent = place.path.parent
            raise BertlineError(f"{place.name}: the folder {parent} does not exist; create it with mkdir -p {parent}")
        run, manifest = self._run(), self._manifest()
        self._require_no_others(run, manifest)
        if self._force:
            return
        if run and not self._resume:
            done = sum(_PART.fullmatch(name) is not None for name in self.working.names())
            raise BertlineError(
                f"{place.name}: an unfinished run, or one still going, has done {done:,} of {run['parts']:,} parts; "
                "go on with --resume, or start over with --force"
            )
        if manifest and not run and not self._resume:
            raise BertlineError(f"{place.name}: holds the parts of another run; name another -o, or --force to replace")

    def begin(self, identity: dict[str, Any], ending: str, parts: int) -> dict[int, PartDone] | None:
        """Take the folder for a run of that identity; the parts that are done already, or None where all is done.

        Raises BertlineError where another run holds it, or what is to be resumed is of another run.
        """
        self._made = not self.place.is_folder()
        self.place.make_folder()
        self._hold()
        run, manifest = self._run(), self._manifest()
        self._require_no_others(run, manifest)
        if self._resume and run:
            self._require_same(run, identity)
            self._taken, self.run = True, run["run"]
            self._note(identity, ending, parts)  # which may now set bad rows aside
            return self._done(parts)
        if self._resume and manifest:
            self._require_same(manifest, identity)
            return None
        if (run or manifest) and not self._force:
            raise BertlineError(f"{self.place.name}: another run has begun there since; look at it, and start again")
        self._taken = True
        self._clear(run, manifest)
        self.working.make_folder()
        self._note(identity, ending, parts)
        return {}

    def report(self) -> dict[str, Any]:
        """Of a run that is done."""
        try:
            document: dict[str, Any] = json.loads((self.place / REPORT).read())
        except (FileNotFoundError, ValueError):
            raise BertlineError(f"{self.place.name}: has a manifest and no report; start over with --force") from None
        return document

    def publish(self, report: dict[str, Any], page: str | None, manifest: dict[str, Any]) -> None:
        """Write report and page, and then the manifest, with which the output is whole."""
        (self.place / REPORT).write(_json(report))
        if page is not None:
            (self.place / PAGE).write(page.encode())
        (self.place / MANIFEST).write(_json({"schema": SCHEMA, "run": self.run, **manifest}))
        self.working.remove()

    def release(self) -> None:
        """Let others have the folder."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def abandon(self, parts: int) -> str:
        """After an error: keep the parts that are done, or leave nothing; a remark on what is kept.

        A folder that is another run's, or was refused, is left as it is.
        """
        if self._taken:
            if done := sum(_PART.fullmatch(name) is not None for name in self.working.names()):
                return f"{done:,} of {parts:,} parts are done and kept, and the same command with --resume goes on"
            self.working.remove()
        if self._made and isinstance(self.place, LocalPlace) and not self.place.names():
            self.place.path.rmdir()
        return ""

    def _note(self, identity: dict[str, Any], ending: str, parts: int) -> None:
        """Say what the run is."""
        document = {"schema": SCHEMA, "run": self.run, "parts": parts, "ending": ending, "identity": identity}
        (self.working / RUN).write(_json(document))

    def _run(self) -> dict[str, Any] | None:
        return self._document(self.working / RUN)

    def _manifest(self) -> dict[str, Any] | None:
        return self._document(self.place / MANIFEST)

    def _document(self, place: Place) -> dict[str, Any] | None:
        """What a run wrote there; None where there is none."""
        if place.state() is None:
            return None
        try:
            document: dict[str, Any] = json.loads(place.read())
            if document["schema"] == SCHEMA and document["run"] and document["identity"]:
                return document
        except (ValueError, KeyError, TypeError, FileNotFoundError):
            pass
        raise BertlineError(f"{place.name}: is of no run of this version of bertline; name another -o")

    def _require_no_others(self, *runs: dict[str, Any] | None) -> None:
        """BertlineError where something stands in the folder that none of these runs wrote."""
        ours = {MANIFEST, REPORT, PAGE} if any(runs) else set()
        for run in filter(None, runs):
            ours |= _files_of(run)
        ours |= {partial_of(Path(name)).name for name in ours}  # of a run that was killed as it wrote them
        others = [name for name in self.place.names() if name not in ours and not name.startswith(".")]
        if others:
            more = f" and {len(others) - 1:,} more" if len(others) > 1 else ""
            raise BertlineError(
                f"{self.place.name}: holds {others[0]}{more}, which no run there has written; name another -o"
            )

    def _require_same(self, run: dict[str, Any], identity: dict[str, Any]) -> None:
        if found := differences(run["identity"], identity):
            raise BertlineError(
                f"{self.place.name}: is of another run: {'; '.join(found)}; "
                "run it as before, or start over with --force"
            )

    def _clear(self, *runs: dict[str, Any] | None) -> None:
        """Remove what earlier runs wrote; the manifest first, since nothing else is then whole any more."""
        names = set(self.place.names())
        mine = {MANIFEST, REPORT, PAGE, *(name for run in filter(None, runs) for name in _files_of(run))}
        mine |= {partial_of(Path(name)).name for name in mine}
        for name in [MANIFEST, *sorted(names & mine - {MANIFEST})]:
            if any(runs) and name in names:
                (self.place / name).remove()
        self.working.remove()

    def _done(self, parts: int) -> dict[int, PartDone]:
        """The parts whose record and files are there."""
        numbers = [int(found[1]) for name in self.working.names() if (found := _PART.fullmatch(name))]
        with ThreadPoolExecutor(_READERS) as pool:
            records = pool.map(self._record, [number for number in numbers if number < parts])
            return {record.number: record for record in records if record}

    def _record(self, number: int) -> PartDone | None:
        """None where a file is not what the record says: the part is then to be scored again."""
        try:
            record = PartDone.from_json((self.working / done_name(number)).read())
        except (ValueError, KeyError, TypeError, FileNotFoundError):
            return None
        for written in filter(None, (record.scored, record.rejects)):
            file = self.place / written.file
            state = file.state()
            if state is None or state.size != written.bytes:
                return None
            if isinstance(file, LocalPlace) and sha256_of(file.path) != written.sha256:
                return None
        return record

    def _hold(self) -> None:
        """Of two runs on one file system, one is refused; object stores know no locks."""
        if not isinstance(self.place, LocalPlace):
            return
        self._lock = os.open(self.place.path, os.O_RDONLY)  # held until it is closed, also by a kill
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise BertlineError(
                f"{self.place.name}: another run is writing it at this moment; let that one finish"
            ) from None
        except OSError as error:  # some network file systems lock no folders
            if error.errno not in (errno.EBADF, errno.ENOLCK, errno.EOPNOTSUPP):
                raise


def _files_of(run: dict[str, Any]) -> set[str]:
    """Names of all that a run may have written, but for manifest and report."""
    numbers = range(int(run["parts"]) if isinstance(run["parts"], int) else len(run["parts"]))
    ending = run["ending"] if run["ending"] in ENDINGS else ENDINGS[0]
    return {name for number in numbers for name in (part_name(number, ending), rejects_name(number))}


def _json(document: dict[str, Any]) -> bytes:
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()
