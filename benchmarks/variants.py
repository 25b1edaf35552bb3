"""Which of a bundle's variants the benchmarks of the CPU measure, and what numbers these multiply in."""

from collections.abc import Sequence

from bertline.bundle import Bundle
from infer.packing import PACKED
from infer.scorer import Scorer
from infer.variants import BF16

FLOAT32: tuple[str, ...] = ("float32",)
_FORMATS = {BF16: ("bfloat16",), "int8": ("int8",)}  # all others compute in float32


def formats_of(variant: str) -> tuple[str, ...]:
    """Formats of numbers that a variant may multiply in, as `benchmarks.machine.Ceiling` names them."""
    return _FORMATS.get(variant, FLOAT32)


def chosen_variants(bundle: Bundle, names: str, threads: int) -> Sequence[str]:
    """`all`, that is every padded variant and bf16, or those of a list as a,b.

    One that was named must run here, BertlineError says why it does not; of `all` one that does not run here is a row
    of the result like any other.
    """
    if names == "all":
        padded = [name for name, variant in bundle.manifest.variants.items() if variant.layout != PACKED]
        return [*padded, BF16]
    chosen = list(dict.fromkeys(name.strip() for name in names.split(",")))
    for name in chosen:
        Scorer.open(bundle, device="cpu", variant=name, threads=threads)
    return chosen
