"""How much is measured, and how long it may take."""

import time
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Plan:
    """Sizes of a run. The defaults are for one large CUDA device."""

    real_rows: int | None = None  # of the table at most, from its start; None: all
    budgets: tuple[int, ...] = (2048, 4096, 8192, 16384, 32768, 65536)  # tokens a batch
    lengths: tuple[int, ...] = (128, 512)  # tokens a row, of the workloads of random tokens
    tokens: int = 65536  # of each of these workloads
    reference_tokens: int = 16384  # a batch, of PyTorch fp32 as the reference
    sweep_runs: int = 3  # counted passes of each way with each budget
    runs: int = 9  # counted passes of each way with its best budget
    rows: int = 1_000_000  # end to end
    latency_runs: int = 500  # counted calls
    matrix_size: int = 8192
    matrix_tokens: int = 16384  # of the products of BERT-base's shapes
    matrix_seconds: float = 1.0  # of products without a pause, while the clocks are read
    epochs: int = 4  # of fine-tuning
    training: dict[str, int] = field(default_factory=dict)  # of BertConfig, whose defaults are BERT-base's
    compiler: str = "inductor"  # torch.compile's backend


# To try the command out on a CPU.
TRIAL = Plan(
    real_rows=64,
    budgets=(256, 1024),
    lengths=(128,),
    tokens=512,
    reference_tokens=1024,
    sweep_runs=1,
    runs=2,
    rows=500,
    latency_runs=20,
    matrix_size=256,
    matrix_tokens=128,
    matrix_seconds=0.1,
    epochs=1,
    training={"hidden_size": 64, "intermediate_size": 128, "num_hidden_layers": 2, "num_attention_heads": 2},
)


class Clock:
    """The time that a run may take, from now on."""

    def __init__(self, minutes: float) -> None:
        self.minutes = minutes
        self._begin = time.perf_counter()

    @property
    def seconds(self) -> float:
        """Since the start."""
        return time.perf_counter() - self._begin

    @property
    def seconds_left(self) -> float:
        """0 where the time is used up."""
        return max(0.0, 60 * self.minutes - self.seconds)

    @property
    def used_up(self) -> bool:
        """Whether nothing further is to be started."""
        return self.seconds_left == 0

    @property
    def excuse(self) -> str:
        """Why something was not started."""
        return f"the {self.minutes:g} minutes were used up"
