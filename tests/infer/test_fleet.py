"""Several processes score one file: the order, the bytes and the counts are those of one; nothing hangs."""

import json
import os
import signal
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from bertline.bundle import Bundle
from bertline.errors import BertlineError, UsageError
from bertline.tsv import TableSpec
from infer.fleet import Fleet, devices_of
from infer.job import Job
from infer.output import OutputFormat
from infer.pipeline import score_files
from infer.scorer import Scorer
from infer.seen import Seen
from infer.stages import ahead
from tests import tiny
from tests.conftest import Cli
from tests.infer.test_cuda import PlayedDriver, played  # noqa: F401 a fixture
from tests.infer.test_scorer import change_manifest, copy  # noqa: F401 a fixture


@pytest.fixture
def source(tmp_path: Path) -> Path:
    """400 rows, some of them equal, some longer than the model takes."""
    generator = np.random.default_rng(5)
    texts = [" ".join(generator.choice(tiny.WORDS, generator.integers(1, 90))) for _ in range(300)]
    texts += [texts[row] for row in generator.integers(0, 300, 100)]
    path = tmp_path / "t.tsv"
    path.write_text("\n".join(["sentence\tlabel", *(f"{text}\t{row % 2}" for row, text in enumerate(texts))]) + "\n")
    return path


def children_of(process: int) -> str:
    """Ids of the processes that it has started."""
    try:
        return Path(f"/proc/{process}/task/{process}/children").read_text()
    except FileNotFoundError:
        return ""


def test_the_output_is_that_of_one_process(bundle: Path, source: Path, cli: Cli, tmp_path: Path) -> None:
    reports = []
    for name, devices in (("one", ["--device", "cpu"]), ("two", ["--devices", "cpu,cpu"])):
        out = tmp_path / f"{name}.tsv"
        outcome = cli(
            "infer", bundle, source, "-o", out, "--logits", "--window", "33", "--threads", "1", "--variant", "fp32",
            "--label-column", "label", *devices,
        )  # fmt: skip
        assert outcome.code == 0, outcome.err
        reports.append(json.loads(Path(f"{out}.report.json").read_text()))
    assert (tmp_path / "one.tsv").read_bytes() == (tmp_path / "two.tsv").read_bytes()
    one, two = reports
    for key in ("rows", "unique_rows", "tokens", "padding_share", "truncated", "metrics", "batch_tokens", "provider"):
        assert one[key] == two[key], key
    assert (one["device"], two["device"]) == ("cpu", "cpu,cpu") and one["truncated"] > 0 and one["rows"] == 400
    assert two["stage_seconds"]["run"] > 0


def test_a_run_that_was_stopped_goes_on(bundle: Path, source: Path, tmp_path: Path) -> None:
    opened = Bundle.open(bundle)

    def score(output: Path, stop_after: int | None = None, **how: Any) -> dict[str, Any]:
        job = Job([source], output, TableSpec(), OutputFormat(logits=True), window_rows=20, use_labels=False, **how)
        with Fleet(opened, ["cpu", "cpu"], variant="fp32", threads=1) as fleet:
            run, runs = fleet.run, []

            def counted(*arguments: Any) -> Any:
                if len(runs) == stop_after:
                    raise KeyboardInterrupt
                runs.append(1)
                return run(*arguments)

            fleet.run = counted  # type: ignore[method-assign]
            return score_files(job, opened.manifest, lambda: fleet)[0]

    score(tmp_path / "whole.tsv")
    with pytest.raises(KeyboardInterrupt):
        score(tmp_path / "o.tsv", stop_after=6)
    assert 0 < score(tmp_path / "o.tsv", resume=True)["resumed_rows"] < 400
    assert (tmp_path / "o.tsv").read_bytes() == (tmp_path / "whole.tsv").read_bytes()


def test_a_process_that_dies_is_an_error_and_the_others_end(bundle: Path) -> None:
    with Fleet(Bundle.open(bundle), ["cpu", "cpu"], variant="fp32", threads=1) as fleet:
        members = [member._process for member in fleet._members]
        assert all(process.is_alive() for process in members)
        seen = Seen(2, dedupe=False)
        windows = [fleet.prepare(tiny.SENTENCES, seen) for _ in range(4)]
        expected = Scorer.open(bundle, device="cpu", variant="fp32").score(tiny.SENTENCES)
        assert np.abs(fleet.run(windows[0]) - expected).max() <= 1e-5
        os.kill(members[1].pid or 0, signal.SIGKILL)
        members[1].join(10)
        with pytest.raises(BertlineError, match=r"cpu: its process ended with code -9, .*a lower --batch-tokens"):
            for window in windows[1:]:
                fleet.run(window)
            fleet.prepare(tiny.SENTENCES, seen)
            fleet.prepare(tiny.SENTENCES, seen)
    for process in members:
        process.join(10)
        assert not process.is_alive()


def test_a_script_without_a_guard_is_told_of_it(bundle: Path, tmp_path: Path) -> None:
    script = tmp_path / "script.py"
    script.write_text(
        "from pathlib import Path\nfrom bertline.bundle import Bundle\nfrom infer.fleet import Fleet\n"
        f"Fleet(Bundle.open(Path({str(bundle)!r})), ['cpu'], variant='fp32', threads=1)\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, timeout=120)
    assert done.returncode == 1 and "before it was ready; a script that opens" in done.stderr.splitlines()[-1]


def test_what_goes_wrong_in_a_process_is_told_as_if_it_were_here(
    bundle: Path, cli: Cli, tmp_path: Path, source: Path
) -> None:
    outcome = cli("infer", bundle, source, "-o", tmp_path / "o.tsv", "--devices", "cpu,cpu", "--max-length", "1000")
    assert (outcome.code, outcome.err.count("\n")) == (1, 1)
    assert "--max-length 1000: the model takes 3 to 64 tokens" in outcome.err
    assert not (tmp_path / "o.tsv").exists()


def test_a_logit_that_is_no_number_ends_the_run(copy: Path, cli: Cli, source: Path, tmp_path: Path) -> None:  # noqa: F811
    model = onnx.load(copy / "onnx/model.onnx")
    weights = max(model.graph.initializer, key=lambda tensor: len(tensor.raw_data))  # of the embeddings
    weights.raw_data = np.full(weights.dims, np.nan, np.float32).tobytes()
    onnx.save(model, copy / "onnx/model.onnx")
    change_manifest(copy)
    outcome = cli("infer", copy, source, "-o", tmp_path / "o.tsv", "--devices", "cpu,cpu", "--window", "20")
    assert outcome.code == 1 and "gives a logit that is no number" in outcome.err


def test_an_end_does_not_wait_for_what_was_begun(bundle: Path) -> None:
    with Fleet(Bundle.open(bundle), ["cpu"], variant="fp32", threads=1) as fleet:
        seen = Seen(2, dedupe=False)
        texts = [f"{word} {number}" for number in range(2000) for word in tiny.WORDS]
        with closing(ahead((fleet.prepare(texts, seen) for _ in range(50)), fleet.ahead)) as windows:
            fleet.run(next(windows))  # by now the pipe is full of further ones
        begin = time.perf_counter()
    assert time.perf_counter() - begin < 10


@pytest.mark.parametrize(
    ("devices", "said"),
    [
        ("cuda:0,cuda:0", "names cuda:0 twice"),
        ("cuda:1,cuda,cuda:0", "names cuda:0 twice"),
        ("cpu,cuda:0", "--devices cpu,cuda:0: mixes"),
        ("cuda:0,gpu", "--devices cuda:0,gpu: give all"),
        ("auto", "--devices auto: give all"),
        ("", "--devices : give all"),
    ],
)
def test_devices_that_make_no_sense(devices: str, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        devices_of(devices)


def test_all_are_those_that_the_driver_counts(played: Any) -> None:  # noqa: F811
    played(PlayedDriver(names=("A", "B", "C")))
    assert devices_of("all") == ["cuda:0", "cuda:1", "cuda:2"]
    played(None)
    with pytest.raises(BertlineError, match="no NVIDIA driver is here"):
        devices_of("all")
    assert devices_of("cuda:1, cuda:0") == ["cuda:1", "cuda:0"]


@pytest.mark.parametrize("options", [["--device", "cpu"], ["--batch-tokens", "auto"]])
def test_options_for_one_device_are_refused(options: list[str], bundle: Path, cli: Cli, source: Path) -> None:
    outcome = cli("infer", bundle, source, "-o", source.with_name("o.tsv"), "--devices", "cpu,cpu", *options)
    assert outcome.code == 2 and "--devices" in outcome.err


def test_ctrl_c_is_one_line_from_the_first_moment_of_a_process_on(bundle: Path, source: Path, tmp_path: Path) -> None:
    output = ["-o", tmp_path / "o.tsv", "--devices", "cpu,cpu"]
    command = [sys.executable, "-m", "bertline", "infer", bundle, source, *output]
    for patience in (0.0, 0.05, 0.1, 0.15):  # in which Python itself starts, and then imports
        run = subprocess.Popen(command, stderr=subprocess.PIPE, text=True, start_new_session=True)
        while run.poll() is None and not children_of(run.pid):
            time.sleep(0.005)
        time.sleep(patience)
        os.killpg(run.pid, signal.SIGINT)  # to every process, as a terminal does
        _, said = run.communicate(timeout=30)
        assert (run.returncode, said) == (130, "bertline: interrupted\n")


def test_all_processes_end_at_the_same_time(bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    patience = 0.6
    monkeypatch.setattr("infer.fleet._LEAVE_SECONDS", patience)
    fleet = Fleet(Bundle.open(bundle), ["cpu"] * 3, variant="fp32", threads=1)
    members = [member._process for member in fleet._members]
    for process in members:
        os.kill(process.pid or 0, signal.SIGSTOP)
    begin = time.perf_counter()
    fleet.close()
    assert time.perf_counter() - begin < 2 * patience
    for process in members:
        process.join(10)
        assert process.exitcode == -signal.SIGKILL
