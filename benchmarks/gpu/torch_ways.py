"""PyTorch's ways to run the classifier, each behind one call: token ids on the host in, logits on the host out."""

import copy
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks.gpu.attempts import NotHereError
from bertline.errors import BertlineError
from export.packed_model import FAMILIES, PackedLogits, first_position, no_mask
from export.reference import Reference
from infer.encode import Encoded
from infer.packing import pack, plan_packed
from infer.runners import Logits

_RECOMPILE_LIMIT = 64  # beyond it, torch.compile would run what it cannot specialise eagerly, and not say so
CUDA_GRAPHS = "reduce-overhead"  # torch.compile's word for them


@dataclass(frozen=True)
class TorchSpec:
    """One way. `mode` is torch.compile's, None for eager."""

    name: str
    dtype: torch.dtype
    unpadded: bool = False
    mode: str | None = None


FP32 = TorchSpec("PyTorch fp32 eager", torch.float32)
FP16 = TorchSpec("PyTorch fp16 eager", torch.float16)
WAYS = (
    FP32,
    FP16,
    TorchSpec("PyTorch fp16 compiled", torch.float16, mode="default"),
    TorchSpec("PyTorch fp16 unpadded", torch.float16, unpadded=True),
    TorchSpec("PyTorch fp16 unpadded, compiled", torch.float16, unpadded=True, mode="default"),
)
FP16_GRAPHS = TorchSpec("PyTorch fp16 compiled, CUDA graphs", torch.float16, mode=CUDA_GRAPHS)


class TorchWay:
    """A copy of the model on the device. Padded batches get a mask only where they have padding, so that the kernels
    for attention without a mask can run; it is given in the shape that transformers takes as it is, without looking
    into it, which would wait for the device.
    """

    def __init__(self, spec: TorchSpec, reference: Reference, device: str, compiler: str = "inductor") -> None:
        self.name = spec.name
        self.padded = not spec.unpadded
        self._device = torch.device(device)
        self._names = reference.input_names
        model: Any = copy.deepcopy(reference.model).to(device=device, dtype=spec.dtype).eval()
        if spec.mode == CUDA_GRAPHS and self._device.type != "cuda":
            raise NotHereError("CUDA graphs are not on this device")
        config = model.config
        self._pad_id = int(config.pad_token_id or 0)
        if spec.unpadded:
            if config.model_type not in FAMILIES:
                raise BertlineError(f"unpadding is not known for the family {config.model_type!r}")
            self._first_position = first_position(config)
            model = PackedLogits(model, _attention_of(self._device), "token_type_ids" in self._names).eval()
        if spec.mode is not None:
            torch._dynamo.config.recompile_limit = _RECOMPILE_LIMIT
            model = torch.compile(model, dynamic=True, mode=spec.mode, backend=compiler)
        self._model = model

    def ready(self, encoded: Encoded, batch_tokens: int) -> Callable[[], Logits]:
        """A call that gives the logits (rows, labels) float32. What can be done ahead, while the device computes
        something else, is done: batches are laid out, and stand in memory from which copies wait for nothing.
        """
        batches = plan_packed(encoded.lengths, batch_tokens)  # the very rows of a packed batch of ours
        laid_out = self._padded if self.padded else self._unpadded
        inputs = [self._pinned(laid_out(encoded, rows)) for rows in batches]
        order = np.concatenate(batches)

        def run() -> Logits:
            """Batches are launched one after the other; only the end waits for them."""
            with torch.inference_mode():
                parts = [self._forward(arrays) for arrays in inputs]
                found: Logits = torch.cat(parts).float().cpu().numpy()
            logits = np.empty_like(found)
            logits[order] = found
            return logits

        return run

    def one(self, encoded: Encoded) -> Logits:
        """Logits (rows, labels) float32 of all rows as one batch, laid out in that time, too."""
        return self.ready(encoded, int(encoded.lengths.sum()) + 1)()

    def _padded(self, encoded: Encoded, rows: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        arrays: dict[str, Any] = encoded.padded(rows, self._pad_id)
        mask = arrays["attention_mask"].astype(bool)
        inputs = {name: arrays[name] for name in self._names if name != "attention_mask"}
        return inputs if mask.all() else inputs | {"attention_mask": mask[:, None, None, :]}

    def _unpadded(self, encoded: Encoded, rows: NDArray[np.int64]) -> dict[str, NDArray[Any]]:
        arrays: dict[str, Any] = pack(encoded, rows, self._first_position)
        if "token_type_ids" not in self._names:
            del arrays["token_type_ids"]
        return arrays

    def _pinned(self, arrays: Mapping[str, NDArray[Any]]) -> dict[str, torch.Tensor]:
        tensors = {name: torch.from_numpy(array) for name, array in arrays.items()}
        return {name: t.pin_memory() for name, t in tensors.items()} if self._device.type == "cuda" else tensors

    def _forward(self, inputs: Mapping[str, torch.Tensor]) -> torch.Tensor:
        sent = {name: tensor.to(self._device, non_blocking=True) for name, tensor in inputs.items()}
        found = self._model(**sent)
        logits: torch.Tensor = found.logits if self.padded else found
        return logits


def _attention_of(device: torch.device) -> str:
    """The name by which transformers then knows an attention that takes offsets in place of a mask."""
    from transformers import AttentionInterface, AttentionMaskInterface

    name = f"bertline_unpadded_{device.type}"
    AttentionInterface.register(name, _ATTENTION[device.type])
    AttentionMaskInterface.register(name, no_mask)
    return name


def _attend_varlen(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    scaling: float,
    token_offset: torch.Tensor,
    cu_seqlens: torch.Tensor,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """query, key and value (1, heads, tokens, width) to (1, tokens, heads, width), each sentence by itself.

    By PyTorch's own FlashAttention for rows of any length, which takes float16 and bfloat16.
    """
    from torch.nn.attention.varlen import varlen_attn

    width, longest = query.shape[-1], token_offset.shape[1]
    if abs(scaling * width**0.5 - 1) > 1e-6:  # what varlen_attn scales by; not each version lets one choose
        raise BertlineError(f"attention is scaled by {scaling:g}, and PyTorch's varlen_attn by {width**-0.5:g}")
    q, k, v = (states[0].transpose(0, 1) for states in (query, key, value))  # (tokens, heads, width)
    return varlen_attn(q, k, v, cu_seqlens, cu_seqlens, longest, longest)[None], None


def _attend_masked(
    module: torch.nn.Module,
    query: torch.Tensor,
    key: torch.Tensor,
    value: torch.Tensor,
    attention_mask: torch.Tensor | None,
    *,
    scaling: float,
    cu_seqlens: torch.Tensor,
    **_: Any,
) -> tuple[torch.Tensor, None]:
    """The same with a mask of tokens × tokens: for small batches on a CPU."""
    places = torch.arange(query.shape[2], device=query.device, dtype=cu_seqlens.dtype)
    sentence = torch.searchsorted(cu_seqlens, places, right=True)
    same = sentence[:, None] == sentence[None]
    attended = torch.nn.functional.scaled_dot_product_attention(query, key, value, attn_mask=same, scale=scaling)
    return attended.transpose(1, 2), None


_ATTENTION = {"cuda": _attend_varlen, "cpu": _attend_masked}
