"""cuda-fp16 from the command line: made, measured without a device, recorded as such, refused on a CPU."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest

from bertline.bundle import Bundle
from bertline.errors import BertlineError
from export.packed_model import FAMILIES
from export.packed_reference import PROVIDER, PackedReference
from export.parity import compare_goldens
from infer.encode import Encoded
from infer.golden import read_goldens
from infer.packing import pack
from infer.parity import limits_of
from infer.providers import CUDA_PROVIDER
from infer.scorer import Scorer
from infer.variants import Choice, Machine, choose
from tests import tiny
from tests.conftest import Cli
from tests.export.conftest import Change
from tests.packed_on_cpu import packed_scorer

FILE = "onnx/model_cuda_fp16.onnx"


@pytest.fixture(scope="module")
def exported(model_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    from bertline.cli import run

    folder = tmp_path_factory.mktemp("cuda")
    table, output = tiny.write_table(folder / "t.tsv", rows=40), folder / "bundle"
    options = ["--verify-on", str(table), "--label-column", "label", "--variants", "cuda-fp16", "-q"]
    assert run(["export", str(model_dir), "-o", str(output), *options]) == 0
    return output


def test_the_manifest_says_what_runs_it_and_what_has(exported: Path) -> None:
    bundle = Bundle.open(exported)
    bundle.verify()
    variant = bundle.manifest.variants["cuda-fp16"]
    assert (variant.file, variant.precision, variant.layout, variant.first_position) == (FILE, "fp16", "packed", 0)
    assert (variant.domains, variant.providers) == (("", "com.microsoft"), ("CUDAExecutionProvider",))
    assert [tensor.name for tensor in variant.inputs if tensor.dtype == "int32"] == [t.name for t in variant.inputs]
    (gate,) = variant.gates
    assert gate.passed and (gate.device, gate.provider, gate.parity) == ("cpu", PROVIDER, PROVIDER)
    assert gate.rows == 40 + len(read_goldens(exported / "golden.jsonl"))
    assert gate.mcc is not None and gate.rows_per_second is None and gate.max_abs_logit <= 5e-3
    assert limits_of("cuda-fp16").max_flips == 0.002
    assert gate.versions["onnx"] == onnx.__version__
    assert bundle.manifest.default_variant == {"cpu": "fp32"}
    assert f"| cuda-fp16 | `{FILE}` |" in (exported / "README.md").read_text()
    document = json.loads((exported / "bertline.json").read_text())
    assert document["variants"]["cuda-fp16"]["gates"][0]["parity"] == "reference evaluator"


@pytest.fixture
def device(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A CUDA device, played by the CPU: packed graphs with their attention spelled out, padded ones as they are."""

    def opened(bundle: Bundle, *, device: str, variant: str, **options: Any) -> Scorer:
        if device == "cpu":
            return plain(bundle, device=device, variant=variant, **options)
        scorer = packed_scorer(bundle, tmp_path) if variant == "cuda-fp16" else plain(bundle, device="cpu")
        scorer.choice = Choice(variant, bundle.manifest.variants[variant], CUDA_PROVIDER, None)
        scorer.session.device, scorer.session.provider = "cuda", CUDA_PROVIDER
        scorer.session.device_name = "A played device"
        return scorer

    plain = Scorer.open
    monkeypatch.setattr("export.ways.Scorer.open", opened)
    monkeypatch.setattr("export.ways.cuda.missing", lambda: None)


def test_a_device_that_is_here_measures_it(
    packed_exporter: Callable[[Change], None], model_dir: Path, device: None, cli: Cli, tmp_path: Path
) -> None:
    packed_exporter(lambda proto: None)
    table = tiny.write_table(tmp_path / "t.tsv", rows=40)
    options = ("--verify-on", table, "--label-column", "label", "--variants", "cuda-fp16")
    outcome = cli("export", model_dir, "-o", tmp_path / "bundle", *options)
    assert outcome.code == 0, outcome.err
    variants = Bundle.open(tmp_path / "bundle").manifest.variants
    for name, played in (("fp32", []), ("cuda-fp16", [PROVIDER])):
        here = [gate for gate in variants[name].gates if gate.device == "cuda"]
        assert [gate.parity for gate in variants[name].gates if gate.parity] == played
        (gate,) = here
        assert gate.passed and gate.gpu == "A played device" and gate.parity is None and gate.rows == 40
        assert gate.rows_per_second
    assert variants["fp32"].batch_invariant
    chosen = choose(Bundle.open(tmp_path / "bundle"), "auto", Machine("cuda"))
    speeds = {name: variants[name].gates[-1].rows_per_second for name in variants}
    assert chosen.name == max(speeds, key=lambda name: speeds[name] or 0)


def test_a_device_that_says_otherwise_leaves_it_out(
    packed_exporter: Callable[[Change], None],
    model_dir: Path,
    device: None,
    cli: Cli,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    packed_exporter(lambda proto: None)
    monkeypatch.setattr("tests.packed_on_cpu.Scorer.run_tokens", lambda self, rows: np.ones((len(rows.lengths), 2)))
    table = tiny.write_table(tmp_path / "t.tsv", rows=40)
    monkeypatch.setattr("export.ways._ON_CUDA", ("cuda-fp16",))
    monkeypatch.setattr(
        "export.bundling._prove", lambda folder, reference, scorer, goldens, *_: compare_goldens(goldens, scorer)
    )
    options = ("--verify-on", table, "--label-column", "label", "--variants", "cuda-fp16")
    outcome = cli("export", model_dir, "-o", tmp_path / "bundle", *options)
    assert outcome.code == 3 and "finished without cuda-fp16 (" in outcome.err, outcome.err
    assert "cuda-fp16 on CUDAExecutionProvider: " in outcome.err
    assert list(Bundle.open(tmp_path / "bundle").manifest.variants) == ["fp32"]
    assert not (tmp_path / "bundle" / FILE).exists()


def test_what_has_no_gate_on_cuda_is_not_chosen_and_says_what_is_known(exported: Path) -> None:
    bundle = Bundle.open(exported)
    default = choose(bundle, "auto", Machine("cuda"))
    assert default.name == "fp32" and default.reason.endswith("--variant cuda-fp16 takes it")
    asked = choose(bundle, "cuda-fp16", Machine("cuda"))
    assert asked.recorded_loss.startswith("not measured on this kind of device; by the reference evaluator 0 flips of")


def test_the_goldens_have_its_logits(exported: Path) -> None:
    goldens = read_goldens(exported / "golden.jsonl")
    variant = Bundle.open(exported).manifest.variants["cuda-fp16"]
    ids, types = [g.input_ids for g in goldens], [g.token_type_ids for g in goldens]
    logits = PackedReference(onnx.load(exported / FILE), 0).run(
        Encoded.from_rows(ids, types, np.zeros(len(goldens), bool))
    )
    stored = np.array([golden.logits["cuda-fp16"] for golden in goldens])
    assert np.abs(logits - stored).max() <= variant.golden_tolerance


def test_a_cpu_is_told_what_to_use_and_auto_does_not_choose_it(exported: Path, cli: Cli, tmp_path: Path) -> None:
    table = tiny.write_table(tmp_path / "t.tsv")
    for command in (("infer", exported, table, "-o", tmp_path / "o.tsv"), ("verify", exported)):
        outcome = cli(*command, "--variant", "cuda-fp16", "--device", "cpu")
        assert (outcome.code, outcome.err.count("\n")) == (1, 1)
        assert "is packed and runs on CUDAExecutionProvider only; use --device cuda, or --variant fp32" in outcome.err
    assert Scorer.open(exported, device="cpu").variant == "fp32"
    assert cli("verify", exported).code == 0
    assert "cuda-fp16" in cli("info", exported).out


def test_a_family_that_is_not_known_leaves_a_finished_bundle(
    exporter: Callable[[Change], None],
    model_dir: Path,
    cli: Cli,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    exporter(lambda proto: None)
    monkeypatch.setattr("export.packed.FAMILIES", {"roberta": FAMILIES["roberta"]})
    outcome = cli("export", model_dir, "-o", tmp_path / "b", "--variants", "cuda-fp16", "-q")
    assert (outcome.code, outcome.err.count("\n")) == (3, 1)
    assert "finished without cuda-fp16 (no packed graph is known for the family 'bert'" in outcome.err
    assert "run fp32 with --device cuda" in outcome.err
    assert list(Bundle.open(tmp_path / "b").manifest.variants) == ["fp32"] and not (tmp_path / "b" / FILE).exists()


def test_a_graph_that_differs_is_left_out(
    packed_exporter: Callable[[Change], None], model_dir: Path, cli: Cli, tmp_path: Path
) -> None:
    def other_positions(proto: onnx.ModelProto) -> None:
        for tensor in proto.graph.initializer:
            if "position_embeddings" in tensor.name:
                table = onnx.numpy_helper.to_array(tensor)
                tensor.CopyFrom(onnx.numpy_helper.from_array(np.roll(table, 1, axis=0), tensor.name))

    packed_exporter(other_positions)
    outcome = cli("export", model_dir, "-o", tmp_path / "b", "--variants", "cuda-fp16", "-q")
    assert outcome.code == 3 and "the packed graph in float32 differs from PyTorch: max" in outcome.err


def test_a_packed_graph_without_its_position_rule_is_no_bundle(exported: Path, tmp_path: Path) -> None:
    document = json.loads((exported / "bertline.json").read_text())
    document["variants"]["cuda-fp16"]["first_position"] = None
    (tmp_path / "bertline.json").write_text(json.dumps(document))
    with pytest.raises(BertlineError, match=r"variants.cuda-fp16.first_position: a packed graph needs"):
        Bundle.open(tmp_path)


def test_only_what_the_graph_takes_is_fed(exported: Path) -> None:
    rows = Encoded.from_rows([[2, 7, 3]], [[0, 0, 0]], np.zeros(1, bool))
    inputs = {tensor.name for tensor in Bundle.open(exported).manifest.variants["cuda-fp16"].inputs}
    assert inputs == set(pack(rows, np.array([0]), 0))
