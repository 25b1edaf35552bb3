"""What a run has done so far."""

from collections import Counter
from dataclasses import asdict, dataclass, field

from bertline.evaluation import AnyEvaluation
from infer.budget import Trial
from infer.journal import Checkpoint, Recalled
from infer.scorer import WorkDone


@dataclass
class Totals:
    """Counts of a whole run, the part before it was resumed included."""

    windows: int = 0
    work: WorkDone = field(default_factory=WorkDone)
    rejected: Counter[str] = field(default_factory=Counter)  # by reason
    blanked: int = 0  # texts in which a tab or line break became a space
    seconds: float = 0.0
    resumed_rows: int = 0  # that were found done
    trials: list[Trial] = field(default_factory=list)  # of budgets

    @classmethod
    def of(cls, last: Checkpoint | None) -> "Totals":
        """The state of an unfinished run, or of a fresh one."""
        if last is None:
            return cls()
        work = WorkDone(**last.work)
        return cls(last.windows, work, Counter(last.rejected), last.blanked, last.seconds, work.rows)

    def checkpoint(
        self,
        sizes: tuple[int, int],
        seconds: float,
        batch_tokens: int,
        evaluation: AnyEvaluation | None,
        opens_generation: bool,
        recalled: Recalled | None,
    ) -> Checkpoint:
        """The state as the journal keeps it; `sizes` are of output and rejects in bytes, `seconds` of this process."""
        return Checkpoint(
            windows=self.windows,
            opens_generation=opens_generation,
            output_bytes=sizes[0],
            rejects_bytes=sizes[1],
            rejected=dict(self.rejected),
            blanked=self.blanked,
            seconds=self.seconds + seconds,
            batch_tokens=batch_tokens,
            work=asdict(self.work),
            evaluation=evaluation.state() if evaluation else None,
            recalled=recalled,
        )
