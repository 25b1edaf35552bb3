"""End to end: the real `bertline infer` on a file of distinct sentences, cold and warm, with the time of each stage."""

import math
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from benchmarks.gpu.bench import Bench
from benchmarks.gpu.ort_ways import OrtSpec, open_scorer
from benchmarks.scale.files import distinct, write_lines
from benchmarks.scale.process import score_alone
from bertline.tsv import TableSpec
from infer.job import Job
from infer.output import OutputFormat
from infer.pipeline import score_files

_KEPT = (
    "rows",
    "unique_rows",
    "tokens",
    "seconds",
    "startup_seconds",
    "rows_per_second",
    "stage_seconds",
    "peak_memory_mib",
    "variant",
    "provider",
    "threads",
    "batch_tokens",
)
_LETTERS = 26


def measure_end_to_end(bench: Bench) -> dict[str, Any]:
    """The rows of the table in turn, each with letters behind it that make it unique, scored by a process of its own
    with the command's own settings, and then by a scorer that is open and warm.
    """
    texts, rows = bench.real.texts, bench.plan.rows
    rounds = math.ceil(rows / len(set(texts)))
    digits = max(1, math.ceil(math.log(rounds, _LETTERS)))
    with TemporaryDirectory() as folder:
        file = write_lines(Path(folder) / "rows.tsv", distinct(texts, rows, digits))
        bench.say(f"{rows:,} rows, cold")
        begin = time.perf_counter()
        report = score_alone(
            bench.bundle.path,
            file,
            ["--device", bench.device, "--variant", bench.variant],
            bench.clock.seconds_left,
        )
        process_seconds = time.perf_counter() - begin
        found = {
            "rows": rows,
            "tokens_per_row": report["tokens"] / rows,
            "letters_added": digits,
            "process_seconds": process_seconds,
            "cold": {name: report[name] for name in _KEPT},
        }
        if bench.clock.used_up:
            return found | {"warm": None}
        bench.say(f"{rows:,} rows, warm")
        return found | {"warm": _warm(bench, file)}


def _warm(bench: Bench, file: Path) -> dict[str, Any]:
    spec = OrtSpec(bench.variant, bench.variant)
    scorer = open_scorer(bench.bundle, bench.device, spec, bench.plan.reference_tokens)
    scorer.run_tokens(bench.real.encoded)
    job = Job(
        [file],
        file.with_suffix(".warm"),
        TableSpec(header=False, text_column="1"),
        OutputFormat(),
        use_labels=False,
        force=True,
    )
    report, _ = score_files(job, bench.bundle.manifest, lambda: scorer)
    return {name: report[name] for name in _KEPT}
