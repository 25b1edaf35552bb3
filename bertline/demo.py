"""`bertline demo`: the whole line on a corpus it makes itself, offline, in about a minute on two cores."""

import json
import shlex
import time
from contextlib import chdir
from pathlib import Path
from typing import Any

from bertline.console import file_size, log_console
from bertline.evaluation.section import evaluation_section, main_tiles
from bertline.files import whole_folder
from bertline.report import Commands, Report, Section, Table, render_html
from bertline.tsv import TableSpec

_LATENCY_SECONDS = 0.4  # for each shape


def run_demo(output: Path, *, force: bool = False, quiet: bool = False) -> None:
    """Make corpus and model, train, export, verify, score the dev files, time, and write `output`/report.html."""
    from finetune.demo_corpus import write_demo_corpus
    from finetune.demo_model import DEMO_RECIPE, write_demo_model

    console = log_console(quiet)

    def say(line: str) -> None:
        console.print(line, markup=False)

    if output.parent == Path("artifacts"):
        output.parent.mkdir(exist_ok=True)
    started = time.perf_counter()
    with whole_folder(output, force=force) as folder, chdir(folder):  # so that reports name what stays true
        corpus_folder = Path("corpus")
        write_demo_corpus(corpus_folder)
        say("1/5 corpus: sentences of a small grammar, acceptable and broken")

        from finetune.corpus import load_corpus
        from finetune.recipe import Recipe
        from finetune.train import finetune

        corpus = load_corpus(str(corpus_folder), TableSpec())
        write_demo_model(Path("untrained"), [example.text for example in corpus.train])
        say(f"2/5 fine-tune: a small BERT from nothing, on {len(corpus.train):,} sentences")
        # A model this small computes faster in fp32 than it converts to bf16.
        recipe = Recipe(model="untrained", precision="fp32", **DEMO_RECIPE)
        run = finetune(corpus, recipe, Path("model"), console=console)

        from export.bundling import export_bundle

        say("3/5 export, and proof of parity")
        spec = TableSpec.from_options(format="cola")
        dev_files = [corpus_folder / "raw" / f"{name}.tsv" for name in ("in_domain_dev", "out_of_domain_dev")]
        export_bundle(Path("model"), Path("bundle"), dev_files, spec, say=say)

        say("4/5 score both dev files")
        scored = [_score(file, spec) for file in dev_files]

        from benchmarks.latency.measure import measure_latency
        from benchmarks.latency.pytorch_ways import pytorch_fp32
        from benchmarks.latency.result import Plan
        from benchmarks.latency.ways import bertline_ways
        from bertline.bundle import Bundle
        from infer.cpus import usable_cpus

        say("5/5 latency of PyTorch and ONNX Runtime")
        plan = Plan(batches=(1, 32), sequences=(8, 16, 64), seconds=_LATENCY_SECONDS)
        ways = [pytorch_fp32(Path("model")), *bertline_ways(Bundle.open(Path("bundle")), ["fp32"], usable_cpus())]
        latency = measure_latency(Path("bundle"), Path("model"), ways, plan)
        seconds = time.perf_counter() - started
        page = _page(run, scored, latency, output, seconds)
        Path("report.html").write_text(page, encoding="utf-8")
    for report, _ in scored:
        say(f"{Path(report['input'][0]['name']).stem}: MCC {report['metrics']['mcc']:.3f} on {report['rows']:,} rows")
    say(f"the whole line in {seconds:.0f} s; look at {output / 'report.html'}")


def _score(file: Path, spec: TableSpec) -> tuple[dict[str, Any], Any]:
    from bertline.bundle import Bundle
    from infer.job import Job, report_path
    from infer.pipeline import score_files
    from infer.scorer import Scorer

    bundle = Bundle.open(Path("bundle"))
    output = Path(f"{file.stem}.scored.tsv")
    job = Job([file], output, spec, report=report_path(output))
    return score_files(job, bundle.manifest, lambda: Scorer.open(bundle, device="cpu"))


def _page(run: Any, scored: Any, latency: Any, output: Path, seconds: float) -> str:
    from benchmarks.latency.tables import latency_section
    from benchmarks.machine import this_machine
    from benchmarks.report.provenance import machine_section
    from finetune.pages import training_section
    from infer.cpus import usable_cpus

    manifest = json.loads(Path("bundle/bertline.json").read_text(encoding="utf-8"))
    fp32 = manifest["variants"]["fp32"]
    gate = fp32["gates"][0]
    headline = [
        main_tiles(evaluation, f"on {Path(report['input'][0]['name']).stem}")[0] for report, evaluation in scored
    ]
    headline += [(f"{gate['max_abs_logit']:.0e}", "max |Δlogit|, ONNX against PyTorch"), (f"{seconds:.0f} s", "in all")]
    parity = Table(
        ["variant", "size", "rows", "max |Δlogit|", "mean |Δlogit|", "flips", "MCC", "MCC, PyTorch"],
        [
            [
                "fp32",
                file_size(manifest["files"][fp32["file"]]["bytes"]),
                gate["rows"],
                f"{gate['max_abs_logit']:.1e}",
                f"{gate['mean_abs_logit']:.1e}",
                gate["flips"],
                f"{gate['mcc']:.4f}",
                f"{gate['mcc_reference']:.4f}",
            ]
        ],
    )
    sections = [
        training_section(run),
        Section("Parity", ["The exported graph against PyTorch, on both dev files:", parity]),
        *(evaluation_section(f"Scores of {Path(r['input'][0]['name']).stem}", evaluation) for r, evaluation in scored),
        latency_section(latency),
        machine_section(this_machine(usable_cpus(), ceiling=False)),
        Section("The same by hand", [Commands(_commands(output))]),
    ]
    return render_html(Report("bertline demo", "from a corpus to a scored file", headline, sections))


def _commands(output: Path) -> list[str]:
    dev = "corpus/raw/in_domain_dev.tsv"
    return [
        f"cd {shlex.quote(str(output))}",
        f"bertline finetune corpus --model untrained {_recipe_options()} -o my-model",
        f"bertline export my-model -o my-bundle --verify-on {dev} --format cola",
        f"bertline infer my-bundle {dev} --format cola -o my.scored.tsv --html",
        "bertline benchmark latency my-bundle --model my-model -o my-latency.json --html",
    ]


def _recipe_options() -> str:
    from finetune.demo_model import DEMO_RECIPE

    options = {**DEMO_RECIPE, "precision": "fp32"}
    return " ".join(f"--{name.replace('_', '-')} {value}" for name, value in options.items())
