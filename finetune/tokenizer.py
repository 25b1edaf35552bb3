"""The tokenizer of the checkpoint that training starts from: a fast one, with all that export needs."""

from importlib.util import find_spec
from pathlib import Path
from typing import Any

from bertline.errors import BertlineError

_REMEDY = "start from a checkpoint with a tokenizer.json"


def load_tokenizer(folder: Path, name: str) -> Any:
    """The fast tokenizer of that folder; BertlineError, about `--model name`, where there is none.

    No code of the folder's is run. Where it has no tokenizer.json, transformers converts the vocabulary that is there,
    if it can: a SentencePiece model needs the package of that name.
    """
    from transformers import AutoTokenizer

    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, trust_remote_code=False, local_files_only=True)
    # TypeError: what tokenizers of Python make of a vocabulary file that is not there.
    except (OSError, ValueError, KeyError, TypeError, ImportError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        pieces = sorted(folder.glob("*.model"))
        if pieces and not (folder / "tokenizer.json").is_file() and find_spec("sentencepiece") is None:
            raise BertlineError(
                f"--model {name}: its tokenizer is a SentencePiece model ({pieces[0].name}), which another package "
                f"converts: pip install sentencepiece protobuf, or {_REMEDY}"
            ) from None
        raise BertlineError(f"--model {name}: its tokenizer cannot be loaded ({reason}); {_REMEDY}") from None
    if len(tokenizer) > len(tokenizer.all_special_ids) and not tokenizer.is_fast:
        raise BertlineError(
            f"--model {name}: {type(tokenizer).__name__} has no fast form, which export needs; {_REMEDY}"
        )
    return tokenizer


def tokenizer_problems(tokenizer: Any, vocabulary: int) -> list[str]:
    """What a fast tokenizer lacks beside a model with so many word vectors."""
    if len(tokenizer) <= len(tokenizer.all_special_ids):  # what transformers makes up where there are no files
        return ["has no tokenizer"]
    lacking = [name for name in ("pad", "cls", "sep", "unk") if getattr(tokenizer, f"{name}_token_id") is None]
    problems = [f"its tokenizer has no {' or '.join(lacking)} token, which export needs"] if lacking else []
    if len(tokenizer) > vocabulary:
        problems.append(f"its tokenizer has {len(tokenizer):,} tokens, and the model {vocabulary:,}")
    return problems
