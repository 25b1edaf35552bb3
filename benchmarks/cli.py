"""`bertline benchmark`."""

import typer

from benchmarks.gpu.cli import gpu
from benchmarks.latency.cli import latency
from benchmarks.peers.cli import peers
from benchmarks.report.cli import report
from benchmarks.runtimes.cli import runtimes
from benchmarks.scale.cli import scale
from benchmarks.scaling.cli import scaling
from benchmarks.throughput.cli import throughput

benchmark = typer.Typer(help="Measure what a way of running a model is worth.")
for command in (latency, throughput, scale, scaling, runtimes, gpu, report):
    benchmark.command()(command)
benchmark.add_typer(peers, name="peers")
