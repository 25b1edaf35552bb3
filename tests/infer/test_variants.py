"""Which variant runs: every rule of `choose`, on manifests with other gates."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bertline.bundle import Bundle, Gate, Variant
from bertline.errors import BertlineError, UsageError
from infer.providers import CPU_PROVIDER, CUDA_PROVIDER, OPENVINO_PROVIDER
from infer.variants import Machine, choose

PLAIN = Machine("cpu", ("avx2",), "OpenVINO's plugin is not installed; install it")
AMX = Machine("cpu", ("avx512_vnni", "amx_bf16", "amx_int8"))
CUDA = Machine("cuda")


@pytest.fixture
def opened(bundle: Path) -> Bundle:
    """The tiny bundle with fp32 alone, and no gate."""
    bare = Bundle.open(bundle)
    fp32 = replace(bare.manifest.variants["fp32"], gates=())
    return replace(bare, manifest=replace(bare.manifest, variants={"fp32": fp32}))


def gate(precision: str, rows_per_second: float | None, provider: str = CPU_PROVIDER, **changes: Any) -> Gate:
    fields = {"mcc": 0.31, "mcc_reference": 0.32, "flips": 2, "device": "cpu", "passed": True, "cpu": "a CPU"} | changes
    return Gate(
        provider=provider,
        precision=precision,
        rows=1000,
        max_abs_logit=0.01,
        mean_abs_logit=0.001,
        versions={},
        rows_per_second=rows_per_second,
        **fields,
    )


def with_gates(bundle: Bundle, **gates: list[Gate]) -> Bundle:
    """The bundle with a variant for each name; bf16 gates belong to fp32."""
    fp32 = bundle.manifest.variants["fp32"]
    variants: dict[str, Variant] = {
        name: replace(fp32, precision=name, gates=tuple(found)) for name, found in gates.items()
    }
    return replace(bundle, manifest=replace(bundle.manifest, variants={"fp32": fp32} | variants))


def test_without_a_measured_speed_auto_is_the_bundles_default(opened: Bundle) -> None:
    choice = choose(opened, "auto", AMX)
    assert (choice.name, choice.provider, choice.reason) == ("fp32", CPU_PROVIDER, "the bundle's default")
    assert choice.recorded_loss == "no loss is recorded"


def test_auto_is_the_fastest_whose_gate_passed(opened: Bundle) -> None:
    bundle = with_gates(
        opened,
        fp32=[gate("fp32", 100.0), gate("fp32", 130.0, OPENVINO_PROVIDER), gate("bf16", 500.0, OPENVINO_PROVIDER)],
        int8=[gate("int8", 700.0, OPENVINO_PROVIDER, passed=False), gate("int8", 200.0)],
    )
    choice = choose(bundle, "auto", AMX)
    assert (choice.name, choice.precision, choice.provider) == ("bf16", "bf16", OPENVINO_PROVIDER)
    assert choice.variant is bundle.manifest.variants["fp32"]
    assert choice.recorded_loss == "2 flips of 1,000 rows, MCC -0.0100"
    assert "500 rows/s" in choice.reason


def test_auto_takes_only_what_runs_here(opened: Bundle) -> None:
    vnni = "a CPU avx512_vnni"
    bundle = with_gates(
        opened,
        fp32=[gate("fp32", 100.0), gate("bf16", 500.0, OPENVINO_PROVIDER)],
        int8=[gate("int8", 700.0, OPENVINO_PROVIDER, cpu=vnni), gate("int8", 200.0, cpu=vnni)],
    )
    assert choose(bundle, "auto", PLAIN).name == "fp32"  # neither OpenVINO nor the int8 products of that CPU
    assert choose(bundle, "int8", replace(PLAIN, openvino_missing=None)).gate is None
    found = gate("int8", 200.0, cpu=vnni)
    assert choose(bundle, "auto", replace(PLAIN, formats=("avx512_vnni",))).gate == found
    assert choose(bundle, "auto", replace(AMX, provider="cpu")).gate == found


def test_int8_measured_faster_without_int8_products_is_taken_anywhere(opened: Bundle) -> None:
    bundle = with_gates(opened, fp32=[gate("fp32", 100.0)], int8=[gate("int8", 140.0, cpu="a CPU avx2")])
    assert choose(bundle, "auto", PLAIN).name == "int8"
    assert choose(bundle, "auto", AMX).name == "int8"


def test_a_gate_holds_for_its_kind_of_device_only(opened: Bundle) -> None:
    bundle = with_gates(opened, fp32=[gate("fp32", 100.0)], int8=[gate("int8", 200.0)])
    choice = choose(bundle, "auto", CUDA)
    assert (choice.name, choice.provider, choice.gate) == ("fp32", CUDA_PROVIDER, None)


def test_smaller_files_are_not_taken_for_their_speed(opened: Bundle) -> None:
    bundle = with_gates(opened, fp32=[gate("fp32", 100.0)], fp16=[gate("fp16", 101.0)])
    assert choose(bundle, "auto", AMX).name == "fp32"
    assert choose(bundle, "fp16", AMX).name == "fp16"


def test_fp32_runs_on_openvino_where_that_was_measured_faster_or_asked_for(opened: Bundle) -> None:
    both = with_gates(opened, fp32=[gate("fp32", 100.0), gate("fp32", 130.0, OPENVINO_PROVIDER)])
    assert choose(both, "fp32", AMX).provider == OPENVINO_PROVIDER
    assert choose(opened, "fp32", AMX).provider == CPU_PROVIDER
    asked = choose(opened, "fp32", replace(AMX, provider="openvino"))
    assert (asked.provider, asked.gate, asked.reason) == (OPENVINO_PROVIDER, None, "as asked for")


def test_a_default_that_does_not_run_here_gives_way_to_fp32(opened: Bundle) -> None:
    bundle = replace(opened, manifest=replace(opened.manifest, default_variant={"cpu": "bf16"}))
    choice = choose(bundle, "auto", PLAIN)
    assert choice.name == "fp32" and "does not run here (--variant bf16: this CPU has neither" in choice.reason


@pytest.mark.parametrize(
    ("wanted", "machine", "message"),
    [
        ("int4", AMX, "has no variant 'int4'; it has fp32"),
        ("bf16", PLAIN, "neither AMX-BF16 nor AVX512-BF16; use --variant fp32; OpenVINO's plugin is not installed"),
        ("fp32", replace(PLAIN, provider="openvino"), "is not installed; install it"),
    ],
)
def test_what_cannot_run_here_says_why(opened: Bundle, wanted: str, machine: Machine, message: str) -> None:
    with pytest.raises(BertlineError, match=message):
        choose(opened, wanted, machine)


@pytest.mark.parametrize(
    ("wanted", "machine", "message"),
    [
        ("fp32", replace(AMX, provider="tensorrt"), "give auto, cpu or openvino"),
        ("fp32", replace(CUDA, provider="cpu"), "is for the CPU"),
        ("bf16", CUDA, "bf16 is for the CPU"),
        ("bf16", replace(AMX, provider="cpu"), "needs OpenVINO"),
        ("quantized", replace(AMX, provider="openvino"), "would compute it in int8"),
    ],
)
def test_options_that_contradict_each_other_are_refused(
    opened: Bundle, wanted: str, machine: Machine, message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        choose(with_gates(opened, quantized=[]), wanted, machine)


def test_a_layout_that_this_version_cannot_run_is_named(opened: Bundle) -> None:
    packed = replace(opened.manifest.variants["fp32"], layout="stacked")
    bundle = replace(opened, manifest=replace(opened.manifest, variants={"fp32": packed}))
    with pytest.raises(BertlineError, match="fp32 has the layout 'stacked', which this bertline does not know"):
        choose(bundle, "fp32", AMX)


def test_a_packed_graph_is_for_cuda_and_auto_passes_it_by(opened: Bundle) -> None:
    fp32 = opened.manifest.variants["fp32"]
    packed = replace(
        fp32,
        layout="packed",
        precision="fp16",
        providers=(CUDA_PROVIDER,),
        first_position=0,
        gates=(gate("fp16", 900.0, "reference evaluator", parity="reference evaluator"),),
    )
    variants = {"fp32": fp32, "cuda-fp16": packed}
    bundle = replace(opened, manifest=replace(opened.manifest, variants=variants))
    with pytest.raises(BertlineError, match="cuda-fp16 is packed and runs on CUDAExecutionProvider only; use --device"):
        choose(bundle, "cuda-fp16", AMX)
    asked = choose(bundle, "cuda-fp16", Machine("cuda"))
    assert (asked.provider, asked.gate) == (CUDA_PROVIDER, None)
    assert {choose(bundle, "auto", machine).name for machine in (AMX, PLAIN, CUDA)} == {"fp32"}
