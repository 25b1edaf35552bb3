"""The scorer: texts in, logits out, by token-budget batches over a length-sorted window."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from bertline.bundle import SHORTEST, Bundle
from bertline.devices import parse_device
from bertline.errors import BertlineError
from infer import openvino
from infer.cpus import matrix_formats, usable_cpus
from infer.cuda import DEFAULTS as CUDA_DEFAULTS
from infer.cuda import CudaOptions, is_built_in
from infer.cuda import missing as cuda_missing
from infer.cuda import remark as cuda_remark
from infer.encode import Encoded, Encoder, Text
from infer.packed_runner import PackedRunner
from infer.packing import PACKED
from infer.runners import Logits, PaddedRunner, Plan, Progress, Runner
from infer.seen import Placement, Seen
from infer.session import OnnxSession, OutOfMemoryError
from infer.variants import BF16, Choice, Machine, choose

BATCH_TOKENS = 2048  # on two CPU cores 512…8,192 differ by less than runs do
CUDA_BATCH_TOKENS = 16384  # an estimate, not measured
WINDOW_ROWS = 8192
CUDA_WINDOW_ROWS = 32768  # the device idles between windows: let there be few
_INPUTS = {
    "padded": {"input_ids", "attention_mask", "token_type_ids"},
    PACKED: {"input_ids", "token_type_ids", "position_ids", "token_offset", "cu_seqlens"},
}


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
    """A window whose texts are placed, and which waits to be run; `work` is what it costs."""

    texts: Sequence[Text]
    placement: Placement
    work: WorkDone


@dataclass(frozen=True)
class Tokenized(Prepared):
    """A window that is tokenized, too."""

    plan: Plan  # of the placement's fresh texts


class WindowScorer(Protocol):
    """What scores the windows of a file: a scorer, or several as one."""

    bundle: Bundle
    threads: int
    batch_tokens: int
    out_of_memory_at: int | None  # tokens a batch, the fewest that a device had no room for
    window_rows: int  # where nobody wants another number
    ahead: int  # windows to be prepared while one is run

    @property
    def variant(self) -> str: ...
    @property
    def device(self) -> str: ...
    @property
    def device_name(self) -> str: ...
    @property
    def provider(self) -> str: ...
    @property
    def max_length(self) -> int: ...
    @property
    def labels(self) -> tuple[str, ...]: ...
    def prepare(self, texts: Sequence[Text], seen: Seen) -> Prepared: ...
    def run(self, prepared: Any, progress: Progress = ...) -> Logits: ...


class Scorer:
    """A bundle, loaded and ready. Make one with `Scorer.open`; it is not shared between threads."""

    def __init__(
        self,
        bundle: Bundle,
        choice: Choice,
        session: OnnxSession,
        encoder: Encoder,
        batch_tokens: int | None = None,
    ) -> None:
        self.bundle = bundle
        self.choice = choice
        self.session = session
        self.encoder = encoder
        on_cpu = session.device == "cpu"
        self.batch_tokens = batch_tokens or (BATCH_TOKENS if on_cpu else CUDA_BATCH_TOKENS)
        self.window_rows = WINDOW_ROWS if on_cpu else CUDA_WINDOW_ROWS
        self.ahead = 1
        self.runner = _runner(bundle, choice, session)
        self.threads = 0
        self.remark: str | None = None  # what the user should know about the device
        self.out_of_memory_at: int | None = None
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
        batch_tokens: int | None = None,
        cuda: CudaOptions = CUDA_DEFAULTS,
    ) -> "Scorer":
        """Load a bundle after checking the hashes of the files it loads.

        device: auto (CUDA where it works, else the CPU), cpu, cuda or cuda:N. variant: auto (the fastest that its gate
        allows here) or a name. provider: for the CPU: auto, cpu or openvino. threads: for the session; default, the
        CPUs this process may use. max_length: tokens, within the model's positions; default, the bundle's.
        batch_tokens: rows × longest row of one batch, or of a packed batch all tokens; default, 2,048 on a CPU and
        16,384 on CUDA. Raises BertlineError (no such bundle, variant or device), VerificationError (a changed file).
        """
        if not isinstance(bundle, Bundle):
            bundle = Bundle.open(Path(bundle))
        manifest = bundle.manifest
        device, remark = resolve_device(device, variant, provider)
        machine = _machine(device, provider)
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
        session = OnnxSession(
            bundle.path / file,
            device,
            threads,
            provider=choice.provider,
            precision=choice.precision,
            cuda=cuda,
        )
        _check_graph(session, bundle.path / file, choice.variant.layout, len(manifest.labels))
        scorer = cls(bundle, choice, session, encoder, batch_tokens)
        scorer.threads, scorer.remark = threads, remark
        return scorer

    @property
    def variant(self) -> str:
        """What `--variant` calls what runs: a variant of the manifest, or bf16."""
        return self.choice.name

    @property
    def device(self) -> str:
        """What runs: cpu, cuda or cuda:N."""
        return self.session.device

    @property
    def device_name(self) -> str:
        """What it calls itself."""
        return self.session.device_name

    @property
    def provider(self) -> str:
        """ONNX Runtime's name for what runs."""
        return self.session.provider

    @property
    def max_length(self) -> int:
        """Tokens that a text is cut to."""
        return self.encoder.max_length

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

    def prepare(self, texts: Sequence[Text], seen: Seen) -> Tokenized:
        """Tokenize a window, as far as its texts are not known; needs no session, so that it can be done ahead."""
        begin = time.perf_counter()
        placement = seen.place(texts)
        encoded = self.encoder.encode(placement.fresh)
        placement.cut[placement.fresh_slots] = encoded.truncated
        placement.tokens[placement.fresh_slots] = encoded.lengths
        work = WorkDone(len(texts), len(placement.fresh), placement.rows_cut, int(encoded.lengths.sum()))
        plan = self.runner.plan(encoded, self.batch_tokens)
        work.stage_seconds["tokenize"] = time.perf_counter() - begin
        return Tokenized(texts, placement, work, plan)

    def run(self, prepared: Tokenized, progress: Progress = lambda share: None) -> Logits:
        """Logits (rows, labels) float32 of a window; windows are run in the order in which they were prepared.

        `progress` is told the share of the window's tokens that are done, 0…1, after each batch. Raises BertlineError
        where a logit is no number.
        """
        begin = time.perf_counter()
        placement, work = prepared.placement, prepared.work
        placement.slots[placement.fresh_slots] = self._run_plan(prepared.plan, progress, work)
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

    def run_tokens(self, encoded: Encoded) -> Logits:
        """Logits (rows, labels) float32 of rows that are token ids already."""
        return self._run_plan(self.runner.plan(encoded, self.batch_tokens), lambda share: None, WorkDone())

    def _run_plan(self, plan: Plan, progress: Progress, work: WorkDone) -> Logits:
        """Run it, with smaller batches from then on where the device has no room for these."""
        while True:
            if plan.batch_tokens != self.batch_tokens:  # which was lowered or tuned since the plan was made
                plan = self.runner.plan(plan.encoded, self.batch_tokens)
            try:
                logits = self.runner.run(plan, progress)
            except OutOfMemoryError:
                if all(len(batch) == 1 for batch in plan.batches):
                    raise
                self.out_of_memory_at, self.batch_tokens = self.batch_tokens, max(1, self.batch_tokens // 2)
                continue
            work.padded_tokens += plan.computed_tokens
            return logits


def resolve_device(device: str, variant: str = "auto", provider: str = "auto") -> tuple[str, str | None]:
    """cpu, cuda or cuda:N for what `--device` says, and what the user should know of it.

    auto is cuda where it works; a wish for bf16 or for a provider of the CPU decides for the CPU.
    """
    if device != "auto":
        kind, _ = parse_device(device)
        return device, cuda_remark() if kind == "cuda" else None
    if variant == BF16 or provider != "auto" or not is_built_in():
        return "cpu", None
    fault = cuda_missing()
    return ("cpu", f"--device auto runs on the CPU: {fault}") if fault else ("cuda", cuda_remark())


def _machine(device: str, provider: str) -> Machine:
    """What this process can run on."""
    kind, _ = parse_device(device)
    return Machine(kind, matrix_formats(), openvino.missing() if kind == "cpu" else None, provider)


def _runner(bundle: Bundle, choice: Choice, session: OnnxSession) -> Runner:
    labels = len(bundle.manifest.labels)
    if choice.variant.layout == PACKED:
        return PackedRunner(session, choice.variant.first_position or 0, labels)
    return PaddedRunner(session, bundle.manifest.tokenizer.pad_id, labels)


def _check_graph(session: OnnxSession, model: Path, layout: str, labels: int) -> None:
    """BertlineError where the graph is not what the manifest promises."""
    unknown = sorted(set(session.inputs) - _INPUTS[layout])
    shape = session.outputs.get("logits", ())
    if unknown or "input_ids" not in session.inputs:
        raise BertlineError(f"{model}: wants the inputs {', '.join(session.inputs)}; export the model again")
    if len(shape) != 2 or (isinstance(shape[1], int) and shape[1] != labels):
        raise BertlineError(f"{model}: gives no logits for {labels} labels; export the model again")
