"""Scale: how time and memory grow with rows, with their length and with threads, and what repeated sentences cost."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from tempfile import gettempdir

from benchmarks.scale.files import check_room, evenly
from benchmarks.scale.plans import Planner, Sizes
from benchmarks.scale.result import Scale, Series
from benchmarks.scale.turns import needed_bytes, take_turns
from benchmarks.single_texts import single_texts
from benchmarks.variants import formats_of
from bertline.bundle import Bundle
from bertline.errors import BertlineError, UsageError
from bertline.model_folder import ModelFolder
from bertline.tsv import TableSpec
from infer.cpus import usable_cpus
from infer.scorer import WINDOW_ROWS, Scorer


def measure_scale(
    bundle: Path,
    table: Path,
    spec: TableSpec,
    sizes: Sizes,
    *,
    model_dir: Path | None = None,
    variant: str = "auto",
    provider: str = "auto",
    threads: int | None = None,
    passes: int = 3,
    progress: Callable[[str], None] = lambda line: None,
) -> Scale:
    """Score files of these sizes by `bertline infer` on the CPU, each pass in a process of its own, in turns.

    `model_dir` is what the bundle was exported from: with it, shares of the machine's matrix rate are known. What
    fails is kept with its reason; so is what is finished at Ctrl-C. Raises BertlineError, before anything is measured,
    for a bundle, table, model, variant or provider that cannot be used and a disk without room, and where nothing could
    be measured; KeyboardInterrupt where it came before the first pass.
    """
    opened, threads = Bundle.open(bundle), threads or usable_cpus()
    config = ModelFolder.open(model_dir).config if model_dir else None
    scorer = Scorer.open(opened, device="cpu", variant=variant, provider=provider, threads=threads)
    result = partial(
        Scale,
        table.name,
        scorer.variant,
        scorer.provider,
        formats_of(scorer.variant),
        scorer.batch_tokens,
        threads,
    )
    encoder = scorer.encoder
    del scorer  # and its session: what is measured has the machine for itself
    options = ("--device", "cpu", "--variant", variant, "--provider", provider)
    texts = _texts(table, spec, opened)
    plans = Planner(texts, sizes, encoder, opened.manifest.positions, threads, options, config).series()
    if not plans:
        raise UsageError("nothing to measure: give --rows, --lengths, --thread-rows or --repeats")
    check_room(Path(gettempdir()), max(map(needed_bytes, plans.values())))
    series: list[Series] = []
    interrupted = False
    for kind, several in plans.items():
        found, interrupted = take_turns(kind, several, bundle, passes, progress)
        series.append(found)
        if interrupted:
            break
    if not any(found.points for found in series):
        if interrupted:
            raise KeyboardInterrupt("nothing was measured yet")
        name, reason = next((name, reason) for found in series for name, reason in found.failures.items())
        raise BertlineError(f"nothing could be measured; {name}: {reason}")
    return result(tuple(series), interrupted)


def _texts(table: Path, spec: TableSpec, bundle: Bundle) -> list[str]:
    """The table's sentences, each once, long and short ones evenly spread."""
    why = "benchmark scale makes files of single texts"
    windows = single_texts(bundle, table, spec, why, use_labels=False).windows(WINDOW_ROWS)
    return evenly(str(text) for window in windows for text in window.texts)
