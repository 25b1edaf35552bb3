"""Which variant runs: the one asked for, or the fastest that a passed gate covers and this machine can run."""

from dataclasses import dataclass, replace

from bertline.bundle import Bundle, Gate, Variant
from bertline.errors import BertlineError, UsageError
from bertline.metrics import METRIC_NAMES
from infer.packing import PACKED
from infer.providers import CPU_PROVIDER, CUDA_PROVIDER, ON_CPU, OPENVINO_PROVIDER

BF16 = "bf16"  # a way to run the file of fp32, not a file
CUDA_FP16 = "cuda-fp16"  # a packed graph
_BF16_FORMATS = {"amx_bf16", "avx512_bf16"}
_INT8_FORMATS = {"amx_int8", "avx512_vnni", "avx_vnni"}
_SMALLER = {"fp16", "quantized"}  # smaller files, not faster ones: where one was measured faster, that was noise
_NOT_ON_OPENVINO = {"quantized"}  # it would compute these in int8, whatever the precision hint


@dataclass(frozen=True)
class Machine:
    """What this process can run on, and what it was told to run on."""

    device: str  # cpu or cuda
    formats: tuple[str, ...] = ()  # the CPU's, as infer.cpus.matrix_formats names them
    openvino_missing: str | None = None  # why OpenVINO cannot run here; None where it can
    provider: str = "auto"  # what --provider says: auto, cpu or openvino


@dataclass(frozen=True)
class Choice:
    """A variant to run, and why."""

    name: str  # as --variant says it
    variant: Variant  # whose file is loaded
    provider: str  # onnxruntime's name
    gate: Gate | None  # what was measured of it on this kind of device
    reason: str = "as asked for"

    @property
    def precision(self) -> str:
        """What the graph is run in: bf16, or the variant's own precision."""
        return BF16 if self.name == BF16 else self.variant.precision

    @property
    def batch_invariant(self) -> bool:
        """Whether a row's logits were found not to depend on its batch."""
        # Of bf16 and on CUDA it is stated, not promised.
        return self.name != BF16 and self.provider != CUDA_PROVIDER and self.variant.batch_invariant

    @property
    def golden_tolerance(self) -> float:
        """max |Δlogit| against the stored logits of this way to run."""
        if self.name != BF16 or self.gate is None:
            return self.variant.golden_tolerance
        # Two processors may round differently: each is that far from PyTorch, so they may be twice as far apart.
        return max(self.variant.golden_tolerance, 2 * self.gate.max_abs_logit)

    @property
    def recorded_loss(self) -> str:
        """What the gate measured against PyTorch fp32, in words."""
        played = next((gate for gate in self.variant.gates if gate.parity), None)
        if self.gate is None and played is not None:
            return f"not measured on this kind of device; by the {played.parity} {loss_in_words(played)}"
        return "no loss is recorded" if self.gate is None else loss_in_words(self.gate)


def loss_in_words(gate: Gate) -> str:
    """What the gate's rows lost: answers that differ, or how far numbers are off, and the metric where it is known."""
    metric, own, reference = gate.judged
    if metric == "pearson":
        agreement = "" if gate.concordance is None else f", concordance {gate.concordance:.4f}"
        lost = f"max |Δ| {gate.max_abs_logit:.1e}{agreement}"
    else:
        lost = f"{gate.flips} flips"
    lost += f" of {gate.rows:,} rows"
    return lost if own is None or reference is None else f"{lost}, {METRIC_NAMES[metric]} {own - reference:+.4f}"


def choose(bundle: Bundle, wanted: str, machine: Machine) -> Choice:
    """The variant `wanted`, or for `auto` the fastest whose gate passed on this kind of device and that runs here.

    Where no gate says how fast a variant is, `auto` is the bundle's default for the device, else fp32. Raises
    BertlineError with the remedy where a variant or provider cannot run here, UsageError where two options
    contradict each other.
    """
    if machine.provider not in ("auto", *ON_CPU):
        raise UsageError(f"--provider {machine.provider}: give auto, {' or '.join(ON_CPU)}")
    if machine.provider != "auto" and machine.device != "cpu":
        raise UsageError(f"--provider {machine.provider} is for the CPU; leave it out, or use --device cpu")
    if machine.provider == "openvino" and machine.openvino_missing:
        raise BertlineError(machine.openvino_missing)
    if wanted != "auto":
        return max(_ways(bundle, wanted, machine), key=_speed)
    timed = [way for name in (*bundle.manifest.variants, BF16) for way in _proven_ways(bundle, name, machine)]
    if timed:
        best = max(timed, key=_speed)
        return replace(best, reason=f"the fastest whose gate passed, {_speed(best):,.0f} rows/s when measured")
    default = bundle.manifest.default_variant.get(machine.device, "fp32")
    reason = "the bundle's default"
    if machine.device == "cuda" and default != CUDA_FP16 and CUDA_FP16 in bundle.manifest.variants:
        reason += f", since {CUDA_FP16} has no gate that timed it on CUDA; --variant {CUDA_FP16} takes it"
    try:
        return replace(max(_ways(bundle, default, machine), key=_speed), reason=reason)
    except BertlineError as error:
        fp32 = max(_ways(bundle, "fp32", machine), key=_speed)
        return replace(fp32, reason=f"the bundle's default does not run here ({error})")


def _proven_ways(bundle: Bundle, name: str, machine: Machine) -> list[Choice]:
    """Ways to run the variant here that passed their gate and were timed."""
    try:
        ways = _ways(bundle, name, machine)
    except BertlineError:
        return []
    if name in _SMALLER:
        return []
    return [way for way in ways if way.gate and way.gate.passed and way.gate.rows_per_second]


def _ways(bundle: Bundle, name: str, machine: Machine) -> list[Choice]:
    """One choice for each gate that speaks for the variant here, or one without a gate. Raises as `choose` does."""
    variants = bundle.manifest.variants
    file_of = "fp32" if name == BF16 else name
    if file_of not in variants:
        others = "choose with --variant" if name != CUDA_FP16 else "with --device cuda, fp32 runs, too"
        raise BertlineError(f"{bundle.path}: has no variant {name!r}; it has {', '.join(variants)}; {others}")
    variant = variants[file_of]
    needed, other = (CPU_PROVIDER, "cuda") if machine.device == "cpu" else (CUDA_PROVIDER, "cpu")
    if needed not in variant.providers:
        raise BertlineError(
            f"{bundle.path}: {name} is {variant.layout} and runs on {' or '.join(variant.providers)} only; use "
            f"--device {other}, or --variant fp32"
        )
    if variant.layout not in ("padded", PACKED):
        raise BertlineError(
            f"{bundle.path}: {name} has the layout {variant.layout!r}, which this bertline does not know; choose "
            "with --variant"
        )
    providers = _providers(name, machine)
    ways = []
    for gate in variant.gates:
        if gate.precision != (BF16 if name == BF16 else variant.precision) or _kind(gate.device) != machine.device:
            continue
        if name == "int8" and not _INT8_FORMATS & set(gate.cpu.split()) <= set(machine.formats):
            continue  # measured with instructions that are lacking here: it may be slower, and OpenVINO saturate
        if gate.provider in providers:
            ways.append(Choice(name, variant, gate.provider, gate))
    return ways or [Choice(name, variant, providers[0], None)]


def _providers(name: str, machine: Machine) -> tuple[str, ...]:
    """Providers that can run the variant here, first the one to take unmeasured. Raises as `choose` does."""
    if name == BF16:
        return (_bf16_provider(machine),)
    if machine.device == "cuda":
        return (CUDA_PROVIDER,)
    if name in _NOT_ON_OPENVINO and machine.provider == "openvino":
        raise UsageError(f"--variant {name}: OpenVINO would compute it in int8; leave out --provider openvino")
    if machine.provider != "auto":
        return (ON_CPU[machine.provider],)
    if machine.openvino_missing or name in _NOT_ON_OPENVINO:
        return (CPU_PROVIDER,)
    return (CPU_PROVIDER, OPENVINO_PROVIDER)


def _bf16_provider(machine: Machine) -> str:
    """OpenVINO, or the error that names all that bf16 lacks here."""
    if machine.device != "cpu":
        raise UsageError("--variant bf16 is for the CPU; use --device cpu")
    if machine.provider == "cpu":
        raise UsageError("--variant bf16 needs OpenVINO; leave out --provider cpu")
    lacking = []
    if not _BF16_FORMATS & set(machine.formats):
        lacking.append("this CPU has neither AMX-BF16 nor AVX512-BF16; use --variant fp32")
    if machine.openvino_missing:
        lacking.append(machine.openvino_missing)
    if lacking:
        raise BertlineError(f"--variant bf16: {'; '.join(lacking)}")
    return OPENVINO_PROVIDER


def _kind(device: str) -> str:
    return device.partition(":")[0]


def _speed(choice: Choice) -> float:
    """Rows a second when measured, 0 where it was not."""
    return (choice.gate.rows_per_second if choice.gate else None) or 0.0
