"""Packed runs from token ids to logits, on the CPU: batches, shapes, memory and offsets are those of a CUDA device."""

import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
import pytest

from bertline.bundle import Bundle
from bertline.errors import BertlineError
from bertline.tsv import TableSpec
from export.packed_reference import PackedReference
from infer.encode import Encoded
from infer.job import Job, report_path
from infer.output import OutputFormat
from infer.packed_runner import PackedPlan
from infer.pipeline import score_files
from infer.scorer import Scorer
from infer.selfcheck import self_check
from infer.session import OutOfMemoryError
from tests import tiny
from tests.packed_on_cpu import packed_scorer

WITHIN = 5e-3  # max |Δlogit|: what float16 may lose against the evaluator, which rounds in other places


def encoded(rows: int, seed: int = 0) -> Encoded:
    """Random token ids of 2…40 tokens a row."""
    generator = np.random.default_rng(seed)
    ids = [generator.integers(5, 60, length).tolist() for length in generator.integers(2, 41, rows)]
    return Encoded.from_rows(ids, [[0] * len(row) for row in ids], np.zeros(rows, bool))


def evaluated(bundle: Path, rows: Encoded) -> np.ndarray:
    variant = Bundle.open(bundle).manifest.variants["cuda-fp16"]
    return PackedReference(onnx.load(bundle / variant.file), variant.first_position or 0).run(rows)


@pytest.mark.parametrize("graphs", [False, True])
@pytest.mark.parametrize("budget", [1, 64, 1000, 16384])
def test_logits_are_those_of_the_reference_evaluator(
    packed_bundle: Path, tmp_path: Path, budget: int, graphs: bool
) -> None:
    rows = encoded(200)
    scorer = packed_scorer(packed_bundle, tmp_path, budget, graphs=graphs)
    expected = evaluated(packed_bundle, rows)
    for _ in range(2):  # the second time at the same addresses
        assert np.abs(scorer.run_tokens(rows) - expected).max() <= WITHIN
    assert scorer.run_tokens(encoded(0)).shape == (0, 2)


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_every_family_by_its_own_rule_of_positions(
    family: str, of_family: Callable[[str], tuple[Path, Path]], tmp_path: Path
) -> None:
    _, bundle = of_family(family)
    scorer = packed_scorer(bundle, tmp_path)
    exact = Scorer.open(bundle, device="cpu", variant="fp32")
    assert np.abs(scorer.score(tiny.SENTENCES) - exact.score(tiny.SENTENCES)).max() <= WITHIN
    assert [check.name for check in self_check(scorer.bundle, scorer) if not check.passed] == []


def test_a_window_is_one_copy_in_one_wait_and_one_copy_out(
    packed_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer, rows, done = packed_scorer(packed_bundle, tmp_path, 128), encoded(100), []
    expected = scorer.run_tokens(rows)

    class Watched:
        """OrtValue that notes each copy from numpy."""

        def __getattr__(self, name: str) -> Any:
            if name == "ortvalue_from_numpy":
                done.append("copy in")
            return getattr(value, name)

    value, session = onnxruntime.OrtValue, scorer.session.session
    plain = session.run_with_iobinding

    def run_with(binding: Any, options: Any) -> None:
        try:
            options.get_run_config_entry("disable_synchronize_execution_providers")
            done.append("run")
        except RuntimeError:  # it is not set
            done.append("run and wait")
        plain(binding, options)

    monkeypatch.setattr(onnxruntime, "OrtValue", Watched())
    monkeypatch.setattr(session, "run_with_iobinding", run_with)
    assert (scorer.run_tokens(rows) == expected).all()
    batches = len(scorer.runner.plan(rows, 128).batches)
    assert batches > 10 and done == ["copy in", *["run"] * (batches - 1), "run and wait"]


def test_the_shapes_of_many_windows_are_few(packed_bundle: Path, tmp_path: Path) -> None:
    scorer = packed_scorer(packed_bundle, tmp_path, 1024)
    shapes, batches, tokens, computed = set(), 0, 0, 0
    for seed in range(20):
        plan = scorer.runner.plan(encoded(1000, seed), 1024)
        assert isinstance(plan, PackedPlan)
        batches += len(plan.batches)
        shapes |= {tuple(shape for shape, _ in call.places.values()) for call in plan.calls}
        tokens += int(plan.encoded.lengths.sum())
        computed += plan.computed_tokens
        for one, next_one in pairwise(plan.calls):
            assert one.inputs.stop == next_one.inputs.start and one.inputs.start % 64 == 0
        assert plan.calls[-1].inputs.stop == len(plan.inputs)
    assert len(shapes) < batches / 8
    assert computed / tokens < 1.03


def test_too_little_memory_makes_batches_smaller_and_then_is_an_error(
    packed_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer, rows = packed_scorer(packed_bundle, tmp_path, 1024), encoded(100)
    expected = scorer.run_tokens(rows)
    plain, room = scorer.session.session.run_with_iobinding, 300

    def run_with(binding: Any, options: Any) -> None:
        if max(lengths) > room:
            raise RuntimeError("CUDA failure 2: out of memory ; GPU=0 ; hostname=h")
        plain(binding, options)

    lengths: list[int] = []
    plan_of = scorer.runner.plan

    def plan(rows: Encoded, budget: int) -> Any:
        made = plan_of(rows, budget)
        lengths[:] = [call.places["input_ids"][0][1] for call in made.calls]
        return made

    monkeypatch.setattr(scorer.session.session, "run_with_iobinding", run_with)
    monkeypatch.setattr(scorer.runner, "plan", plan)
    assert np.abs(scorer.run_tokens(rows) - expected).max() <= WITHIN
    assert (scorer.batch_tokens, scorer.out_of_memory_at) == (256, 512)
    room = 1
    with pytest.raises(
        OutOfMemoryError, match=r"cpu has no memory left for a batch of up to \d+ tokens \(CUDA failure"
    ):
        scorer.run_tokens(rows)


def test_another_failure_is_one_line_and_names_the_graph(
    packed_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    scorer = packed_scorer(packed_bundle, tmp_path)
    ids = Encoded.from_rows([[10_000]], [[0]], np.zeros(1, bool))  # no such token
    with pytest.raises(BertlineError, match=r"packed_on_cpu\.onnx: failed on a batch of up to 2 tokens: [^\n]*$"):
        scorer.run_tokens(ids)
    assert scorer.run_tokens(encoded(3)).shape == (3, 2)


def test_files_are_scored_and_a_run_that_was_stopped_ends_with_the_same_bytes(
    packed_bundle: Path, tmp_path: Path
) -> None:
    source = tiny.write_table(tmp_path / "t.tsv", rows=200)
    bundle = Bundle.open(packed_bundle)

    def run(output: Path, *, stop: bool = False, **how: Any) -> dict[str, Any]:
        scorer = packed_scorer(packed_bundle, tmp_path, 64)
        job = Job([source], output, TableSpec(label_column="label"), OutputFormat(logits=True), window_rows=16, **how)
        job = Job(**{**vars(job), "report": report_path(output), "dedupe": False})
        run_plan, runs = scorer.runner.run, []

        def counted(*arguments: Any) -> Any:
            runs.append(1)
            if stop and len(runs) == 5:
                raise KeyboardInterrupt
            return run_plan(*arguments)

        scorer.runner.run = counted  # type: ignore[method-assign]
        return score_files(job, bundle.manifest, lambda: scorer)[0]

    report = run(tmp_path / "whole.tsv")
    assert (report["rows"], report["variant"]) == (200, "cuda-fp16") and 0 < report["padding_share"] < 0.3
    with pytest.raises(KeyboardInterrupt, match="--resume"):
        run(tmp_path / "o.tsv", stop=True)
    resumed = run(tmp_path / "o.tsv", resume=True)
    assert 0 < resumed["resumed_rows"] < 200
    assert (tmp_path / "o.tsv").read_bytes() == (tmp_path / "whole.tsv").read_bytes()
    exact = Scorer.open(packed_bundle, device="cpu", variant="fp32").score(tiny.SENTENCES)
    cells = [line.split("\t") for line in (tmp_path / "o.tsv").read_text().splitlines()[1:9]]
    assert np.abs(np.array([row[5:] for row in cells], np.float32) - exact).max() <= WITHIN
    assert json.loads(report_path(tmp_path / "o.tsv").read_text())["out_of_memory_at"] is None


def test_ctrl_c_waits_for_the_calls_that_were_begun(
    packed_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The device still reads and writes their memory, which would be handed to the next."""
    scorer, begun, settled = packed_scorer(packed_bundle, tmp_path, 128), [], []
    plain = onnxruntime.IOBinding.synchronize_outputs

    def run_with(binding: Any, options: Any) -> None:
        begun.append(1)
        if len(begun) == 3:
            raise KeyboardInterrupt

    def synchronize(binding: Any) -> None:
        settled.append(len(begun))
        plain(binding)

    monkeypatch.setattr(scorer.session.session, "run_with_iobinding", run_with)
    monkeypatch.setattr(onnxruntime.IOBinding, "synchronize_outputs", synchronize)
    with pytest.raises(KeyboardInterrupt):
        scorer.run_tokens(encoded(100))
    assert settled == [3]


def test_the_next_file_begins_with_the_same_budget_whatever_the_one_before_had_no_room_for(
    packed_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = tiny.write_table(tmp_path / "t.tsv", rows=200)
    scorer, manifest = packed_scorer(packed_bundle, tmp_path, 64), Bundle.open(packed_bundle).manifest
    plain, full = scorer.runner.run, [True]

    def run(*arguments: Any) -> Any:
        if full.pop() if full else False:
            raise OutOfMemoryError("no room")
        return plain(*arguments)

    monkeypatch.setattr(scorer.runner, "run", run)
    reports = []
    for name in ("a", "b"):
        output = tmp_path / f"{name}.tsv"
        job = Job([source], output, TableSpec(label_column="label"), report=report_path(output))
        reports.append(score_files(job, manifest, lambda: scorer)[0])
    one, two = reports
    assert (one["out_of_memory_at"], one["batch_tokens"]) == (64, 32)
    assert (two["out_of_memory_at"], two["batch_tokens"]) == (None, 64)
    assert one["run"]["--batch-tokens"] == two["run"]["--batch-tokens"] == 64
