"""The scorer: texts in, logits out, by token-budget batches over a length-sorted window."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bertline.bundle import SHORTEST, Bundle
from bertline.errors import BertlineError
from infer import openvino
from infer.batching import pad, plan_batches
from infer.cpus import matrix_formats, usable_cpus
from infer.encode import Encoded, Encoder, Text
from infer.session import OnnxSession, auto_device, open_session, parse_device
from infer.variants import BF16, Choice, Machine, choose

BATCH_TOKENS = 2048  # on two CPU cores 512…8,192 differ by less than runs do
WINDOW_ROWS = 8192
Logits = NDArray[np.float32]
_INPUTS = {"input_ids", "attention_mask", "token_type_ids"}


@dataclass
class WorkDone:
    """What scoring has cost so far."""

    rows: int = 0
    unique_rows: int = 0  # distinct within their window; each is run once
    truncated: int = 0
    tokens: int = 0  # that carry text or a marker, of the unique rows
    padded_tokens: int = 0  # that the session computed: tokens and padding
    stage_seconds: dict[str, float] = field(default_factory=lambda: {"tokenize": 0.0, "run": 0.0})

    @property
    def padding_share(self) -> float:
        """Share of the computed tokens that was padding, 0…1."""
        return 1 - self.tokens / self.padded_tokens if self.padded_tokens else 0.0


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
        logits = np.empty((len(rows), len(self.labels)), np.float32)
        for start in range(0, len(rows), WINDOW_ROWS):
            window = slice(start, start + WINDOW_ROWS)
            logits[window] = self.score_window(rows[window])
        return logits

    def score_window(self, rows: Sequence[Text], progress: Callable[[float], None] = lambda share: None) -> Logits:
        """Logits (rows, labels) float32 of rows sorted by length together; equal rows are run once.

        `progress` is told the share of the window's tokens that are done, 0…1, after each batch.
        """
        first_seen: dict[Text, int] = {}
        unique_of = np.fromiter((first_seen.setdefault(row, len(first_seen)) for row in rows), np.int64, len(rows))
        begin = time.perf_counter()
        encoded = self.encoder.encode(list(first_seen))
        self.work.stage_seconds["tokenize"] += time.perf_counter() - begin
        self.work.rows += len(rows)
        self.work.unique_rows += len(first_seen)
        self.work.truncated += int(encoded.truncated[unique_of].sum())
        logits = self.run_tokens(encoded, progress)
        if not np.isfinite(logits).all():
            row = rows[int(np.flatnonzero(~np.isfinite(logits[unique_of]).all(axis=1))[0])]
            raise BertlineError(
                f"{self.bundle.path}: {self.variant} gives a logit that is no number for {str(row)[:40]!r}; "
                "check the bundle with bertline verify"
            )
        return logits[unique_of]

    def run_tokens(self, encoded: Encoded, progress: Callable[[float], None] = lambda share: None) -> Logits:
        """Logits (rows, labels) float32 of rows that are token ids already; `progress` as for a window."""
        logits = np.empty((len(encoded.input_ids), len(self.labels)), np.float32)
        begin, done, tokens = time.perf_counter(), 0, int(encoded.lengths.sum())
        for batch in plan_batches(encoded.lengths, self.batch_tokens):
            feeds = self.feeds(
                [encoded.input_ids[row] for row in batch], [encoded.token_type_ids[row] for row in batch]
            )
            logits[batch] = self.session.run(feeds)
            done += int(encoded.lengths[batch].sum())
            self.work.padded_tokens += feeds["input_ids"].size
            progress(done / max(1, tokens))
        self.work.tokens += tokens
        self.work.stage_seconds["run"] += time.perf_counter() - begin
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
