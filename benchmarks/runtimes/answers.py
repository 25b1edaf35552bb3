"""Answers to rows, bertline's own and those in a table that a consumer has written, and how far they are apart."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bertline.errors import BertlineError
from bertline.problems import Problem, Regression
from infer.encode import Text
from infer.runners import Logits
from infer.scorer import Scorer

ROW = "row"  # the last column of the tables that consumers are given: its number
_UNWRITABLE = "\t\n\0"


@dataclass(frozen=True)
class Answers:
    """One for each row."""

    token_ids: list[str]  # with spaces between
    labels: list[str]  # of several at once with commas between; of a model of numbers empty, the logits are all
    logits: Logits  # (rows, labels) float32


@dataclass(frozen=True)
class Difference:
    """Of two answers to the same rows."""

    id_mismatches: int  # rows
    labels_differ: int  # rows
    max_abs_logit: float


def own_ids(scorer: Scorer, texts: Sequence[Text]) -> list[str]:
    """Token ids by bertline, as a consumer writes them."""
    return [" ".join(map(str, ids)) for ids in scorer.encoder.encode(texts).input_ids]


def own_answers(scorer: Scorer, texts: Sequence[Text]) -> Answers:
    """Bertline's, on the scorer's variant."""
    encoded = scorer.encoder.encode(texts)
    logits = scorer.run_tokens(encoded)
    return Answers([" ".join(map(str, ids)) for ids in encoded.input_ids], _cells(scorer, logits), logits)


def _cells(scorer: Scorer, logits: Logits) -> list[str]:
    problem = scorer.bundle.manifest.problem
    if isinstance(problem, Regression):
        return [""] * len(logits)
    return problem.cells(problem.decide(logits))


def write_table(path: Path, columns: Sequence[str], texts: Sequence[Text]) -> Path:
    """A table that every consumer can read: texts under the bundle's own names, and the number of each row."""
    with path.open("w", encoding="utf-8", newline="\n") as stream:
        stream.write("\t".join([*columns, ROW]) + "\n")
        for number, text in enumerate(texts):
            cells = [text] if isinstance(text, str) else list(text)
            if any(character in cell for cell in cells for character in _UNWRITABLE):
                raise BertlineError(f"row {number + 1} holds a tab, a line end or a NUL; give TSV files")
            stream.write("\t".join([*cells, str(number)]) + "\n")
    return path


def read_answers(path: Path, rows: int, problem: Problem) -> Answers:
    """What a consumer made of a table of `write_table`; BertlineError where that is not an answer to each row."""
    try:
        head, *lines = path.read_bytes().decode().removesuffix("\n").split("\n")  # no other line ends
    except FileNotFoundError:
        raise BertlineError("ended well and wrote no output") from None
    except UnicodeDecodeError:
        raise BertlineError("its output is not UTF-8") from None
    columns, cells = head.split("\t"), [line.split("\t") for line in lines]
    answer = "prediction" if isinstance(problem, Regression) else "predicted_label"
    wanted = (ROW, "token_ids", answer, *(f"logit_{label}" for label in problem.labels))
    if missing := [name for name in wanted if name not in columns]:
        raise BertlineError(f"its output has no column {', '.join(missing)}")
    if any(len(row) != len(columns) for row in cells):
        raise BertlineError("its output has rows of another width than its header")
    by_name = dict(zip(columns, zip(*cells, strict=True), strict=True)) if cells else dict.fromkeys(columns, ())
    if list(by_name[ROW]) != [str(number) for number in range(rows)]:
        raise BertlineError(f"its output has not the {rows:,} rows of its input, in their order")
    try:
        logits = np.array([by_name[name] for name in wanted[3:]], np.float32).T
    except ValueError:
        raise BertlineError("its output holds a logit that is no number") from None
    if not np.isfinite(logits).all():
        raise BertlineError("gives a logit that is no number")
    labels = [""] * rows if isinstance(problem, Regression) else list(by_name[answer])
    return Answers(list(by_name["token_ids"]), labels, logits)


def differing(found: Sequence[str], expected: Sequence[str]) -> list[int]:
    """Rows in which they are not the same."""
    return [row for row, (one, other) in enumerate(zip(found, expected, strict=True)) if one != other]


def difference(found: Answers, expected: Answers) -> Difference:
    """How far a consumer's answers are from bertline's."""
    return Difference(
        len(differing(found.token_ids, expected.token_ids)),
        len(differing(found.labels, expected.labels)),
        float(np.abs(found.logits - expected.logits).max()),
    )
