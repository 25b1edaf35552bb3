"""What a run over a bundle's consumers found, as its document keeps it."""

from dataclasses import dataclass
from statistics import median

MAX_ABS_LOGIT = 1e-4  # allowed between a consumer and bertline, on the same variant


@dataclass(frozen=True)
class Installed:
    """What a consumer runs on."""

    name: str  # its folder below runtimes/
    versions: dict[str, str]  # of the runtime and of the library that makes token ids, the runtime's first
    size_mb: float  # 10^6 bytes
    counted: str  # what that size is of


@dataclass(frozen=True)
class TokenIds:
    """Rows whose token ids are not those of bertline, by one consumer; ids do not depend on the variant."""

    runtime: str
    mismatches: int
    hard_mismatches: dict[str, int]  # of the hard set, where libraries may come apart, by category


@dataclass(frozen=True)
class Figures:
    """One consumer on one variant: answers against bertline's, and time. Each pass is one start and one file."""

    runtime: str
    variant: str
    self_check: str  # what failed, empty where all passed
    id_mismatches: int  # of the rows scored
    labels_differ: int
    max_abs_logit: float
    start_seconds: tuple[float, ...]  # from the start of a process until one row is scored and it has ended
    file_seconds: tuple[float, ...]  # the same for all rows

    @property
    def cold_start_seconds(self) -> float | None:
        return median(self.start_seconds) if self.start_seconds else None


@dataclass(frozen=True)
class Runtimes:
    """All consumers of a bundle on its variants, and why some were not measured, or not in full."""

    bundle: str
    files: tuple[str, ...]
    rows: int  # scored by every consumer on every variant
    token_rows: int  # on which token ids were compared besides
    hard_rows: int  # texts of the hard set
    runtimes: tuple[Installed, ...]
    token_ids: tuple[TokenIds, ...]
    figures: tuple[Figures, ...]
    failures: dict[str, str]  # runtime, or runtime and variant, to reason
    interrupted: bool = False

    @property
    def variants(self) -> tuple[str, ...]:
        """In the order in which they were measured."""
        return tuple(dict.fromkeys(figures.variant for figures in self.figures))

    def of_runtime(self, name: str) -> dict[str, Figures]:
        """By variant."""
        return {figures.variant: figures for figures in self.figures if figures.runtime == name}

    def rows_per_second(self, figures: Figures) -> float | None:
        """Of the rows after the first, whose time is the start's; None without a pass, and for files that are too short
        to tell from a start.
        """
        passes = zip(figures.start_seconds, figures.file_seconds, strict=True)
        seconds = median(whole - start for start, whole in passes) if figures.start_seconds else 0.0
        return (self.rows - 1) / seconds if seconds > 0 and self.rows > 1 else None

    def faults(self, figures: Figures) -> list[str]:
        """What keeps a consumer from giving bertline's answers on that variant; none: it does. The hard set is told,
        and not limited.
        """
        name, found = figures.runtime, []
        mismatches = sum(of.mismatches for of in self.token_ids if of.runtime == name) + figures.id_mismatches
        if mismatches:
            found.append(f"other token ids on {mismatches:,} of {self.token_rows + self.rows:,} rows")
        if figures.max_abs_logit > MAX_ABS_LOGIT:
            found.append(f"max |Δlogit| {figures.max_abs_logit:.1e}, allowed {MAX_ABS_LOGIT:.0e}")
        if figures.labels_differ:
            found.append(f"another label on {figures.labels_differ:,} of {self.rows:,} rows")
        if figures.self_check:
            found.append(f"self-check: {figures.self_check}")
        return found + [self.failures[key] for key in (name, f"{name} {figures.variant}") if key in self.failures]

    def problems(self) -> list[str]:
        """What keeps these figures from being shown."""
        names = {runtime.name for runtime in self.runtimes} & {of.runtime for of in self.token_ids}
        found = [f"{of.runtime}: has figures, but no size or ids" for of in self.figures if of.runtime not in names]
        for figures in self.figures:
            times = (*figures.start_seconds, *figures.file_seconds)
            if len(figures.start_seconds) != len(figures.file_seconds) or min(times, default=1.0) <= 0:
                found.append(f"{figures.runtime} {figures.variant}: a pass took no time, or is not whole")
        return found
