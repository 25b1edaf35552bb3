"""A scaling run that nobody measured: a row takes a millisecond of a core, a part half a second."""

from benchmarks.scaling.result import Run, Scaling


def scaling(*checks: Run) -> Scaling:
    """With those checks, or one of a single worker."""
    return Scaling(
        table="t.tsv",
        variant="fp32",
        provider="a provider",
        rows=1000,
        tokens=12_000,
        flop_per_row=1e8,
        cpu_seconds={"read": 1e-6, "tokenize": 8e-6, "session": 990e-6, "write": 1e-6},
        python_seconds=2e-6,
        bytes_in=40.0,
        bytes_out=60.0,
        look_cpu_seconds=1e-9,
        part_rows=1000,
        few=Run(1, 100, 2, (3.0, 1.0, 2.0), (9.0, 9.0, 9.0), (1.0, 1.0, 1.0)),
        many=Run(1, 100, 10, (6.0, 6.0, 6.0), (9.0, 9.0, 9.0), (1.4, 1.4, 1.4)),
        checks=checks or (Run(1, 4000, 4, (5.0, 6.0, 8.0), (10.0, 12.0, 11.0), (1.0, 1.0, 1.0)),),
        load=0.5,
    )
