"""Every HTML page that bertline writes, by what writes it, and with figures and texts that are hard to place.

A page more is a function from `Line` to HTML, and its line in `PAGES`.
"""

from collections.abc import Callable
from contextlib import chdir
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from bertline.bundle import Bundle
from bertline.cli import run
from bertline.evaluation import Evaluation, MultiLabelEvaluation, RegressionEvaluation
from bertline.evaluation.section import evaluation_section, main_tiles
from bertline.report import Block, Chart, Commands, Facts, Report, Section, Table, render_html
from bertline.tsv import TableSpec
from tests import tiny
from tests.bertline.test_charts import EVIL, EXAMPLES, LONG

WORD = "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft"
ARABIC, EMOJI, CHINESE = (
    "الكتاب قرأته ماري أمس في البيت الكبير.",
    "👩‍🔬🧪 reads 📚📚📚",
    "玛丽昨天在大房子里读了这本书。" * 3,
)
NUMBER = "9," * 330 + "999"  # a thousand characters that cannot be broken
TEXTS = [EVIL, LONG, WORD, ARABIC, EMOJI, CHINESE, NUMBER]


@dataclass(frozen=True)
class Line:
    """The whole line with a tiny model, in an empty folder; a station runs when the first page asks for its result."""

    folder: Path

    @cached_property
    def table(self) -> Path:
        """Labelled rows, in a file with a long name."""
        return tiny.write_table(self.folder / "sentences of the second round, as exported on Monday.tsv", 200)

    @cached_property
    def training(self) -> Any:
        """A run of six epochs, its corpus and its recipe."""
        from finetune.corpus import load_corpus
        from finetune.recipe import Recipe
        from finetune.train import finetune

        untrained = tiny.write_model(self.folder / "untrained")
        corpus = load_corpus(str(self.table), TableSpec(), holdout=self.table)
        recipe = Recipe(model=str(untrained), epochs=6, learning_rate=1e-3, precision="fp32")
        with tiny.one_thread():
            return finetune(corpus, recipe, self.folder / "model", device="cpu"), corpus, recipe

    @cached_property
    def bundle(self) -> Bundle:
        from export.bundling import export_bundle

        trained = self.training[0].folder
        return export_bundle(trained, self.folder / "bundle", [self.table], TableSpec(label_column="label"))

    @cached_property
    def scored(self) -> Any:
        """A report and its evaluation, of a table with labels."""
        from infer.job import Job, report_path
        from infer.pipeline import score_files
        from infer.scorer import Scorer

        output = self.folder / "scored.tsv"
        job = Job([self.table], output, TableSpec(label_column="label"), report=report_path(output), html=True)
        return score_files(job, self.bundle.manifest, lambda: Scorer.open(self.bundle, device="cpu", threads=1))


def training_page(line: Line) -> str:
    return (line.training[0].folder / "training.html").read_text(encoding="utf-8")


def scoring_page(line: Line) -> str:
    line.scored  # noqa: B018
    return (line.folder / "scored.tsv.report.html").read_text(encoding="utf-8")


def quarantine_page(line: Line) -> str:
    """Two files, one of them with rows that are set aside, and no labels."""
    bad = line.folder / "bad.tsv"
    bad.write_text("id\tsentence\n1\tThe cat sleeps.\n2\n3\tA\tB\tC\n", encoding="utf-8")
    output = line.folder / "quarantined.tsv"
    arguments = ["infer", line.bundle.path, bad, "-o", output, "--on-error", "quarantine", "--html", "--quiet"]
    assert run([str(argument) for argument in arguments]) == 0
    return (line.folder / "quarantined.tsv.report.html").read_text(encoding="utf-8")


def latency_result() -> Any:
    """A grid of shapes by eight ways, with figures as they come, and one that was not measured."""
    from benchmarks.latency.result import PYTORCH, Cell, Latency, LoadedWay, Plan
    from benchmarks.timing import Timing

    plan = Plan(batches=(1, 8, 32), sequences=(8, 16, 64, 128, 512))
    names = ("fp32", "fp16", "quantized", "int8", "bf16")
    titles = [PYTORCH, "PyTorch bf16", "PyTorch fp32, compiled", *(f"bertline {name}" for name in names)]
    cells = [
        Cell(
            title,
            batch,
            sequence,
            9.0 * ms,
            Timing(ms, 1.1 * ms, 1.9 * ms, 1.02 * ms, 40, 0.95 * ms, 1.06 * ms),
            0.002,
            1e9,
        )
        for batch in plan.batches
        for sequence in plan.sequences
        for place, title in enumerate(titles)
        for ms in [(1.0 - 0.1 * place) * (1.5 + 0.05 * batch * sequence)]
        for timing in [Timing(ms, 1.1 * ms, 1.9 * ms, 1.02 * ms, 40, 0.95 * ms, 1.06 * ms)]
    ]
    ways = tuple(LoadedWay(title, "OpenVINOExecutionProvider", ("float32",), 1.25) for title in titles)
    return Latency(plan, 2, 22_000_000, ways, tuple(cells), {"PyTorch fp32, on paper": f"no compiler: {LONG}"})


def throughput_result() -> Any:
    """All our ways and a peer's, one that was not measured among them."""
    from benchmarks.throughput.candidates import own_candidates
    from benchmarks.throughput.result import Throughput, Way

    titles = [candidate.title for candidate in own_candidates(["fp32", "fp16", "quantized", "int8"])]
    titles.append("Sentence-Transformers CrossEncoder, OpenVINO int8")
    ways = [
        Way(
            title,
            ("float32",),
            41.0 - n,
            (40.0 / (n + 1),) * 5,
            2e-6 * 7**n,
            n * n,
            0.5,
            1.25,
            None,
            812.4,
            {"torch": "2.13.0"},
            {"read": 0.1, "tokenize": 3.2, "run": 30.0 / (n + 1)} if n % 3 == 2 else None,
        )
        for n, title in enumerate(titles)
    ]
    failures = {"optimum-intel, OpenVINO": f"not installed; {LONG}", "vLLM": "takes no encoder: " + "/long/path" * 30}
    return Throughput(WORD, "dev.tsv", 12_345_678, 160_493_814, 1e9, tuple(ways), failures)


def scale_result() -> Any:
    """Every series, and a file of one that was not measured."""
    from benchmarks.scale.result import LENGTHS, REPEATS, ROWS, THREADS, Point, Scale, Series

    def points(*sizes: int) -> tuple[Point, ...]:
        return tuple(
            Point(f"rows.{n}.tsv.zst", n, n, n, 11 * n, (n * 5e-5, n * 6e-5), (1.0, 1.1), (900.0, 901.0), {}, 1e9 * n)
            for n in sizes
        )

    series = (
        Series(ROWS, points(10**5, 10**6, 10**7, 10**8), {}),
        Series(LENGTHS, points(8, 64, 512), {"1,024 tokens": f"the model takes at most 512; {LONG}"}),
        Series(THREADS, points(1, 2, 4), {}),
        Series(REPEATS, points(1, 10), {}),
    )
    return Scale("sentences.tsv", "fp32", "CPUExecutionProvider", ("float32",), 4096, 2, series)


def results_page(*results: Any) -> str:
    """The benchmarks' page over documents of these results."""
    from benchmarks.documents import Document
    from benchmarks.machine import Ceiling, Machine
    from benchmarks.report.page import results_page

    versions = {
        name: "1.23.4.post5" for name in ("bertline", "numpy", "onnxruntime", "tokenizers", "torch", "transformers")
    }
    ceiling = Ceiling({"float32": 1.4e11, "bfloat16": 2.1e12, "int8": 3.3e12}, 2.3e10)
    machine = Machine(
        "Some(R) Processor(TM) Gold 1234 CPU @ 2.10GHz", 64, 2, 257_000, "Linux x86_64", versions, ceiling
    )
    command = [
        "benchmark",
        "latency",
        "bundle",
        "--model",
        "model",
        "--sequences",
        "8,16,64,128,512",
        "-o",
        "a file.json",
    ]
    return results_page([Document.of(result, machine, command) for result in results])


def demo_page(line: Line) -> str:
    from bertline.demo import _page

    with chdir(line.folder):
        return _page(line.training[0], [line.scored] * 2, latency_result(), Path("artifacts/a demo"), 61.2)


def blocks_page(line: Line) -> str:
    """Every kind of block, with texts that are hard to place."""
    blocks: list[Block] = [
        *TEXTS,
        Table(["text", "count", WORD], [[text, 10**n, text] for n, text in enumerate(TEXTS)], caption=LONG),
        Table([ARABIC, EMOJI], []),
        Commands([f"bertline infer {text} -o out.tsv" for text in TEXTS]),
        Facts({text[:90]: text for text in TEXTS} | {"none": None}),
        Chart(EXAMPLES["matrix, long"], LONG),
        "between two charts",
        *(Chart(EXAMPLES["bars, 17"], text) for text in TEXTS),
    ]
    headline = [
        ("0.564", "MCC on 8,551 rows"),
        ("12,345,678,901", "rows/s"),
        (WORD, WORD),
        (NUMBER, ARABIC),
        ("🎉", LONG),
    ]
    sections = [Section(text, [text]) for text in TEXTS]
    return render_html(Report(f"{EVIL} {WORD}", LONG, headline, [Section("Everything", blocks), *sections]))


def wide_page(line: Line) -> str:
    """Tables that no page is wide enough for."""
    many = Table([f"column {n}" for n in range(40)], [[10.0**n for n in range(40)]] * 3, "many columns")
    long = Table(["n", "figure"], [[n, NUMBER] for n in range(3)], "a very long number")
    return render_html(Report("Wide tables", "", [], [Section("Both", [many, "between", long])]))


def charts_page(line: Line) -> str:
    """Every chart of its own tests."""
    charts = [Chart(svg, name) for name, svg in EXAMPLES.items()]
    return render_html(Report("Charts", "", [], [Section("All of them", charts)]))


def evaluation_page(line: Line) -> str:
    """Evaluations of two labels, of one batch, of none, and of very many labels with long names."""
    draw = np.random.default_rng(0)
    sections = []
    for rows, labels in (
        (20_000, ("unacceptable", "acceptable")),
        (3, ("0", "1")),
        (0, ("0", "1")),
        (999, tuple(TEXTS[:6])),
    ):
        true = draw.integers(0, len(labels), rows)
        evaluation = Evaluation(labels)
        logits = draw.normal(0, 1, (rows, len(labels)))
        logits[np.arange(rows), true] += 1.5
        texts = [TEXTS[row % len(TEXTS)] for row in range(rows)]
        evaluation.add(true, logits, draw.integers(3, 64, rows), texts)
        evaluation.finish()
        sections.append(evaluation_section(f"{rows:,} rows, {len(labels)} labels", evaluation))
    return render_html(Report("Evaluations", "", [], sections))


def several_labels_page(line: Line) -> str:
    """Evaluations of few labels, of more than there is room for, with thresholds of their own, and of no rows."""
    draw, sections = np.random.default_rng(0), []
    for rows, labels, thresholds in (
        (5000, ("joy", "anger", "fear", "surprise", "sadness"), (0.31, 0.5, 0.62, 0.2, 0.45)),
        (900, tuple(text for text in TEXTS if "," not in text)[:5], None),
        (300, tuple(f"label {number}" for number in range(70)), None),
        (0, ("a", "b"), None),
    ):
        true = draw.random((rows, len(labels))) < np.linspace(0.05, 0.5, len(labels))
        logits = draw.normal(0, 1.2, (rows, len(labels))) + 2.2 * true - 1.4
        evaluation = MultiLabelEvaluation(labels, thresholds)
        texts = [TEXTS[row % len(TEXTS)] for row in range(rows)]
        evaluation.add(true, logits, draw.integers(3, 64, rows), texts)
        sections.append(evaluation_section(f"{rows:,} rows, {len(labels)} labels", evaluation))
    return render_html(Report("Several labels", "", main_tiles(evaluation, "on dev"), sections))


def numbers_page(line: Line) -> str:
    """Evaluations of numbers: many, few, one, none, and all alike."""
    draw, sections = np.random.default_rng(0), []
    for rows, scale in ((5000, 1.0), (30, 1e6), (1, 1.0), (0, 1.0), (40, 0.0)):
        true = draw.integers(0, 26, rows) / 5 * scale
        logits = (true * 0.8 + draw.normal(0.4, 0.6, rows) * scale)[:, None]
        evaluation = RegressionEvaluation(("score",))
        texts = [(TEXTS[row % len(TEXTS)], TEXTS[row % 3]) for row in range(rows)]
        evaluation.add(true, logits, draw.integers(3, 64, rows), texts, lambda row: ("a file.tsv", row + 2))
        sections.append(evaluation_section(f"{rows:,} rows", evaluation))
    return render_html(Report("Numbers", "", main_tiles(evaluation), sections))


PAGES: dict[str, Callable[[Line], str]] = {
    "training": training_page,
    "scoring": scoring_page,
    "scoring, rows set aside": quarantine_page,
    "demo": demo_page,
    "benchmark latency": lambda line: results_page(latency_result()),
    "benchmark throughput": lambda line: results_page(throughput_result()),
    "benchmark scale": lambda line: results_page(scale_result()),
    "all benchmarks": lambda line: results_page(latency_result(), throughput_result(), scale_result()),
    "blocks": blocks_page,
    "wide tables": wide_page,
    "charts": charts_page,
    "evaluations": evaluation_page,
    "evaluations of several labels": several_labels_page,
    "evaluations of numbers": numbers_page,
}
WIDER_THAN_PAPER = {"wide tables"}  # a browser prints these smaller
