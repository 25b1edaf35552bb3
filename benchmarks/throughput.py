"""Throughput: one file, scored in all the ways a person would today, interleaved, file to file."""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from benchmarks import ways
from benchmarks.ceiling import flop_per_row, matrix_rate
from bertline.bundle import Bundle
from bertline.errors import BertlineError
from bertline.model_folder import ModelFolder
from bertline.report import Facts, Report, Section, Table, render_html
from bertline.tsv import TableSpec
from infer.cpus import cpu_name, usable_cpus
from infer.job import Job
from infer.output import OutputFormat, softmax
from infer.pipeline import score_files
from infer.rows import Rows
from infer.scorer import WINDOW_ROWS, Scorer
from infer.versions import runtime_versions

SETTLE_SECONDS = 0.2  # idle thread pools spin for a while, and would take the next way's cores
NOTEBOOK, PIPELINE = "notebook's loop, PyTorch fp32", "transformers pipeline, fp32"
TORCH_FP32, TORCH_BF16 = "PyTorch fp32, equal lengths", "PyTorch bf16, equal lengths"
PLAIN_ONNX = "ONNX Runtime fp32, plain graph"
OURS, BARE = "bertline", "bertline's session alone"


@dataclass(frozen=True)
class Contender:
    """One way on one file: `run` scores it from file to file, `logits` gives (rows, labels) of the last run."""

    run: Callable[[], object]
    logits: Callable[[], NDArray[np.float32]]


@dataclass(frozen=True)
class Result:
    """One way: seconds of its first pass and of each later one, and how far its answers are from PyTorch fp32."""

    way: str
    rows: int
    cold_seconds: float
    seconds: tuple[float, ...]
    max_abs_logit: float
    flips: int

    @property
    def rows_per_second(self) -> float:
        """Median over the warm passes."""
        return self.rows / float(np.median(self.seconds))

    @property
    def spread(self) -> float:
        """Width of the middle half of the warm passes, as a share of the median."""
        low, middle, high = np.percentile(self.seconds, [25, 50, 75])
        return float((high - low) / middle)


def measure_throughput(
    bundle: Path,
    model_dir: Path,
    table: Path,
    spec: TableSpec,
    *,
    variants: Sequence[str] = ("fp32",),
    rows: int = 1024,
    passes: int = 3,
    threads: int | None = None,
    progress: Callable[[str], None] = lambda line: None,
) -> tuple[list[Result], dict[str, Any]]:
    """Score at most `rows` rows of a table, spread evenly over it, in every way, `passes` times after one cold pass.

    Each pass reads a file and writes a file; models are loaded before. Ways take turns. Raises BertlineError as
    opening bundle, model folder and table does.
    """
    threads = threads or usable_cpus()
    torch.set_num_threads(threads)
    opened = Bundle.open(bundle)
    texts = _texts(table, spec, opened, rows)
    with TemporaryDirectory() as name:
        folder = Path(name)
        file = folder / "rows.tsv"
        file.write_text("".join(f"{text}\n" for text in texts), encoding="utf-8")
        runs = _peers(bundle, model_dir, file, folder, threads)
        for variant in variants:
            runs |= _ours(opened, variant, file, texts, folder, threads)
        results = _take_turns(runs, len(texts), passes, progress)
    return results, _environment(bundle, model_dir, texts, threads)


def _texts(table: Path, spec: TableSpec, bundle: Bundle, rows: int) -> list[str]:
    if len(bundle.manifest.text_columns) != 1:
        raise BertlineError(f"{bundle.path}: scores pairs; benchmark throughput compares ways for single texts")
    found = [
        text
        for window in Rows([table], spec, bundle.manifest, use_labels=False).windows(WINDOW_ROWS)
        for text in window.texts
    ]
    return [str(found[index]) for index in np.linspace(0, len(found) - 1, min(rows, len(found))).astype(int)]


def _peers(bundle: Path, model_dir: Path, file: Path, folder: Path, threads: int) -> dict[str, Contender]:
    found: dict[str, ways.Way] = {
        NOTEBOOK: ways.notebook(model_dir),
        PIPELINE: ways.transformers_pipeline(model_dir),
        TORCH_FP32: ways.pytorch_equal_lengths(model_dir, bundle, torch.float32),
        TORCH_BF16: ways.pytorch_equal_lengths(model_dir, bundle, torch.bfloat16),
        PLAIN_ONNX: ways.plain_onnx(model_dir, bundle, threads, folder),
    }
    return {name: _file_to_file(way, file, folder / "scored.tsv") for name, way in found.items()}


def _file_to_file(way: ways.Way, file: Path, output: Path) -> Contender:
    """What a script of ten lines does around a model: read the file, score it, write label and score."""
    last: list[NDArray[np.float32]] = []

    def run() -> None:
        texts = file.read_text(encoding="utf-8").splitlines()
        logits = way(texts)
        probabilities = softmax(logits)
        with output.open("w", encoding="utf-8") as stream:
            for text, label, row in zip(texts, logits.argmax(axis=1), probabilities, strict=True):
                stream.write(f"{text}\t{label}\t{row[label]:.9g}\n")
        last[:] = [logits]

    return Contender(run, lambda: last[0])


def _ours(
    bundle: Bundle, variant: str, file: Path, texts: Sequence[str], folder: Path, threads: int
) -> dict[str, Contender]:
    scorer = Scorer.open(bundle, device="cpu", variant=variant, threads=threads)
    output, labels = folder / f"{variant}.tsv", len(bundle.manifest.labels)
    form = OutputFormat(header=False, logits=True)
    job = Job([file], output, TableSpec(header=False, text_column="1"), form, use_labels=False, force=True)

    def logits() -> NDArray[np.float32]:
        lines = output.read_text(encoding="utf-8").splitlines()
        return np.array([line.split("\t")[-labels:] for line in lines], np.float32)

    whole = Contender(lambda: score_files(job, bundle.manifest, lambda: scorer), logits)
    bare = ways.bare_session(scorer, texts)
    return {f"{OURS} {variant}": whole, f"{BARE}, {variant}": Contender(lambda: bare(texts), lambda: bare(texts))}


def _take_turns(runs: Mapping[str, Contender], rows: int, passes: int, progress: Callable[[str], None]) -> list[Result]:
    seconds: dict[str, list[float]] = {name: [] for name in runs}
    for turn in range(passes + 1):
        for name in list(runs)[:: 1 if turn % 2 == 0 else -1]:
            time.sleep(SETTLE_SECONDS)
            start = time.perf_counter()
            runs[name].run()
            seconds[name].append(time.perf_counter() - start)
            progress(f"pass {turn} of {passes}: {name}: {rows / seconds[name][-1]:,.0f} rows/s")
    logits = {name: contender.logits() for name, contender in runs.items()}
    truth = logits[NOTEBOOK]
    return [
        Result(
            name,
            rows,
            times[0],
            tuple(times[1:]),
            float(np.abs(logits[name] - truth).max()),
            int((logits[name].argmax(axis=1) != truth.argmax(axis=1)).sum()),
        )
        for name, times in seconds.items()
    ]


def _environment(bundle: Path, model_dir: Path, texts: Sequence[str], threads: int) -> dict[str, Any]:
    config = ModelFolder.open(model_dir).config
    lengths = Scorer.open(bundle, device="cpu", variant="fp32", threads=threads).encoder.encode(texts).lengths
    flop = flop_per_row(config, lengths)
    return {
        "cpu": cpu_name(),
        "threads": threads,
        "tokens": int(lengths.sum()),
        **({"encoder_flop_per_row": flop} if flop else {}),
        "matrix_flops": {
            str(dtype).removeprefix("torch."): matrix_rate(dtype) for dtype in (torch.float32, torch.bfloat16)
        },
        "versions": runtime_versions() | {"torch": torch.__version__},
    }


TABLE_COLUMNS = ("way", "rows/s", "spread", "first pass", "× notebook", "max |Δlogit|", "flips", "of matrix rate")


def table_rows(results: Sequence[Result], environment: dict[str, Any]) -> list[list[str]]:
    """One row a way: median rows/s warm, its spread, rows/s cold, ratio to the notebook's loop, and its answers.

    The last column is the share of the processor's own best rate for matrix products, measured in the same run.
    """
    notebook = next(result for result in results if result.way == NOTEBOOK)
    flop = environment.get("encoder_flop_per_row")
    ceiling = max(environment["matrix_flops"].values())  # bf16 is emulated on CPUs without it, and slower
    return [
        [
            result.way,
            f"{result.rows_per_second:,.0f}",
            f"±{result.spread / 2:.1%}",
            f"{result.rows / result.cold_seconds:,.0f}",
            f"{result.rows_per_second / notebook.rows_per_second:.2f}",
            f"{result.max_abs_logit:.1e}",
            f"{result.flips}",
            f"{result.rows_per_second * flop / ceiling:.1%}" if flop else "–",
        ]
        for result in results
    ]


def ratio_columns(results: Sequence[Result]) -> list[str]:
    """Each way of ours, to be compared with everybody else's."""
    return ["way", *(result.way for result in results if _is_ours(result))]


def ratio_rows(results: Sequence[Result]) -> list[list[str]]:
    """One row for each other way: how many times as fast each of ours is, the median over the passes.

    Both of a pass ran within the same minute, so that what slows down the whole machine falls out. In brackets where
    1 lies within the middle half of the passes: that is noise.
    """
    ours = [result for result in results if _is_ours(result)]
    return [[other.way, *(_ratio(own, other) for own in ours)] for other in results if not _is_ours(other)]


def _ratio(own: Result, other: Result) -> str:
    low, ratio, high = np.percentile(np.array(other.seconds) / np.array(own.seconds), [25, 50, 75])
    return f"({ratio:.2f})" if low <= 1 <= high else f"{ratio:.2f}"


def _is_ours(result: Result) -> bool:
    return result.way.startswith(OURS)


def to_json(results: Sequence[Result], environment: dict[str, Any]) -> dict[str, Any]:
    """The document of a throughput run."""
    rows = [asdict(result) | {"rows_per_second": result.rows_per_second} for result in results]
    return {"schema": 1, "kind": "throughput", "environment": environment, "results": rows}


def throughput_page(results: Sequence[Result], environment: dict[str, Any], file: str) -> str:
    """A self-contained HTML page of one throughput run."""
    best = max((result for result in results if result.way.startswith(f"{OURS} ")), key=lambda r: r.rows_per_second)
    notebook = next(result for result in results if result.way == NOTEBOOK)
    headline = [
        (f"{best.rows_per_second:,.0f}", f"rows/s, {best.way}"),
        (f"{best.rows_per_second / notebook.rows_per_second:.1f}×", "the notebook's loop"),
    ]
    facts = {
        "rows, tokens": f"{results[0].rows:,}, {environment['tokens']:,}",
        "threads": environment["threads"],
        "matrix rate": ", ".join(
            f"{name} {rate / 1e12:.2f} TFLOP/s" for name, rate in environment["matrix_flops"].items()
        ),
        "versions": ", ".join(f"{name} {version}" for name, version in environment["versions"].items()),
    }
    told = "Ways take turns on the same rows, file to file, models loaded before. Spread: half of the middle half."
    sections = [
        Section("Throughput", [told, Table(TABLE_COLUMNS, table_rows(results, environment))]),
        Section("How many times as fast", [Table(ratio_columns(results), ratio_rows(results))]),
        Section("Environment", [Facts(facts)]),
    ]
    return render_html(Report(f"Scoring {file} in every way", environment["cpu"], headline, sections))
