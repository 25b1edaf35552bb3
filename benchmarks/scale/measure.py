"""Scale: does time per row, and does memory, stay flat as a file grows, and what do repeated sentences cost?"""

import json
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np

from benchmarks.scale.result import Scale, Size
from bertline.bundle import Bundle
from bertline.errors import BertlineError
from bertline.tsv import TableSpec
from infer.rows import Rows
from infer.scorer import WINDOW_ROWS

_LETTERS, _DIGITS = "abcdefghijklmnopqrstuvwxyz", 4  # 456,976 rounds
HEADERLESS = ("--no-header", "--text-column", "1", "--no-labels")  # how infer reads a file of `write_lines`
TIMES = 10  # how often each sentence stands in the file of repeats


def measure_scale(
    bundle: Path,
    table: Path,
    spec: TableSpec,
    rows: Sequence[int],
    *,
    passes: int = 3,
    repeat_rows: int = 0,
    options: Sequence[str] = (),
    progress: Callable[[str], None] = lambda line: None,
) -> Scale:
    """Score files of `rows` distinct sentences each, made of the table's, by `bertline infer OPTIONS`.

    Each pass is a process of its own, since one never forgets its peak of memory; sizes take turns. With
    `repeat_rows` two more files follow: that many sentences once, and each of them ten times, in a fixed random order.
    Raises BertlineError where a run fails.
    """
    texts = _texts(table, spec, Bundle.open(bundle))
    with TemporaryDirectory() as name:
        files = {f"{count:,} rows": write_lines(Path(name) / f"{count}.tsv", distinct(texts, count)) for count in rows}
        if repeat_rows:
            once = list(distinct(texts, repeat_rows))
            often = np.random.default_rng(42).permutation(once * TIMES)
            files[f"{repeat_rows:,} sentences once"] = write_lines(Path(name) / "once.tsv", once)
            files[f"each of them {TIMES} times"] = write_lines(Path(name) / "often.tsv", often.tolist())
        reports: dict[str, list[dict[str, Any]]] = {file: [] for file in files}
        for number in range(passes):
            for title in list(files)[:: 1 if number % 2 == 0 else -1]:
                reports[title].append(score_alone(bundle, files[title], options))
                progress(f"pass {number + 1} of {passes}: {title}: {reports[title][-1]['seconds']:.2f} s")
    sizes = tuple(
        Size(
            title,
            found[0]["rows"],
            found[0]["unique_rows"],
            tuple(report["seconds"] for report in found),
            max(report["peak_memory_mib"] for report in found),
        )
        for title, found in reports.items()
    )
    first = next(iter(reports.values()))[0]
    return Scale(first["variant"], first["provider"], first["batch_tokens"], sizes)


def _texts(table: Path, spec: TableSpec, bundle: Bundle) -> list[str]:
    if len(bundle.manifest.text_columns) != 1:
        raise BertlineError(f"{bundle.path}: scores pairs; benchmark scale makes files of single texts")
    windows = Rows([table], spec, bundle.manifest, use_labels=False).windows(WINDOW_ROWS)
    return [str(text) for window in windows for text in window.texts]


def distinct(texts: Sequence[str], count: int, digits: int = _DIGITS) -> Iterator[str]:
    """The texts in turn, each with the number of its round behind it, so that no two are equal.

    The number is written as `digits` single letters, which every vocabulary has: each text grows by the same tokens,
    and files of all sizes have rows of the same length.
    """
    order = list(dict.fromkeys(texts))
    for row in range(count):
        number, place = divmod(row, len(order))
        letters = (_LETTERS[number // len(_LETTERS) ** digit % len(_LETTERS)] for digit in range(digits))
        yield f"{order[place]} {' '.join(letters)}"


def write_lines(path: Path, texts: Iterator[str] | Sequence[str]) -> Path:
    """A file of one column without a header."""
    with path.open("w", encoding="utf-8") as stream:
        stream.writelines(f"{text}\n" for text in texts)
    return path


def score_alone(
    bundle: Path, file: Path, options: Sequence[str] = (), timeout_seconds: float | None = None
) -> dict[str, Any]:
    """The report of `bertline infer` on a file of `write_lines`, in a process of its own.

    Raises BertlineError where it fails, subprocess.TimeoutExpired where it takes longer than it may.
    """
    output = file.with_suffix(".scored")
    arguments = ["infer", bundle, file, "-o", output, *HEADERLESS, "--force"]
    command = [sys.executable, "-m", "bertline", *map(str, arguments), *options, "-q"]
    done = subprocess.run(command, capture_output=True, text=True, timeout=timeout_seconds)
    if done.returncode:
        reason = done.stderr.strip().removeprefix("bertline: ")
        raise BertlineError(reason or f"{file}: scoring ended with {done.returncode}")
    report: dict[str, Any] = json.loads(output.with_name(output.name + ".report.json").read_text())
    output.unlink()
    return report
