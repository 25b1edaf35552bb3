"""The small BERT of `bertline demo`: a WordPiece vocabulary and starting weights made from the training sentences."""

from collections import Counter
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

SPECIAL_TOKENS = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]  # ids 0 to 4
MAX_POSITIONS = 128

DEMO_RECIPE: dict[str, Any] = {
    "epochs": 4,
    "batch_size": 32,
    "learning_rate": 1e-3,
    "warmup_steps": 100,
    "max_length": 64,
    "weight_decay": 0.0,
}


def write_demo_model(
    folder: Path,
    sentences: Iterable[str],
    *,
    vocabulary_size: int = 245,
    hidden_size: int = 64,
    layers: int = 2,
    heads: int = 8,
    seed: int = 42,
) -> None:
    """Writes a tokenizer trained on `sentences` and an untrained `BertForSequenceClassification` of two labels.

    At BERT's own starting weights this little model sees no pattern for the first minutes. Three things
    bring the first minute within reach: weights at the scale of 1/sqrt(hidden size) instead of 0.02, word vectors
    that begin as the words' neighbourhoods, and position vectors that begin as sinusoids. No label is looked at.
    """
    import torch
    from transformers import BertConfig, BertForSequenceClassification
    from transformers.utils import logging

    logging.disable_progress_bar()
    texts = list(sentences)
    tokenizer = train_tokenizer(texts, vocabulary_size)
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=hidden_size,
        num_hidden_layers=layers,
        num_attention_heads=heads,
        intermediate_size=2 * hidden_size,
        hidden_dropout_prob=0.0,  # few epochs over many sentences: there is nothing to regularise
        attention_probs_dropout_prob=0.0,
        initializer_range=0.1,
        max_position_embeddings=MAX_POSITIONS,
        pad_token_id=tokenizer.pad_token_id,
    )
    with torch.random.fork_rng(devices=[]):  # the caller's generator stays where it was
        torch.manual_seed(seed)
        model = BertForSequenceClassification(config)
    embeddings = model.bert.embeddings
    words = neighbour_vectors(tokenizer(texts)["input_ids"], len(tokenizer), hidden_size, seed)
    with torch.no_grad():
        embeddings.word_embeddings.weight.copy_(torch.from_numpy(words))
        embeddings.position_embeddings.weight.copy_(torch.from_numpy(sinusoids(MAX_POSITIONS, hidden_size)))
    tokenizer.save_pretrained(folder)
    model.save_pretrained(folder)


def train_tokenizer(sentences: Iterable[str], vocabulary_size: int) -> Any:
    """A lower-casing BERT WordPiece tokenizer, as a `transformers` fast tokenizer."""
    from tokenizers import Tokenizer, decoders, models, normalizers, pre_tokenizers, processors
    from transformers import BertTokenizerFast

    normalizer, splitter = normalizers.BertNormalizer(lowercase=True), pre_tokenizers.BertPreTokenizer()
    texts = map(normalizer.normalize_str, sentences)
    words = Counter(word for text in texts for word, _ in splitter.pre_tokenize_str(text))
    pieces = word_pieces(words, vocabulary_size)
    tokenizer = Tokenizer(models.WordPiece({piece: at for at, piece in enumerate(pieces)}, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, splitter
    tokenizer.decoder = decoders.WordPiece()
    tokenizer.post_processor = processors.BertProcessing(("[SEP]", 3), ("[CLS]", 2))
    return BertTokenizerFast(tokenizer_object=tokenizer, model_max_length=MAX_POSITIONS)


def word_pieces(words: Counter[str], size: int) -> list[str]:
    """The special tokens, all letters, and the commonest words and endings: `size` pieces, in the order of their ids.

    Rarer words are written in these (`listen ##ing`). `WordPieceTrainer` would serve, but it breaks its ties in the
    order of a hash table with random keys: two runs give two vocabularies.
    """
    letters = sorted({word[0] for word in words}) + sorted({f"##{letter}" for word in words for letter in word[1:]})
    endings: Counter[str] = Counter()
    for word, count in words.items():
        for cut in range(3, len(word) - 1):
            if word[:cut] in words:
                endings[f"##{word[cut:]}"] += count
    candidates = words + Counter(dict(endings.most_common(5)))
    by_count = sorted(candidates, key=lambda piece: (-candidates[piece], piece))
    return list(dict.fromkeys([*SPECIAL_TOKENS, *letters, *by_count]))[:size]


def neighbour_vectors(ids: Sequence[Sequence[int]], tokens: int, size: int, seed: int) -> np.ndarray:
    """Starting word vectors, float32 (tokens, size): words with like neighbours are alike.

    Positive pointwise mutual information between a token and those one or two places before and after it, reduced
    by singular value decomposition (Levy and Goldberg 2014), and a little noise that keeps all rows apart.
    """
    counts = np.zeros((4, tokens, tokens))
    for sentence in map(np.asarray, ids):
        for at, distance in enumerate((1, 2)):
            before, after = sentence[:-distance], sentence[distance:]
            np.add.at(counts[2 * at], (before, after), 1)
            np.add.at(counts[2 * at + 1], (after, before), 1)
    table = np.concatenate(list(counts), axis=1)  # (tokens, 4 * tokens)
    expected = table.sum(axis=1, keepdims=True) * table.sum(axis=0, keepdims=True) / table.sum()
    information = np.log(np.divide(table, expected, out=np.ones_like(table), where=table > 0))
    left, strength, _ = np.linalg.svd(information.clip(min=0), full_matrices=False)
    vectors = np.zeros((tokens, size))
    rank = min(size, tokens)
    vectors[:, :rank] = left[:, :rank] * np.sqrt(strength[:rank])
    vectors *= 0.5 / vectors.std()
    return (vectors + np.random.default_rng(seed).normal(0, 0.05, vectors.shape)).astype(np.float32)


def sinusoids(positions: int, size: int) -> np.ndarray:
    """Position vectors of Vaswani et al. 2017, float32 (positions, size), with periods that suit short sentences."""
    angles = np.arange(positions)[:, None] * 100.0 ** -np.linspace(0, 1, size // 2, endpoint=False)
    return np.concatenate([np.sin(angles), np.cos(angles)], axis=1).astype(np.float32)
