"""Parts put together: counts, metrics and files of the whole run."""

from dataclasses import asdict, replace
from typing import Any

from bertline.evaluation import AnyEvaluation, restored
from bertline.problems import Problem
from infer.cluster.part import PartDone
from infer.facts import Facts
from infer.scorer import WorkDone
from infer.totals import Totals


class Whole:
    """The parts of a run, added as they are done, in any order."""

    def __init__(self, problem: Problem, facts: Facts) -> None:
        self.totals, self.facts = Totals(), facts
        self.evaluation: AnyEvaluation | None = None
        self.done: list[PartDone] = []  # in order, without gaps, and without their evaluations
        self.peak_memory_mib = 0.0
        self._problem = problem
        self._waiting: dict[int, PartDone] = {}  # for one before them
        self._devices = dict[str, None]()

    def add(self, part: PartDone) -> None:
        """Count a part; only what comes behind all before it is merged: the order of rows matters to some figures."""
        self._waiting[part.number] = part
        while (part_next := self._waiting.pop(len(self.done), None)) is not None:
            self._merge(part_next)

    @property
    def rows(self) -> int:
        """Of all parts, also of those that wait."""
        return self.totals.work.rows + sum(part.rows for part in self._waiting.values())

    @property
    def parts(self) -> int:
        """Number of all parts that are done."""
        return len(self.done) + len(self._waiting)

    @property
    def numbers(self) -> set[int]:
        """Of all parts that are done."""
        return set(range(len(self.done))) | self._waiting.keys()

    def manifest(self) -> list[dict[str, Any]]:
        """The parts' files, in the inputs' order."""
        return [
            {
                **asdict(part.scored),
                "rows": part.rows,
                "rejected": part.rejected,
                "rejects": asdict(part.rejects) if part.rejects else None,
                "input": part.input,
            }
            for part in self.done
        ]

    def _merge(self, part: PartDone) -> None:
        totals, facts = self.totals, part.facts
        totals.work += WorkDone(**part.work)
        totals.rejected.update(part.rejected)
        totals.blanked += part.blanked
        if part.evaluation is not None:
            later = restored(self._problem, part.evaluation)
            if self.evaluation is None:
                self.evaluation = later
            else:
                self.evaluation.merge(later)  # type: ignore[arg-type]  # both are of the one problem
        self.peak_memory_mib = max(self.peak_memory_mib, part.peak_memory_mib)
        self._devices[facts.device_name] = None
        refused = [tokens for tokens in (self.facts.out_of_memory_at, facts.out_of_memory_at) if tokens]
        self.facts = replace(
            self.facts,
            device_name=", ".join(self._devices),
            batch_tokens=min(self.facts.batch_tokens, facts.batch_tokens),
            out_of_memory_at=min(refused, default=None),
        )
        self.done.append(replace(part, evaluation=None))
