"""The report of a scored file, as a page."""

import shlex
from pathlib import Path
from typing import Any

from bertline.charts import bar_chart
from bertline.console import file_size
from bertline.evaluation import AnyEvaluation
from bertline.evaluation.section import evaluation_section, main_tiles
from bertline.problems import REGRESSION
from bertline.report import Chart, Commands, Facts, Report, Section, render_html
from infer.stages import STAGES
from infer.summary import thresholds_in_words


def scoring_page(report: dict[str, Any], evaluation: AnyEvaluation | None) -> str:
    """A self-contained HTML page of one `infer` run."""
    headline = [(f"{report['rows']:,}", "rows"), (f"{report['rows_per_second']:,.0f}", "rows/s")]
    if evaluation:
        headline = [*main_tiles(evaluation), *headline]
    sections = [*([evaluation_section("Metrics", evaluation)] if evaluation else []), _run_section(report)]
    names = ", ".join(Path(source["name"]).name for source in report["input"])
    return render_html(Report(f"Scores of {names}", f"{report['variant']} on {report['provider']}", headline, sections))


def _run_section(report: dict[str, Any]) -> Section:
    stages = report["stage_seconds"]
    facts = {
        "rows, of them run": f"{report['rows']:,}, {report['unique_rows']:,} ({report['unique_share']:.1%})",
        "set aside": ", ".join(f"{count:,} {reason}" for reason, count in report["rejected"].items()) or "none",
        "cut at the maximum": f"{report['truncated']:,} rows at {report['max_length']} tokens",
        "tokens, padding": f"{report['tokens']:,}, {report['padding_share']:.2%}",
        "seconds": f"{report['seconds']:.2f}, and {report['startup_seconds']:.2f} to start",
        "seconds by stage": ", ".join(f"{name} {stages[name]:.2f}" for name in STAGES if name in stages),
        "peak memory": f"{report['peak_memory_mib']:,.0f} MiB",
        "device": f"{report['device']} ({report['device_name']}), {report['provider']}, {report['threads']} threads",
        "tokens a batch": f"at most {report['batch_tokens']:,}",
        "variant": report["variant"],
        "thresholds": thresholds_in_words(report["thresholds"]) if report["thresholds"] else "0.5",
        "bundle": report["bundle_sha256"],
        "versions": ", ".join(f"{name} {version}" for name, version in report["versions"].items()),
    }
    if report["problem_type"] == REGRESSION:
        del facts["thresholds"]
    if report["run"]:
        facts["options"] = ", ".join(f"{name} {value}" for name, value in report["run"].items() if name[:2] == "--")
    for file in report["input"]:
        facts[f"input {file['name']}"] = f"{file_size(file['bytes'])}, sha256 {file['sha256']}"
    names = " ".join(shlex.quote(file["name"]) for file in report["input"])
    chart = bar_chart(
        [(name, stages[name]) for name in STAGES if name in stages],
        title="Seconds by stage",
        x_label="stage",
        y_label="seconds",
    )
    told = "The stages overlap. To wait is what the device does when the others are slower; it should be short."
    thresholds = " --thresholds" if report["thresholds"] else ""
    commands = Commands([f"bertline infer BUNDLE {names} -o OUTPUT --html{thresholds}"])
    return Section("The run", [Facts(facts), Chart(chart, told), commands])
