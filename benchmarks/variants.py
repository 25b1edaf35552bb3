"""Which of a bundle's variants the benchmarks of the CPU measure."""

from collections.abc import Sequence

from bertline.bundle import Bundle
from infer.packing import PACKED
from infer.scorer import Scorer
from infer.variants import BF16

_FORMATS = {BF16: ("bfloat16",), "int8": ("int8",)}


def number_formats(variant: str) -> tuple[str, ...]:
    """Formats of numbers that a variant may multiply in; those that are smaller files compute in float32."""
    return _FORMATS.get(variant, ("float32",))


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
