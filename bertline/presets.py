"""Table layouts known by name: the tasks of GLUE as the benchmark publishes them, CoLA in its own archive's layout.

Column names, problems and metrics are those of the benchmark (Wang et al. 2019, gluebenchmark.com): of its metrics the
first is the one that `finetune --keep best` goes by.
"""

from dataclasses import dataclass

COLA_COLUMNS = ("source", "label", "notes", "sentence")


@dataclass(frozen=True)
class Preset:
    """Which columns of a task's files hold what. Its test files have no labels, and other columns before the texts."""

    name: str
    text_column: str
    pair_column: str | None
    label_column: str
    metrics: tuple[str, ...]
    problem: str = "single"  # as `finetune --problem` names it
    columns: tuple[str, ...] | None = None  # names, where the files have no header

    @property
    def header(self) -> bool:
        """Whether the first line names the columns."""
        return self.columns is None


_ALL = (
    Preset("cola", "sentence", None, "label", ("mcc",), columns=COLA_COLUMNS),
    Preset("sst2", "sentence", None, "label", ("accuracy",)),
    Preset("mrpc", "#1 String", "#2 String", "Quality", ("f1", "accuracy")),
    Preset("qqp", "question1", "question2", "is_duplicate", ("f1", "accuracy")),
    Preset("stsb", "sentence1", "sentence2", "score", ("pearson", "spearman"), "regression"),
    Preset("mnli", "sentence1", "sentence2", "gold_label", ("accuracy",)),
    Preset("qnli", "question", "sentence", "label", ("accuracy",)),
    Preset("rte", "sentence1", "sentence2", "label", ("accuracy",)),
    Preset("wnli", "sentence1", "sentence2", "label", ("accuracy",)),
)
PRESETS = {preset.name: preset for preset in _ALL}
