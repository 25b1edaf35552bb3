"""The small BERT of `bertline demo`: its own WordPiece vocabulary and random weights, trained from nothing."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]  # ids 0 to 4
MAX_POSITIONS = 128

# Found on the demo corpus: from nothing, a high rate with a warm-up and many short epochs.
DEMO_RECIPE: dict[str, Any] = {
    "epochs": 15,
    "batch_size": 32,
    "learning_rate": 1e-3,
    "warmup_steps": 200,
    "max_length": 64,
    "weight_decay": 0.01,
}


def write_demo_model(
    folder: Path,
    sentences: Iterable[str],
    *,
    vocabulary_size: int = 260,
    hidden_size: int = 128,
    layers: int = 2,
    heads: int = 4,
    dropout: float = 0.1,
    initializer_range: float = 0.1,
    seed: int = 42,
) -> None:
    """Writes a tokenizer trained on `sentences` and an untrained BERT classifier of two labels, as `from_pretrained` reads them.

    The vocabulary is meant to be smaller than the list of words, so that rare ones are written in pieces.
    """
    import torch
    from transformers import BertConfig, BertForSequenceClassification

    folder.mkdir(parents=True, exist_ok=True)
    tokenizer = train_tokenizer(sentences, vocabulary_size)
    tokenizer.save_pretrained(folder)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden_size,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=4 * hidden_size,
        hidden_dropout_prob=dropout,
        attention_probs_dropout_prob=dropout,
        initializer_range=initializer_range,
        max_position_embeddings=MAX_POSITIONS,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng(devices=[]):  # the caller's generator stays where it was
        torch.manual_seed(seed)
        BertForSequenceClassification(config).save_pretrained(folder)


def train_tokenizer(sentences: Iterable[str], vocabulary_size: int) -> Any:
    """A lower-casing BERT WordPiece tokenizer, as a `transformers` fast tokenizer."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
    from transformers import BertTokenizerFast

    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    trainer = trainers.WordPieceTrainer(vocab_size=vocabulary_size, special_tokens=SPECIAL_TOKENS, show_progress=False)
    tokenizer.train_from_iterator(sentences, trainer)
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return BertTokenizerFast(tokenizer_object=tokenizer, model_max_length=MAX_POSITIONS)
