"""Consumers of one bundle on the same rows: answers against bertline's own, then starts and files in turns."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory

from benchmarks.runtimes.answers import (
    Answers,
    Difference,
    difference,
    differing,
    own_answers,
    own_ids,
    read_answers,
    write_table,
)
from benchmarks.runtimes.consumer import Consumer, Open, Setting, failed_steps
from benchmarks.runtimes.hard_set import hard_texts
from benchmarks.runtimes.result import Figures, Runtimes, TokenIds
from benchmarks.timing import back_and_forth
from bertline.bundle import Bundle, Manifest
from bertline.errors import BertlineError, UsageError
from bertline.tsv import TableSpec
from export.consumers import FOLDER
from infer.encode import Text
from infer.packing import PACKED
from infer.rows import Rows
from infer.scorer import WINDOW_ROWS, Scorer

DEFAULTS = ("fp32", "fp16", "quantized")  # exact anywhere; int8 differs between processors
PROVIDER = "cpu"  # of bertline's own answers: ONNX Runtime's kernels, at the variant's own precision


@dataclass(frozen=True)
class Plan:
    """What to measure."""

    tables: Sequence[Path]  # rows that are scored
    token_tables: Sequence[Path]  # rows on which token ids are compared besides
    spec: TableSpec  # of all of them
    variants: Sequence[str]
    passes: int
    timeout_seconds: float  # of one call of a consumer


def chosen_variants(manifest: Manifest, names: str) -> tuple[str, ...]:
    """`all`, that is those of DEFAULTS that the bundle has, or those of a list as a,b; UsageError for one that no
    consumer reads.
    """
    padded = [name for name, variant in manifest.variants.items() if variant.layout != PACKED]
    if names == "all":
        return tuple(name for name in DEFAULTS if name in padded)
    chosen = tuple(dict.fromkeys(name.strip() for name in names.split(",")))
    for name in chosen:
        if name not in padded:
            raise UsageError(f"--variants {name}: the bundle has {', '.join(padded)} for consumers")
    return chosen


@dataclass
class _Entry:
    """One consumer on one variant, as far as it is measured."""

    consumer: Consumer
    variant: str
    self_check: str
    difference: Difference
    start_seconds: list[float] = field(default_factory=list)
    file_seconds: list[float] = field(default_factory=list)

    @property
    def key(self) -> str:
        return f"{self.consumer.installed.name} {self.variant}"

    @property
    def figures(self) -> Figures:
        name, apart, passes = self.consumer.installed.name, self.difference, len(self.file_seconds)
        times = tuple(self.start_seconds[:passes]), tuple(self.file_seconds)  # a pass that was interrupted is none
        return Figures(
            name, self.variant, self.self_check, apart.id_mismatches, apart.labels_differ, apart.max_abs_logit, *times
        )


def measure_runtimes(
    bundle: Bundle,
    consumers: Mapping[str, Open],
    plan: Plan,
    *,
    threads: int | None = None,
    progress: Callable[[str], None] = lambda line: None,
) -> Runtimes:
    """Run each consumer on each variant. One that cannot run, fails or hangs is a failure with its reason, and keeps
    the figures it has. Ctrl-C keeps what is finished.

    Raises BertlineError for tables that cannot be read, or have fewer than two rows, and for a variant on which
    bertline itself cannot run; KeyboardInterrupt where that came before anything was compared.
    """
    with TemporaryDirectory(prefix="bertline-runtimes-") as folder, ExitStack() as stack:
        run = _Run(bundle, plan, Path(folder), threads, progress)
        interrupted = False
        try:
            run.open(consumers, stack)
            run.compare_ids()
            run.compare_answers()
            run.time()
        except KeyboardInterrupt:
            interrupted = True
        if interrupted and not run.entries:
            raise KeyboardInterrupt("nothing was measured yet")
        return run.result(interrupted)


class _Run:
    """All that take part, and what became of them so far."""

    def __init__(
        self, bundle: Bundle, plan: Plan, scratch: Path, threads: int | None, progress: Callable[[str], None]
    ) -> None:
        self.entries: list[_Entry] = []
        self._bundle, self._plan, self._scratch, self._progress = bundle, plan, scratch, progress
        self._failures: dict[str, str] = {}
        self._consumers: dict[str, Consumer] = {}
        self._token_ids: list[TokenIds] = []
        self._scorers = {
            variant: Scorer.open(bundle, device="cpu", variant=variant, provider=PROVIDER, threads=threads)
            for variant in plan.variants
        }
        self._texts, self._token_texts = (self._read(tables) for tables in (plan.tables, plan.token_tables))
        if len(self._texts) < 2:
            raise BertlineError(f"{plan.tables[0]}: has one row, which tells no speed; give a table with more")
        self._categories, hard = zip(*hard_texts(), strict=True)
        pairs = len(bundle.manifest.text_columns) == 2
        self._hard: list[Text] = list(zip(hard, reversed(hard), strict=True)) if pairs else list(hard)

    def open(self, consumers: Mapping[str, Open], stack: ExitStack) -> None:
        """Make all ready that can run here."""
        for name, make in consumers.items():
            self._progress(f"{name}: making it ready")
            scratch, folder = self._scratch / name, self._bundle.path.resolve() / FOLDER / name
            scratch.mkdir()
            own = [file for file in self._bundle.manifest.files if file.startswith(f"{FOLDER}/{name}/")]
            try:
                if not own:
                    raise BertlineError(f"not in the bundle; bertline export MODEL_DIR -o BUNDLE --runtimes {name}")
                self._bundle.verify(own)  # before anything of it runs
                self._consumers[name] = make(Setting(self._bundle, folder, scratch, self._plan.timeout_seconds, stack))
            except BertlineError as error:
                self._fail(name, error)

    def compare_ids(self) -> None:
        """Token ids on the further rows and on the hard set, once for each consumer: no variant has others."""
        variant, scorer = next(iter(self._scorers.items()))
        tables = self._table("tokens", self._token_texts), self._table("hard", self._hard)
        expected = own_ids(scorer, self._token_texts), own_ids(scorer, self._hard)
        for name, consumer in list(self._consumers.items()):
            self._progress(f"{name}: token ids")
            try:
                other, other_hard = (
                    differing(self._answers(consumer, table, len(ids), variant).token_ids, ids) if ids else []
                    for table, ids in zip(tables, expected, strict=True)
                )
            except BertlineError as error:
                self._fail(name, error)
                del self._consumers[name]
                continue
            by_category = dict(Counter(self._categories[row] for row in other_hard))
            self._token_ids.append(TokenIds(name, len(other), by_category))

    def compare_answers(self) -> None:
        """The self-check, and the answers to all rows."""
        table = self._table("rows", self._texts)
        for variant, scorer in self._scorers.items():
            expected = own_answers(scorer, self._texts)
            for name, consumer in self._consumers.items():
                self._progress(f"{name} {variant}: self-check and answers")
                try:
                    failed = failed_steps(consumer.self_check(variant))
                    found = self._answers(consumer, table, len(self._texts), variant)
                except BertlineError as error:
                    self._fail(f"{name} {variant}", error)
                    continue
                self.entries.append(_Entry(consumer, variant, failed, difference(found, expected)))
        self._scorers.clear()  # their threads and memory are not to be in the way of what is timed

    def time(self) -> None:
        """Passes in turns, in which each starts once for a single row and once for all; what ran before was warm-up."""
        one, table = self._table("one", self._texts[:1]), self._scratch / "rows.tsv"
        going = list(self.entries)
        for turn in range(self._plan.passes):
            self._progress(f"pass {turn + 1} of {self._plan.passes}")
            for entry in back_and_forth(list(going), turn):
                try:
                    entry.start_seconds.append(self._seconds(entry, one))
                    entry.file_seconds.append(self._seconds(entry, table))
                except BertlineError as error:
                    self._fail(entry.key, error)
                    going.remove(entry)

    def result(self, interrupted: bool) -> Runtimes:
        """What was found so far."""
        return Runtimes(
            self._bundle.path.name,
            tuple(table.name for table in self._plan.tables),
            len(self._texts),
            len(self._token_texts),
            len(self._hard),
            tuple(consumer.installed for consumer in self._consumers.values()),
            tuple(self._token_ids),
            tuple(entry.figures for entry in self.entries),
            self._failures,
            interrupted,
        )

    def _seconds(self, entry: _Entry, table: Path) -> float:
        begin = time.perf_counter()
        with self._output() as output:
            entry.consumer.score(table, output, entry.variant)
            seconds = time.perf_counter() - begin
            if not output.is_file():
                raise BertlineError("ended well and wrote no output")  # its answers are compared elsewhere
            return seconds

    def _answers(self, consumer: Consumer, table: Path, rows: int, variant: str) -> Answers:
        with self._output() as output:
            consumer.score(table, output, variant)
            return read_answers(output, rows, self._bundle.manifest.problem)

    @contextmanager
    def _output(self) -> Iterator[Path]:
        """A name that is free, and is so again."""
        output = self._scratch / "scored.tsv"
        try:
            yield output
        finally:
            output.unlink(missing_ok=True)

    def _table(self, name: str, texts: Sequence[Text]) -> Path:
        return write_table(self._scratch / f"{name}.tsv", self._bundle.manifest.text_columns, texts)

    def _read(self, tables: Sequence[Path]) -> list[Text]:
        if not tables:
            return []
        rows = Rows(tables, self._plan.spec, self._bundle.manifest, use_labels=False)
        return [text for window in rows.windows(WINDOW_ROWS) for text in window.texts]

    def _fail(self, key: str, error: BertlineError) -> None:
        self._failures[key] = str(error)
        self._progress(f"{key}: {error}")
