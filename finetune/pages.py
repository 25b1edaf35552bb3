"""The report of a training run, as a page and as pictures."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from bertline.charts import histogram, line_chart, standalone
from bertline.evaluation import AnyEvaluation, Evaluation
from bertline.evaluation.section import batch_mcc_chart, evaluation_section, main_tiles
from bertline.metrics import METRIC_NAMES
from bertline.report import Block, Cell, Chart, Facts, Report, Section, Table, render_html
from finetune.corpus import Corpus
from finetune.epochs import Epoch, table_head, table_row
from finetune.metrics import told
from finetune.recipe import Recipe

if TYPE_CHECKING:
    from finetune.train import Run


def write_pictures(folder: Path, run: "Run") -> None:
    """learning_curve.svg, and where rows have one label, mcc_per_batch_HOLDOUT.svg for each holdout."""
    (folder / "learning_curve.svg").write_text(
        standalone(_learning_curve(run.epochs, run.kept_epoch, run.metric)), encoding="utf-8"
    )
    for name, evaluation in run.holdouts.items():
        if isinstance(evaluation, Evaluation):
            picture = standalone(batch_mcc_chart(evaluation))
            (folder / f"mcc_per_batch_{name}.svg").write_text(picture, encoding="utf-8")


def training_page(run: "Run", recipe: Recipe, corpus: Corpus, lengths: Sequence[tuple[float, float, int]] = ()) -> str:
    """A self-contained HTML page of one `finetune` run; `lengths` are the corpus's `length_bins`."""
    headline = [tile for name, evaluation in run.holdouts.items() for tile in _tiles(name, evaluation, run.metric)]
    headline += [(f"{run.seconds:,.0f} s", "in all"), (f"{len(corpus.train):,}", "training sentences")]
    sections = [training_section(run), *(evaluation_section(f"Holdout {name}", e) for name, e in run.holdouts.items())]
    sections += [Section("Corpus", [Chart(_length_chart(lengths, recipe.max_length))])] if lengths else []
    facts = {name: str(value) for name, value in vars(recipe).items()}
    sections.append(Section("Recipe", [Facts({"corpus": corpus.name, "corpus sha256": corpus.sha256} | facts)]))
    sections.append(Section("Device", [Facts(_device_facts(run))]))
    return render_html(Report(f"Fine-tuning {Path(recipe.model).name}", f"on {corpus.name}", headline, sections))


def training_section(run: "Run") -> Section:
    """The learning curve, its table, and what it says."""
    blocks: list[Block] = [Chart(_learning_curve(run.epochs, run.kept_epoch, run.metric)), _table(run.epochs)]
    blocks += [run.remark] if run.remark else []
    return Section("Training", blocks)


def _tiles(name: str, evaluation: AnyEvaluation, chosen: str) -> list[tuple[str, str]]:
    """The main figure of a holdout, and the one that the best epoch goes by where it is another."""
    tiles = main_tiles(evaluation, f"on {name}")[:1]
    return (
        tiles
        if chosen == evaluation.main_metric[0]
        else [*tiles, (told(evaluation, chosen), f"{METRIC_NAMES[chosen]} on {name}")]
    )


def _device_facts(run: "Run") -> dict[str, str]:
    facts = {"trained on": run.trained_on, "training rows/s": f"{run.rows_per_second:,.0f}"}
    if run.peak_device_memory_mib is not None:
        facts["peak device memory"] = f"{run.peak_device_memory_mib:,.0f} MiB"
    return facts


def _learning_curve(epochs: Sequence[Epoch], kept: int, metric: str) -> str:
    series: dict[str, list[tuple[float, float | None]]] = {
        "training loss": [(epoch.epoch, epoch.training_loss) for epoch in epochs]
    }
    if any(epoch.validation_loss is not None for epoch in epochs):
        series["validation loss"] = [(epoch.epoch, epoch.validation_loss) for epoch in epochs]
        series[f"validation {METRIC_NAMES[metric]}"] = [(epoch.epoch, epoch.metrics[metric]) for epoch in epochs]
    label = f"loss, {METRIC_NAMES[metric]}"
    return line_chart(
        series, title="Learning curve", x_label="epoch", y_label=label, mark=(kept, f"kept: epoch {kept}")
    )


def _length_chart(lengths: Sequence[tuple[float, float, int]], max_length: int) -> str:
    return histogram(
        lengths,
        title="Token lengths of the training sentences",
        x_label="tokens, special ones included",
        y_label="sentences",
        mark=(max_length, f"max_length {max_length}"),
    )


def _table(epochs: Sequence[Epoch]) -> Table:
    return Table([*table_head(epochs), "training s", "validation s"], [_row(epoch) for epoch in epochs])


def _row(epoch: Epoch) -> list[Cell]:
    seconds = (epoch.training_seconds, epoch.validation_seconds)
    return [epoch.epoch, *table_row(epoch), *("–" if value is None else f"{value:.1f}" for value in seconds)]
