"""Our own ways: bertline's scorer on ONNX Runtime, with the options of the CUDA provider that matter."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from bertline.bundle import Bundle
from infer.cuda import CudaOptions
from infer.encode import Encoded
from infer.runners import Logits
from infer.scorer import Scorer
from infer.variants import CUDA_FP16

FLASH, EFFICIENT = 1, 2  # onnxruntime's AttentionBackend, contrib_ops/cpu/bert/attention_common.h
KERNELS: dict[int | None, str] = {None: "default kernel", FLASH: "FlashAttention", EFFICIENT: "cutlass"}
PACKED_NAME = "ONNX Runtime fp16 packed"


@dataclass(frozen=True)
class OrtSpec:
    """One way. `sdpa_kernel` is the CUDA provider's option, None its own choice."""

    name: str
    variant: str
    sdpa_kernel: int | None = None
    graphs: bool = False  # CUDA graphs


FP32_PORTABLE = OrtSpec("ONNX Runtime fp32 portable", "fp32")
PACKED = tuple(
    OrtSpec(f"{PACKED_NAME}, {word}{', CUDA graphs' if graphs else ''}", CUDA_FP16, kernel, graphs)
    for kernel, word in KERNELS.items()
    for graphs in (False, True)
)


def open_scorer(bundle: Bundle, device: str, spec: OrtSpec, batch_tokens: int) -> Scorer:
    """The scorer of one way; raises as Scorer.open does."""
    cuda = CudaOptions(sdpa_kernel=spec.sdpa_kernel, graphs=spec.graphs)
    return Scorer.open(bundle, device=device, variant=spec.variant, batch_tokens=batch_tokens, cuda=cuda)


class OrtWay:
    """A scorer, behind the same calls as PyTorch's ways."""

    def __init__(self, spec: OrtSpec, scorer: Scorer) -> None:
        self.name = spec.name
        self.scorer = scorer

    def ready(self, encoded: Encoded, batch_tokens: int) -> Callable[[], Logits]:
        """A call that gives the logits (rows, labels) float32, in batches of at most so many tokens. Batches are laid
        out already, as `infer` does it while the device runs the window before. It raises OutOfMemoryError.
        """
        plan = self.scorer.runner.plan(encoded, batch_tokens)
        return partial(self.scorer.runner.run, plan)

    def one(self, encoded: Encoded) -> Logits:
        """Logits (rows, labels) float32 of all rows as one batch."""
        return self.scorer.runner.run_batch(encoded, np.arange(len(encoded.lengths)))
