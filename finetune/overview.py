"""What is about to be trained, as the notebook shows it: rows, labels, tokens, lengths, parameters."""

from collections import Counter
from collections.abc import Sequence
from typing import Any

import numpy as np
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bertline.problems import MultiLabel, Regression
from finetune.corpus import Corpus, Example
from finetune.recipe import Recipe

_NUMBER_BINS = 10
_SHOWN_LENGTHS = (4, 8, 12, 16, 24, 32, 48, 64, 96, 128, 192, 256, 384, 512)


def show_overview(
    console: Console, recipe: Recipe, corpus: Corpus, model: Any, tokenizer: Any, validation_rows: int
) -> None:
    """Print the overview. All draws are by the recipe's seed."""
    _show_corpus(console, corpus, validation_rows)
    generator = np.random.default_rng(recipe.seed)
    _show_rows(console, "ten random rows", corpus, _draw(corpus.train, 10, generator))
    title, rows = _first_rows(corpus)
    _show_rows(console, title, corpus, _draw(rows, 5, generator))
    _show_tokens(console, corpus.train[0], tokenizer)
    _show_lengths(console, corpus.train, tokenizer, recipe.max_length)
    _show_parameters(console, model)


def _draw(examples: Sequence[Example], count: int, generator: np.random.Generator) -> list[Example]:
    rows = generator.permutation(len(examples))[:count]
    return [examples[row] for row in rows]


def _first_rows(corpus: Corpus) -> tuple[str, Sequence[Example]]:
    """Rows of the first label, of which five are shown; of numbers, the five lowest."""
    first, problem = corpus.labels[0], corpus.problem
    if isinstance(problem, Regression):
        return f"five rows of the lowest {first}", sorted(corpus.train, key=lambda example: float(example.label))[:5]
    several = isinstance(problem, MultiLabel)
    rows = [example for example in corpus.train if (0 in example.label if several else example.label == 0)]
    return f"five rows labelled {first}", rows


def _show_corpus(console: Console, corpus: Corpus, validation_rows: int) -> None:
    _say(
        console,
        f"{len(corpus.train):,} sentences",
        f" in {corpus.name}, {len(corpus.train) - validation_rows:,} to train on, {validation_rows:,} to validate; "
        f"{_labels_in_words(corpus)}",
    )
    if isinstance(corpus.problem, Regression):
        _show_numbers(console, corpus.labels[0], np.array([example.label for example in corpus.train]))
    for name, examples in corpus.holdouts.items():
        _say(console, f"holdout {name}", f": {len(examples):,} sentences")


def _labels_in_words(corpus: Corpus) -> str:
    """Rows by label; of numbers, their range and middle."""
    values = [example.label for example in corpus.train]
    if isinstance(corpus.problem, Regression):
        return (
            f"{corpus.labels[0]} {min(values):g} to {max(values):g}, median {np.median(values):.4g}, "
            f"mean {np.mean(values):.4g}, standard deviation {np.std(values):.4g}"
        )
    several = isinstance(corpus.problem, MultiLabel)
    counts = Counter(label for value in values for label in value) if several else Counter(values)
    shares = ", ".join(
        f"{label}: {counts[number]:,} ({counts[number] / len(values):.1%})"
        for number, label in enumerate(corpus.labels)
    )
    return f"labels {shares}" + (f"; none: {values.count(()):,}" if several else "")


def _show_numbers(console: Console, name: str, values: np.ndarray[Any, np.dtype[np.float64]]) -> None:
    """How the numbers are distributed, in ten bins of equal width."""
    counts, edges = np.histogram(values, _NUMBER_BINS)
    _say(console, name, "")
    for low, high, count in zip(edges[:-1], edges[1:], counts.tolist(), strict=True):
        share = count / len(values)
        console.print(f"  {low:>8.4g} to {high:<8.4g} {'█' * round(share * 60)} {share:.1%}", markup=False)


def _show_rows(console: Console, title: str, corpus: Corpus, examples: Sequence[Example]) -> None:
    table = Table(title=Text(title), title_justify="left", box=None)
    table.add_column("label", justify="right")
    table.add_column("sentence")
    labels = corpus.problem.cells(corpus.problem.true([example.label for example in examples]))
    for example, label in zip(examples, labels, strict=True):
        text = example.text if example.pair is None else f"{example.text} ⟷ {example.pair}"
        table.add_row(Text(label), Text(text))
    console.print(table)


def _show_tokens(console: Console, example: Example, tokenizer: Any) -> None:
    encoding = tokenizer(example.text, example.pair)
    _say(console, "one sentence", f"  {example.text}" + ("" if example.pair is None else f" ⟷ {example.pair}"))
    _say(console, "  tokens", f"  {' '.join(tokenizer.convert_ids_to_tokens(encoding['input_ids']))}")
    _say(console, "  ids", f"     {' '.join(map(str, encoding['input_ids']))}")


def _show_lengths(console: Console, examples: Sequence[Example], tokenizer: Any, max_length: int) -> None:
    lengths = token_lengths(examples, tokenizer)
    cut = int((lengths > max_length).sum())
    _say(
        console,
        "token lengths",
        f" (special tokens included): median {np.median(lengths):.0f}, mean {lengths.mean():.1f}, "
        f"longest {lengths.max()}; {cut:,} of {len(lengths):,} are cut at {max_length}",
    )
    low = 0
    for high in _SHOWN_LENGTHS:
        share = float(((lengths > low) & (lengths <= high)).mean())
        if share:
            console.print(f"  {low + 1:>4}–{high:<4} {'█' * round(share * 60)} {share:.1%}", markup=False)
        low = high
    if (lengths > low).any():
        console.print(f"  over {low} {float((lengths > low).mean()):.1%}", markup=False)


def token_lengths(examples: Sequence[Example], tokenizer: Any) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Tokens (rows,) of each example, uncut, special ones included."""
    pairs = [example.pair or "" for example in examples] if examples[0].pair is not None else None
    ids = tokenizer([example.text for example in examples], pairs, verbose=False)["input_ids"]
    return np.fromiter(map(len, ids), np.int64, len(ids))


def length_bins(lengths: np.ndarray[Any, np.dtype[np.int64]]) -> list[tuple[float, float, int]]:
    """Token counts (rows,) as at most 32 bins (over, up to, rows), as wide as a power of two."""
    width = 2 ** max(0, int(lengths.max() - 1).bit_length() - 5)
    rows = np.bincount((lengths - 1) // width).tolist()
    return [(index * width, (index + 1) * width, count) for index, count in enumerate(rows)]


def _show_parameters(console: Console, model: Any) -> None:
    named = list(model.named_parameters())
    total = sum(parameter.numel() for _, parameter in named)
    groups: dict[str, list[tuple[str, Any]]] = {"embedding": [], "first layer": [], "head": []}
    for name, parameter in named:
        group = _group(name)
        if group:
            groups[group].append((name, parameter))
    table = Table(title=f"{len(named)} named parameters, {total:,} weights", title_justify="left", box=None)
    table.add_column("part")
    table.add_column("parameter")
    table.add_column("shape", justify="right")
    for group, members in groups.items():
        for name, parameter in members:
            table.add_row(group, name, " × ".join(map(str, parameter.shape)))
    console.print(table)


def _group(name: str) -> str | None:
    """Which part of the model a parameter is shown under; None for the layers between."""
    if "embeddings" in name:
        return "embedding"
    if ".layer.0." in name:
        return "first layer"
    return None if ".layer." in name else "head"


def _say(console: Console, head: str, rest: str) -> None:
    """One line as it stands: what comes from a corpus may look like rich's markup or emoji codes."""
    console.print(Text.assemble((head, "bold"), rest), soft_wrap=True)
