"""The golden examples of a bundle: texts chosen to trip tokenizers and graphs, with PyTorch's answers."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from export.reference import Reference
from infer.encode import Text
from infer.golden import Golden, stored_logits
from infer.scorer import Scorer
from infer.selfcheck import alone

SHOWN_CHARACTERS = 80  # of a text, in an error
CORE = (
    "",
    "Go!",
    "The book was written by John.",
    "Books were sent to each other by the students.",
    "In which way is Sandy very anxious to see if the students will be able to solve the homework problem?",
    "She said: \"It's five o'clock\" - didn't she?",
    "THE CAT (who sat, 3.14 times, on a mat) left; the dog stayed...",
    "Das naïve Café in Zürich heißt \u201eElla\u201c.",
    "the " * 700,  # longer than any maximum
    "antidisestablishmentarianism pneumonoultramicroscopicsilicovolcanoconiosis",
    "a\u00a0b  c\u2003d",  # spaces that are not U+0020
    "a dog " * 16 + ".",  # 33 words and two markers: 35 tokens, where these words are in the vocabulary
    " ",
    "?!... -- ;)",
    "  Spaces stand before and after.  ",
    "A tab\tand a line\nbreak.",
    "I",
    "w" * 120,  # a word that is longer than tokenizers look at
    "1,234.50 + 6e-7 = $9 (12%) & #3",
    "state-of-the-art don't won't he'd've",
    "email@example.com https://example.com/a_b?c=d",
    "Il \u00e9tait \u00e0 l'h\u00f4tel, o\u00f9 l'on a mang\u00e9 des cr\u00eapes.",
    "\u00c5ngstr\u00f6m, \u00d8rsted and Dvo\u0159\u00e1k",
)
HARD_UNICODE = (
    "\u4f60\u597d\uff0c\u4e16\u754c\u3002",  # CJK
    "\u65e5\u672c\u8a9e\u306e\u30c6\u30ad\u30b9\u30c8",  # with kana between
    "\ud55c\uad6d\uc5b4 \ubb38\uc7a5\uc785\ub2c8\ub2e4.",  # Hangul, which decomposes
    "great\U0001f600job \U0001f468\u200d\U0001f469\u200d\U0001f467",  # emoji glued to a word, and a joined family
    "\U0001f1e9\U0001f1ea flag, \u270c\U0001f3fd hand, \u2764\ufe0f heart",  # pairs, skin tones, selectors
    "\u1f48\u03b4\u03c5\u03c3\u03c3\u03b5\u03cd\u03c2 \u039f\u0394\u03a5\u03a3\u03a3\u0395\u03a5\u03a3",  # final sigma
    "\ufeffThe mark stands first.",
    "A mark stands\ufeff within.",
    "NUL stands here\0 and there.",
    "a literal [MASK] and a literal [SEP]",
    "[CLS][UNK]<s></s>[PAD]",
    "e\u0301 is not \u00e9, \u0439 is not \u0438\u0306",
    "\u0130stanbul and \u0131",  # a capital that lower-cases to two characters
    "\ufb01ne \u2460 \u00bd \u33a1",  # what compatibility forms would take apart
    "\u0645\u0631\u062d\u0628\u0627 \u05e9\u05dc\u05d5\u05dd",  # from right to left
    "\u0939\u093f\u0928\u094d\u0926\u0940 \u0e20\u0e32\u0e29\u0e32\u0e44\u0e17\u0e22",  # vowels that are marks
    "zero\u200bwidth soft\u00adhyphen \u202eoverride",
)
PAIRS = (
    ("The dog barked.", "An animal made a noise."),
    ("", "Only the second."),
    ("Only the first.", ""),
    ("one two " * 300, "three four " * 300),
)


def golden_rows(*, pairs: bool) -> list[tuple[str, Text]]:
    """Tag and text, or pair of texts, of each golden."""
    if not pairs:
        return [*(("core", text) for text in CORE), *(("hard-unicode", text) for text in HARD_UNICODE)]
    rows: list[tuple[str, Text]] = [("core", pair) for pair in PAIRS]
    rows += [("core", (text, CORE[3])) for text in CORE]
    return rows + [("hard-unicode", (CORE[2], text)) for text in HARD_UNICODE]


def make_goldens(reference: Reference, scorer: Scorer) -> list[Golden]:
    """Token ids by the Hugging Face tokenizer, PyTorch logits, and the scorer's own logits, each row alone."""
    tagged = golden_rows(pairs=len(scorer.bundle.manifest.text_columns) == 2)
    encoded = reference.encode([row for _, row in tagged], scorer.bundle.manifest.max_length)
    goldens = []
    for (tag, row), ids, types in zip(tagged, encoded.input_ids, encoded.token_type_ids, strict=True):
        text, pair = (row, None) if isinstance(row, str) else row
        logits = _floats(reference.run([ids], [types])[0])
        goldens.append(Golden(tag, text, pair, tuple(ids), tuple(types), {"pytorch": logits}))
    return answered_by(goldens, scorer)


def answered_by(goldens: list[Golden], scorer: Scorer) -> list[Golden]:
    """The goldens with the logits of the scorer's variant beside those they have, each row run alone."""
    return with_logits(goldens, scorer.variant, alone(scorer, goldens))


def with_logits(goldens: list[Golden], variant: str, logits: NDArray[np.float32]) -> list[Golden]:
    """The goldens with those logits (rows, labels) float32 of the variant beside those they have."""
    return [
        replace(golden, logits=golden.logits | {variant: _floats(row)})
        for golden, row in zip(goldens, logits, strict=True)
    ]


def pytorch_logits(goldens: Sequence[Golden]) -> NDArray[np.float32]:
    """What PyTorch answered, (goldens, labels) float32."""
    return stored_logits(goldens, "pytorch")


def golden_name(golden: Golden) -> str:
    """What a golden is called in an error."""
    return f"golden {repr(golden.row)[:SHOWN_CHARACTERS]}"


def _floats(row: NDArray[np.float32]) -> tuple[float, ...]:
    return tuple(float(f"{value:.9g}") for value in row)  # nine digits keep a float32 exactly
