"""What scored: the facts of a scorer that outputs depend on and reports state."""

from dataclasses import dataclass

from infer.scorer import WindowScorer


@dataclass(frozen=True)
class Facts:
    """A scorer as it stands: `batch_tokens` may be lowered or tuned while it runs. Named as in reports."""

    device: str
    device_name: str
    provider: str
    variant: str
    threads: int
    batch_tokens: int
    out_of_memory_at: int | None
    max_length: int
    bundle_sha256: str

    @classmethod
    def of(cls, scorer: WindowScorer) -> "Facts":
        return cls(
            device=scorer.device,
            device_name=scorer.device_name,
            provider=scorer.provider,
            variant=scorer.variant,
            threads=scorer.threads,
            batch_tokens=scorer.batch_tokens,
            out_of_memory_at=scorer.out_of_memory_at,
            max_length=scorer.max_length,
            bundle_sha256=scorer.bundle.sha256,
        )
