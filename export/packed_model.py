"""A PyTorch classifier that takes sentences end to end, without padding: what the packed graph is exported from."""

from typing import Any

import torch

# Where a family keeps its layers, and whether it counts positions from the padding id on.
FAMILIES = {
    "bert": ("encoder", False),
    "roberta": ("encoder", True),
    "distilbert": ("transformer", False),
    "electra": ("encoder", False),
}


def first_position(config: Any) -> int:
    """The position of a row's first token, as infer.packing.pack takes it, for a family in FAMILIES."""
    _, counts_from_padding = FAMILIES[config.model_type]
    return int(config.pad_token_id) + 1 if counts_from_padding else 0


def no_mask(**_: Any) -> None:
    """The mask of packed attention: sentences do not see each other, and there is no padding to hide."""


class PackedLogits(torch.nn.Module):
    """The classifier with the tensors of infer.packing.pack in, logits (batch, labels) out.

    `attention` is the name of an attention function that transformers knows; it is given token_offset and cu_seqlens.
    The model is taken apart, so give a copy.
    """

    def __init__(self, model: Any, attention: str, takes_types: bool) -> None:
        super().__init__()
        self.model = model
        model.config._attn_implementation = attention
        base, (where, _) = model.base_model, FAMILIES[model.config.model_type]
        setattr(base, where, _FirstTokens(getattr(base, where)))
        self.first_types: torch.nn.Module | None = None
        if not takes_types and hasattr(base.embeddings, "token_type_embeddings"):
            self.first_types = base.embeddings.token_type_embeddings = _FirstType(base.embeddings.token_type_embeddings)

    def forward(
        self,
        input_ids: torch.Tensor,
        position_ids: torch.Tensor,
        token_offset: torch.Tensor,
        cu_seqlens: torch.Tensor,
        token_type_ids: torch.Tensor | None = None,
    ) -> torch.Tensor:
        types = input_ids if self.first_types is not None else token_type_ids  # any ids do for one that looks at none
        logits: torch.Tensor = self.model(
            input_ids=input_ids,
            position_ids=position_ids,
            token_offset=token_offset,
            cu_seqlens=cu_seqlens,
            **({} if types is None else {"token_type_ids": types}),
        ).logits
        return logits


class _FirstTokens(torch.nn.Module):
    """A model's layers, of which each sentence's first token comes out, (batch, 1, hidden).

    The model's own pooler and head follow, and find the first token where they look for it.
    """

    def __init__(self, layers: torch.nn.Module) -> None:
        super().__init__()
        self.layers = layers

    def forward(self, *arguments: Any, cu_seqlens: torch.Tensor, **options: Any) -> Any:
        output = self.layers(*arguments, cu_seqlens=cu_seqlens, **options)
        first = output.last_hidden_state.index_select(1, cu_seqlens[:-1])  # (1, batch, hidden)
        output.last_hidden_state = first.transpose(0, 1)
        return output


class _FirstType(torch.nn.Module):
    """A table of token types for a model whose tokenizer knows one only: its first row, whatever is looked up."""

    def __init__(self, table: torch.nn.Embedding) -> None:
        super().__init__()
        self.row = torch.nn.Parameter(table.weight[0].detach().clone(), requires_grad=False)

    def forward(self, _: torch.Tensor) -> torch.Tensor:
        return self.row
