"""The ways to run a bundle on this machine: each is measured, kept within its limits, and on the CPU timed in turns."""

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from bertline.bundle import Bundle, Gate
from bertline.errors import BertlineError
from bertline.tsv import TableSpec
from export.golden import answered_by, pytorch_logits
from infer import cuda, openvino
from infer.golden import Golden, stored_logits
from infer.parity import INVARIANT_WITHIN, MAX_MCC_DROP, Limits, Parity, limits_of
from infer.providers import CPU_PROVIDER, ON_CPU
from infer.rows import Rows
from infer.scorer import Scorer
from infer.selfcheck import batch_variance
from infer.variants import BF16, CUDA_FP16

TIMED_ROWS = 512  # the first of those that the gates are measured on
_TURNS = 3
_FAST = ("fp32", "int8")  # the files whose speed `--variant auto` compares on a CPU
_ON_CUDA = ("fp32", CUDA_FP16)  # and on CUDA
_WORDS = {name: word for word, name in ON_CPU.items()}


@dataclass(frozen=True)
class Terms:
    """How variants are measured, and what they may lose."""

    measure: Callable[[Scorer, list[Golden]], Parity]  # the goldens have the scorer's logits
    max_flips: float | None = None  # share of the rows, 0…1; None: as `limits_of` has it
    max_mcc_drop: float = MAX_MCC_DROP
    threads: int | None = None
    say: Callable[[str], None] = lambda line: None

    def limits(self, variant: str) -> Limits:
        """What a way to run may differ by from PyTorch fp32."""
        return limits_of(variant, self.max_flips, self.max_mcc_drop)


@dataclass(frozen=True)
class Way:
    """A way to run a bundle, as the options of a command name it."""

    variant: str
    device: str = "cpu"
    provider: str = "auto"


def further_ways(file_of: str) -> list[Way]:
    """Beside the plain CPU: those that may run that variant's file here."""
    ways = [Way(file_of, provider="openvino")] if file_of in _FAST and not openvino.missing() else []
    ways += [Way(BF16)] if file_of == "fp32" else []
    return [*ways, Way(file_of, "cuda")] if file_of in _ON_CUDA and not cuda.missing() else ways


def add_gate(way: Way, draft: Bundle, goldens: list[Golden], terms: Terms) -> tuple[Bundle, list[Golden], list[str]]:
    """The draft with one more gate and the goldens with its logits, or both as they were; and what was beyond limits.

    Raises BertlineError with the remedy where this machine cannot run it so.
    """
    variant, on_cpu = way.variant, way.device == "cpu"
    scorer = Scorer.open(draft, device=way.device, variant=variant, provider=way.provider, threads=terms.threads)
    answered = answered_by(goldens, scorer)
    parity = terms.measure(scorer, answered)
    parity.batch_variance = batch_variance(scorer, goldens)
    limits = terms.limits(variant)
    if not on_cpu:  # which kernel runs on CUDA, and so how it rounds, depends on the batch: stated, not limited
        limits = replace(limits, max_batch_variance=math.inf)
    faults = parity.faults(limits)
    plain = scorer.provider == CPU_PROVIDER
    terms.say(
        f"{variant}{'' if plain else f' on {scorer.provider}'}: {parity.figures()}, by batch "
        f"{parity.batch_variance:.1e}{'; left out' if faults else ''}"
    )
    if faults:
        return draft, goldens, faults
    name = "fp32" if variant == BF16 else variant
    promised = on_cpu and variant != BF16  # that a row's logits do not depend on its batch; else that is stated
    kept = draft.manifest.variants[name]
    kept = replace(
        kept,
        gates=(*kept.gates, parity.gate(scorer, limits)),
        batch_invariant=kept.batch_invariant and (not promised or parity.batch_variance <= INVARIANT_WITHIN),
    )
    if name == "int8":
        # Two processors may round differently: each is about this far from PyTorch, so they may be twice as far apart.
        kept = replace(kept, golden_tolerance=max(kept.golden_tolerance, 2 * _from_pytorch(answered, variant)))
    manifest = replace(draft.manifest, variants=draft.manifest.variants | {name: kept})
    # The logits stored for a variant are those of the plain CPU; bf16 has no others.
    return replace(draft, manifest=manifest), answered if plain or variant == BF16 else goldens, []


def _from_pytorch(goldens: Sequence[Golden], variant: str) -> float:
    """max |Δlogit| over the goldens."""
    return float(np.abs(stored_logits(goldens, variant) - pytorch_logits(goldens)).max())


def add_further_gates(
    file_of: str, draft: Bundle, goldens: list[Golden], terms: Terms
) -> tuple[Bundle, list[Golden], dict[str, list[str]]]:
    """Gates of all further ways to run that variant's file here; and why others were left out, by variant."""
    left_out: dict[str, list[str]] = {}
    for way in further_ways(file_of):
        try:
            draft, goldens, faults = add_gate(way, draft, goldens, terms)
        except BertlineError as error:  # a CPU without bf16 is none to measure it on
            if way.device != "cpu":  # it may be busy: what is known without it holds
                terms.say(f"{way.variant} on {way.device}: {error}; not measured there")
                continue
            faults = [str(error)]
        if faults:
            left_out[way.variant] = faults
    return draft, goldens, left_out


def timed_in_turns(draft: Bundle, files: Sequence[Path], spec: TableSpec, terms: Terms) -> Bundle:
    """The draft with rows a second measured again where `auto` has a choice, all on the same rows, in turns.

    Neighbours on a machine slow down whatever runs just then; turns share that out. The first turn warms up.
    """
    ways = [
        (name, number, BF16 if gate.precision == BF16 else name, _WORDS[gate.provider])
        for name in _FAST
        if name in draft.manifest.variants
        for number, gate in enumerate(draft.manifest.variants[name].gates)
        if gate.device == "cpu"
    ]
    if len(ways) < 2 or not files:
        return draft
    scorers = [
        Scorer.open(draft, device="cpu", variant=variant, provider=provider, threads=terms.threads)
        for _, _, variant, provider in ways
    ]
    window = next(Rows(files[:1], spec, draft.manifest, use_labels=False).windows(TIMED_ROWS))
    encoded = scorers[0].encoder.encode(window.texts)
    seconds: list[list[float]] = [[] for _ in scorers]
    for _ in range(_TURNS + 1):
        for scorer, own in zip(scorers, seconds, strict=True):
            begin = time.perf_counter()
            scorer.run_tokens(encoded)
            own.append(time.perf_counter() - begin)
    speeds = [len(window.texts) / float(np.median(own[1:])) for own in seconds]
    variants = dict(draft.manifest.variants)
    for (name, number, _, _), speed in zip(ways, speeds, strict=True):
        gates: list[Gate] = list(variants[name].gates)
        gates[number] = replace(gates[number], rows_per_second=speed)
        variants[name] = replace(variants[name], gates=tuple(gates))
    shown = (f"{variant} on {word} {speed:,.0f}" for (*_, variant, word), speed in zip(ways, speeds, strict=True))
    terms.say(f"rows/s in turns over {len(window.texts):,} rows: {', '.join(shown)}")
    return replace(draft, manifest=replace(draft.manifest, variants=variants))
