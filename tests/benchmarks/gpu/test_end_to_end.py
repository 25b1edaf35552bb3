"""End to end: distinct rows by the real command, cold and warm."""

from typing import Any

from benchmarks.gpu.bench import Bench
from benchmarks.gpu.end_to_end import measure_end_to_end


def test_every_row_is_unique_and_every_stage_has_its_time(document: dict[str, Any]) -> None:
    entry = document["sections"]["end_to_end"]
    for run in ("cold", "warm"):
        assert entry[run]["rows"] == entry[run]["unique_rows"] == 60
        assert {"read", "tokenize", "run", "write"} <= entry[run]["stage_seconds"].keys()
        assert entry[run]["rows_per_second"] > 0 and entry[run]["variant"] == "fp32"
    assert entry["letters_added"] == 1 and entry["tokens_per_row"] > 1
    assert entry["process_seconds"] > entry["cold"]["seconds"]


def test_without_time_the_warm_run_is_left_out(make_bench: Any, monkeypatch: Any) -> None:
    bench: Bench = make_bench()
    monkeypatch.setattr(type(bench.clock), "used_up", True)
    entry = measure_end_to_end(bench)
    assert entry["warm"] is None and entry["cold"]["rows"] == 60
