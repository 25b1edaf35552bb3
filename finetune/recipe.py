"""The recipe: everything that decides what a fine-tuning run gives. Its defaults are the notebook's."""

from dataclasses import dataclass
from math import inf

from bertline.errors import UsageError

# What --problem takes, and the names of config.json.
PROBLEMS = {
    "single": "single_label_classification",
    "multi-label": "multi_label_classification",
    "regression": "regression",
}
# What --metric takes by problem; the first is the default.
METRICS = {
    "single_label_classification": ("mcc", "accuracy", "f1", "macro_f1"),
    "multi_label_classification": ("micro_f1", "macro_f1"),
    "regression": ("pearson", "spearman"),
}
# What the Trainer is told where a metric is undefined: below all others, so that any other epoch is better, and above
# the -∞ that the Trainer starts from, so that the first of several such epochs is kept as of any equals.
UNDEFINED = -2.0


def problem_word(problem_type: str) -> str:
    """What `--problem` calls it."""
    return next(word for word, name in PROBLEMS.items() if name == problem_type)


@dataclass(frozen=True)
class Recipe:
    """Hyper-parameters, with their units. Raises UsageError naming every value that makes no sense, at once."""

    model: str = "bert-base-uncased"  # checkpoint name, or folder
    max_length: int = 64  # tokens, special ones included
    validation_share: float = 0.1  # of the rows, drawn at random
    batch_size: int = 32  # rows
    learning_rate: float = 2e-5  # AdamW, at its highest; falls linearly to 0
    adam_epsilon: float = 1e-8
    warmup_steps: int = 0
    epochs: int = 4
    max_grad_norm: float = 1.0  # inf: no clipping
    weight_decay: float = 0.0  # never on biases and LayerNorm weights
    seed: int = 42
    precision: str = "auto"  # auto, fp32, bf16, fp16; of training and validation. Holdouts are judged in fp32
    keep: str = "best"  # the epoch of the best validation metric, or "last"
    problem_type: str = "single_label_classification"
    metric: str = "mcc"  # which; f1 is that of the second label of two
    pad_to_max_length: bool = False  # the notebook's fixed padding; otherwise batches of similar length
    compile: bool = False  # by torch.compile, whose kernels round otherwise and draw other dropout masks
    text_column: str = "sentence"
    pair_column: str | None = None
    label_column: str = "label"

    def __post_init__(self) -> None:
        metrics = METRICS.get(self.problem_type, (self.metric,))
        word = problem_word(self.problem_type) if self.problem_type in METRICS else self.problem_type
        rules = {
            f"--max-length {self.max_length} (3 or more)": self.max_length >= 3,
            f"--validation-share {self.validation_share} (0 to below 1)": 0 <= self.validation_share < 1,
            f"--batch-size {self.batch_size} (1 or more)": self.batch_size >= 1,
            f"--learning-rate {self.learning_rate} (above 0)": 0 < self.learning_rate < inf,
            f"--adam-epsilon {self.adam_epsilon} (above 0)": 0 < self.adam_epsilon < inf,
            f"--warmup-steps {self.warmup_steps} (0 or more)": self.warmup_steps >= 0,
            f"--epochs {self.epochs} (1 or more)": self.epochs >= 1,
            f"--max-grad-norm {self.max_grad_norm} (above 0)": self.max_grad_norm > 0,
            f"--weight-decay {self.weight_decay} (0 or more)": 0 <= self.weight_decay < inf,
            f"--seed {self.seed} (0 to 4294967295)": 0 <= self.seed < 2**32,
            f"--precision {self.precision} (auto, fp32, bf16, fp16)": self.precision
            in ("auto", "fp32", "bf16", "fp16"),
            f"--keep {self.keep} (best or last)": self.keep in ("best", "last"),
            f"--problem {self.problem_type} ({', '.join(PROBLEMS)})": self.problem_type in METRICS,
            f"--metric {self.metric} ({', '.join(metrics)} with --problem {word})": self.metric in metrics,
        }
        wrong = [rule for rule, kept in rules.items() if not kept]
        if wrong:
            raise UsageError(f"these options make no sense: {', '.join(wrong)}")
