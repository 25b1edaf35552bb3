"""A run: in order, within its time, and nothing lost when it is stopped or a section breaks."""

import subprocess
import sys
from typing import Any

import pytest

from benchmarks.gpu import sections
from benchmarks.gpu.bench import Bench
from bertline.errors import BertlineError

NAMES = [
    "matrix_rate",
    "parity",
    "kernels",
    "throughput_real",
    "throughput_16",
    "throughput_512",
    "end_to_end",
    "latency",
    "training",
]


def test_all_sections_run_on_a_cpu(document: dict[str, Any]) -> None:
    assert list(document["sections"]) == NAMES
    states = {name: entry["status"] for name, entry in document["sections"].items()}
    assert states.pop("throughput_512") == "not here" and set(states.values()) == {"measured"}
    assert sections.faults(document) == [] == sections.failures(document)
    assert document["clocks_before"] == document["clocks_after"] == {"remark": "not on this device"}
    assert document["model"] == {"model_type": "bert", "hidden_size": 32, "num_hidden_layers": 2}
    assert len(document["verdicts"]) == 10 and document["table"]["rows"] == 40


def test_nothing_is_started_when_the_time_is_used_up(make_bench: Any) -> None:
    saved: list[Any] = []
    found = sections.measure(make_bench(minutes=0), saved.append)
    assert len(saved) == len(NAMES)
    assert {entry["status"] for entry in found["sections"].values()} == {"not measured"}
    assert {entry["reason"] for entry in found["sections"].values()} == {"the 0 minutes were used up"}


def test_a_section_that_breaks_is_written_down_and_the_rest_goes_on(
    make_bench: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(bench: Bench) -> dict[str, Any]:
        raise RuntimeError("CUDA error: an illegal memory access was encountered")

    def fine(bench: Bench) -> dict[str, Any]:
        return {"faults": ["MATH"]}

    monkeypatch.setattr(sections, "sections", lambda bench: {"one": lambda: broken(bench), "two": lambda: fine(bench)})
    told: list[str] = []
    found = sections.measure(make_bench(say=told.append), lambda document: None)
    reason = "RuntimeError: CUDA error: an illegal memory access was encountered"
    assert found["sections"]["one"] == {"status": "failed", "reason": reason}
    assert found["sections"]["two"]["status"] == "measured"
    assert sections.failures(found) == [f"one ({reason})"] and sections.faults(found) == ["MATH"]
    assert f"one: {reason}" in told


def test_ctrl_c_keeps_what_is_finished(make_bench: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop() -> dict[str, Any]:
        raise KeyboardInterrupt

    monkeypatch.setattr(sections, "sections", lambda bench: {"one": lambda: {"found": 1}, "two": stop})
    saved: list[Any] = []
    with pytest.raises(KeyboardInterrupt):
        sections.measure(make_bench(), lambda document: saved.append(dict(document["sections"])))
    assert len(saved) == 1 and saved[0]["one"]["found"] == 1
    assert saved[0]["two"] == {"status": "not measured", "reason": "the run was stopped before"}


def test_a_machine_without_the_exporters_packages_will_do() -> None:
    lacking = ["onnx", "onnx_ir", "onnxscript", "optimum", "datasets", "nncf"]
    program = (
        f"import sys; sys.modules.update(dict.fromkeys({lacking!r}))\n"  # none of them can be imported then
        "import benchmarks.gpu.cli, benchmarks.gpu.evidence, benchmarks.gpu.sections, benchmarks.gpu.tables\n"
        "import transformers\n"
        "transformers.BertForSequenceClassification"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_a_bundle_of_another_model_is_refused(make_bench: Any, bench: Bench, tmp_path: Any) -> None:
    from benchmarks.gpu.plan import Clock
    from tests import tiny
    from tests.benchmarks.gpu.conftest import PLAN, SPEC

    other = tiny.write_model(tmp_path / "other", "electra")
    with pytest.raises(BertlineError, match="give --model the folder that it was exported from"):
        Bench(bench.bundle.path, other, bench.table, SPEC, "cpu", PLAN, Clock(1))
