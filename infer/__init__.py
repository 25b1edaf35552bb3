"""Bundle and files to scored files and metrics; needs numpy, tokenizers and onnxruntime, nothing heavier.

from infer import Scorer
logits = Scorer.open(Path("bundle")).score(["The book was written by John."])  # (1, labels) float32
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from infer.scorer import Scorer

__all__ = ["Scorer"]


def __getattr__(name: str) -> Any:  # onnxruntime loads when the scorer is wanted, not with every `--help`
    if name == "Scorer":
        from infer.scorer import Scorer

        return Scorer
    raise AttributeError(f"module 'infer' has no attribute {name!r}")
