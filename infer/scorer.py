"""The scorer: texts in, logits out, by token-budget batches over a length-sorted window."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bertline.bundle import SHORTEST, Bundle
from bertline.devices import parse_device
from bertline.errors import BertlineError
from infer import openvino
from infer.batching import pad, plan_batches
from infer.cpus import matrix_formats, usable_cpus
from infer.encode import Encoded, Encoder, Text
from infer.seen import Placement, Seen
from infer.session import OnnxSession, auto_device, open_session
from infer.variants import BF16, Choice, Machine, choose

BATCH_TOKENS = 2048  # on two CPU cores 512…8,192 differ by less than runs do
WINDOW_ROWS = 8192
Logits = NDArray[np.float32]
_INPUTS = {"input_ids", "attention_mask", "token_type_ids"}


@dataclass
class WorkDone:
    """What scoring has cost so far."""

    rows: int = 0
    unique_rows: int = 0  # that were run; the others repeat one of them
    truncated: int = 0
    tokens: int = 0  # that carry text or a marker, of the unique rows
    padded_tokens: int = 0  # that the session computed: tokens and padding
    stage_seconds: dict[str, float] = field(default_factory=lambda: {"tokenize": 0.0, "run": 0.0})

    @property
    def padding_share(self) -> float:
        """Share of the computed tokens that was padding, 0…1."""
        return 1 - self.tokens / self.padded_tokens if self.padded_tokens else 0.0

    def __iadd__(self, other: "WorkDone") -> "WorkDone":
        self.rows += other.rows
        self.unique_rows += other.unique_rows
        self.truncated += other.truncated
        self.tokens += other.tokens
        self.padded_tokens += other.padded_tokens
        for stage, seconds in other.stage_seconds.items():
            self.stage_seconds[stage] = self.stage_seconds.get(stage, 0.0) + seconds
        return self


@dataclass(frozen=True)
class Prepared:
    """A window that is tokenized and placed, and waits for the session; `work` is what it costs."""

    texts: Sequence[Text]
    placement: Placement
    encoded: Encoded  # of the placement's fresh texts
    work: WorkDone


class Scorer:
    """A bundle, loaded and ready. Make one with `Scorer.open`; it is not shared between threads."""

    def __init__(
        self, bundle: Bundle, choice: Choice, session: OnnxSession, encoder: Encoder, batch_tokens: int
    ) -> None:
        self.bundle = bundle
        self.choice = choice
        self.session = session
        self.encoder = encoder
        self.batch_tokens = batch_tokens
        self.threads = 0
        self.remark: str | None = None  # what the user should know about the device
        self.work = WorkDone()

    @classmethod
    def open(
        cls,
        bundle: Path | str | Bundle,
        *,
        device: str = "auto",
        variant: str = "auto",
        provider: str = "auto",
        threads: int | None = None,
        max_length: int | None = None,
        batch_tokens: int = BATCH_TOKENS,
    ) -> "Scorer":
        """Load a bundle after checking the hashes of the files it loads.

        device: auto, cpu, cuda or cuda:N. variant: auto (the fastest that its gate allows here) or a name.
        provider: for the CPU: auto, cpu or openvino.
        threads: for the session; default, the CPUs this process may use. max_length: tokens, within the model's
        positions; default, the bundle's. batch_tokens: rows × longest row of one batch.
        Raises BertlineError (no such bundle, variant or device), VerificationError (a changed file).
        """
        if not isinstance(bundle, Bundle):
            bundle = Bundle.open(Path(bundle))
        manifest = bundle.manifest
        machine = _machine(device, variant, provider)
        choice = choose(bundle, variant, machine)
        file = choice.variant.file
        bundle.verify([file, "tokenizer.json"])
        wanted = manifest.max_length if max_length is None else max_length
        if not SHORTEST <= wanted <= manifest.positions:
            raise BertlineError(f"--max-length {wanted}: the model takes {SHORTEST} to {manifest.positions} tokens")
        encoder = Encoder(bundle.path / "tokenizer.json", wanted)
        if wanted <= (markers := encoder.markers(len(manifest.text_columns))):
            raise BertlineError(f"--max-length {wanted}: leaves no token between {markers} markers; raise it")
        threads = threads or usable_cpus()
        session, remark = open_session(
            bundle.path / file,
            "cpu" if machine.device == "cpu" else device,
            threads,
            provider=choice.provider,
            precision=choice.precision,
        )
        _check_graph(session, bundle.path / file, len(manifest.labels))
        scorer = cls(bundle, choice, session, encoder, batch_tokens)
        scorer.threads, scorer.remark = threads, remark
        return scorer

    @property
    def variant(self) -> str:
        """What `--variant` calls what runs: a variant of the manifest, or bf16."""
        return self.choice.name

    @property
    def labels(self) -> tuple[str, ...]:
        """Label names, by id: the columns of the logits."""
        return self.bundle.manifest.labels

    def score(self, texts: Sequence[str], pairs: Sequence[str] | None = None) -> Logits:
        """Logits (rows, labels) float32, in input order; `pairs` are the second texts for a model of pairs.

        Raises BertlineError where the bundle needs pairs and there are none, or the other way round.
        """
        if isinstance(texts, str) or isinstance(pairs, str):
            raise TypeError("score takes a list of texts; put the one text into a list")
        wants_pairs = len(self.bundle.manifest.text_columns) == 2
        if wants_pairs != (pairs is not None):
            raise BertlineError(f"this bundle scores {'pairs of texts' if wants_pairs else 'single texts'}")
        rows: Sequence[Text] = texts if pairs is None else list(zip(texts, pairs, strict=True))
        logits, seen = np.empty((len(rows), len(self.labels)), np.float32), Seen(len(self.labels))
        for start in range(0, len(rows), WINDOW_ROWS):
            window = slice(start, start + WINDOW_ROWS)
            prepared = self.prepare(rows[window], seen)
            logits[window] = self.run(prepared)
            self.work += prepared.work
        return logits

    def prepare(self, texts: Sequence[Text], seen: Seen) -> Prepared:
        """Tokenize a window, as far as its texts are not known; needs no session, so that it can be done ahead."""
        begin = time.perf_counter()
        placement = seen.place(texts)
        encoded = self.encoder.encode(placement.fresh)
        placement.cut[placement.fresh_slots] = encoded.truncated
        cut = int(placement.cut[placement.slot_of_row].sum())  # of all rows: those that repeat a cut one, too
        work = WorkDone(len(texts), len(placement.fresh), cut, int(encoded.lengths.sum()))
        work.stage_seconds["tokenize"] = time.perf_counter() - begin
        return Prepared(texts, placement, encoded, work)

    def run(self, prepared: Prepared, progress: Callable[[float], None] = lambda share: None) -> Logits:
        """Logits (rows, labels) float32 of a window; windows are run in the order in which they were prepared.

        `progress` is told the share of the window's tokens that are done, 0…1, after each batch. Raises BertlineError
        where a logit is no number.
        """
        begin = time.perf_counter()
        placement, work = prepared.placement, prepared.work
        placement.slots[placement.fresh_slots] = self.run_tokens(prepared.encoded, progress, work)
        logits = placement.logits()
        finite = np.isfinite(logits).all(axis=1)
        if not finite.all():
            text = prepared.texts[int(np.flatnonzero(~finite)[0])]
            raise BertlineError(
                f"{self.bundle.path}: {self.variant} gives a logit that is no number for {str(text)[:40]!r}; "
                "check the bundle with bertline verify"
            )
        work.stage_seconds["run"] = time.perf_counter() - begin
        return logits

    def run_tokens(
        self,
        encoded: Encoded,
        progress: Callable[[float], None] = lambda share: None,
        work: WorkDone | None = None,
    ) -> Logits:
        """Logits (rows, labels) float32 of rows that are token ids already; `progress` as for a window."""
        logits = np.empty((len(encoded.lengths), len(self.labels)), np.float32)
        done, tokens, pad_id = 0, int(encoded.lengths.sum()), self.bundle.manifest.tokenizer.pad_id
        for batch in plan_batches(encoded.lengths, self.batch_tokens, self.session.shape_tokens):
            arrays = encoded.padded(batch, pad_id)
            logits[batch] = self.session.run({name: arrays[name] for name in self.session.inputs})
            done += int(encoded.lengths[batch].sum())
            if work is not None:
                work.padded_tokens += arrays["input_ids"].size
            progress(done / max(1, tokens))
        return logits

    def feeds(
        self, input_ids: Sequence[Sequence[int]], token_type_ids: Sequence[Sequence[int]]
    ) -> dict[str, NDArray[np.int64]]:
        """One padded batch as the graph's own inputs, each (rows, longest) int64."""
        arrays = {  # what _INPUTS lists
            "input_ids": pad(input_ids, self.bundle.manifest.tokenizer.pad_id),
            "attention_mask": pad([[1] * len(row) for row in input_ids], 0),
            "token_type_ids": pad(token_type_ids, 0),
        }
        return {name: arrays[name] for name in self.session.inputs}


def _machine(device: str, variant: str, provider: str) -> Machine:
    """What this process can run on; a wish for bf16 or for a provider of the CPU decides for the CPU."""
    if device != "auto":
        kind, _ = parse_device(device)
    else:
        kind = "cpu" if variant == BF16 or provider != "auto" else auto_device()
    return Machine(kind, matrix_formats(), openvino.missing() if kind == "cpu" else None, provider)


def _check_graph(session: OnnxSession, model: Path, labels: int) -> None:
    """BertlineError where the graph is not what the manifest promises."""
    unknown = sorted(set(session.inputs) - _INPUTS)
    shape = session.outputs.get("logits", ())
    if unknown or "input_ids" not in session.inputs:
        raise BertlineError(f"{model}: wants the inputs {', '.join(session.inputs)}; export the model again")
    if len(shape) != 2 or (isinstance(shape[1], int) and shape[1] != labels):
        raise BertlineError(f"{model}: gives no logits for {labels} labels; export the model again")
