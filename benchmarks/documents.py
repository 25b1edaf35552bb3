"""Results as JSON documents, each with the command and the machine it is of."""

import json
import shlex
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.latency.result import Latency
from benchmarks.machine import Machine
from benchmarks.runtimes.result import Runtimes
from benchmarks.scale.result import Scale
from benchmarks.scaling.result import Scaling
from benchmarks.throughput.result import Throughput
from bertline.errors import BertlineError
from bertline.schema import from_json, parse_json

SCHEMA = 2
Result = Latency | Throughput | Scale | Runtimes | Scaling
KINDS: dict[str, type[Result]] = {
    "latency": Latency,
    "throughput": Throughput,
    "scale": Scale,
    "runtimes": Runtimes,
    "scaling": Scaling,
}


@dataclass(frozen=True)
class Document:
    """One run of one command."""

    schema: int
    kind: str  # a key of KINDS
    command: str  # as it was typed
    measured: str  # date and time of the end, UTC
    machine: Machine
    result: Result

    @classmethod
    def of(cls, result: Result, machine: Machine, arguments: Sequence[str]) -> "Document":
        """What `bertline ARGUMENTS` has just measured."""
        kind = next(name for name, known in KINDS.items() if isinstance(result, known))
        now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC")
        return cls(SCHEMA, kind, shlex.join(["bertline", *arguments]), now, machine, result)

    def to_json(self) -> str:
        """The text of its file."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"


def read_document(path: Path) -> Document:
    """A document of this schema; BertlineError names another schema or kind, and lists all that does not fit."""
    try:
        value = parse_json(path.read_bytes())
    except FileNotFoundError:
        raise BertlineError(f"{path}: no such result file; bertline benchmark {'|'.join(KINDS)} writes one") from None
    except (ValueError, IsADirectoryError):
        raise BertlineError(f"{path}: is no JSON file; give what bertline benchmark has written with -o") from None
    schema, kind = (value.get(name) if isinstance(value, dict) else None for name in ("schema", "kind"))
    if not isinstance(kind, str) or schema is None:
        raise BertlineError(f"{path}: is no result of bertline benchmark; it has no schema and kind")
    again = f"measure again with bertline benchmark {kind}" if kind in KINDS else f"there are {', '.join(KINDS)}"
    if kind not in KINDS:
        raise BertlineError(f"{path}: a result of the kind {kind!r} is not understood; {again}")
    if schema != SCHEMA:
        raise BertlineError(f"{path}: is of schema {schema!r}, and this bertline reads {SCHEMA}; {again}")
    problems: list[str] = []
    parts = {
        "command": from_json(str, value.get("command"), "command", problems),
        "measured": from_json(str, value.get("measured"), "measured", problems),
        "machine": from_json(Machine, value.get("machine"), "machine", problems),
        "result": from_json(KINDS[kind], value.get("result"), "result", problems),
    }
    if not problems:
        problems = parts["result"].problems()
    if problems:
        raise BertlineError(f"{path}: {'; '.join(problems)}; {again}")
    return Document(SCHEMA, kind, **parts)
