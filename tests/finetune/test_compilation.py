"""--compile: the same training by other kernels, few graphs, clean names; and one line where there is no compiler."""

import json
import shutil
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import torch
import torch._dynamo.exc
import torch._inductor.config
from torch._dynamo.utils import counters

import finetune.train
from bertline.errors import BertlineError
from finetune.compilation import compiling, require_compiler
from finetune.corpus import Corpus
from finetune.recipe import Recipe
from tests.conftest import Cli
from tests.finetune.test_train import figures, interrupt, interrupted, same_weights, weights

train = finetune.train.finetune


@pytest.fixture(autouse=True)
def nothing_compiled_yet() -> Iterator[None]:
    torch._dynamo.reset()
    counters.clear()
    yield
    torch._dynamo.reset()


@pytest.fixture
def traced(monkeypatch: pytest.MonkeyPatch) -> None:
    """Graphs are made as ever, and run by PyTorch's own kernels: in a second, and without a compiler."""
    monkeypatch.setattr(torch, "compile", partial(torch.compile, backend="eager"))


@pytest.mark.usefixtures("traced")
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_there_is_a_graph_for_training_and_one_for_validation_whatever_the_lengths(
    precision: str, corpus: Corpus, quick: Recipe, tmp_path: Path
) -> None:
    plain = train(corpus, replace(quick, precision=precision), tmp_path / "plain")
    assert counters["stats"]["unique_graphs"] == 0
    run = train(corpus, replace(quick, precision=precision, compile=True), tmp_path / "compiled")
    assert counters["stats"]["unique_graphs"] == 3  # the trial's, and two
    assert not counters["graph_break"]
    assert same_weights(weights(run.folder), weights(plain.folder)) and figures(run) == figures(plain)
    assert json.loads((run.folder / "training.json").read_text())["recipe"]["compile"] is True


@pytest.mark.usefixtures("traced")
def test_compiling_is_part_of_what_a_run_is(
    corpus: Corpus, quick: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        interrupt(patch, "on_step_end", 7)
        interrupted(corpus, replace(quick, compile=True), tmp_path / "model")
    with pytest.raises(BertlineError, match="compile was True and is now False"):
        train(corpus, quick, tmp_path / "model", resume=True)


def one_layer_without_dropout(folder: Path, target: Path) -> Path:
    shutil.copytree(folder, target)
    config = json.loads((target / "config.json").read_text())
    config |= {"num_hidden_layers": 1, "hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (target / "config.json").write_text(json.dumps(config))
    return target


def test_a_compiled_run_learns_the_same_and_resumes_as_it_was(
    corpus: Corpus, quick: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    if not any(map(shutil.which, ("g++", "clang++"))):
        pytest.skip("torch.compile needs a C++ compiler, and neither g++ nor clang++ is here")
    model = one_layer_without_dropout(Path(quick.model), tmp_path / "base")
    plain = replace(quick, model=str(model), validation_share=0)
    compiled = replace(plain, compile=True)
    run = train(corpus, compiled, tmp_path / "model")
    assert capfd.readouterr() == ("", "")

    eager = weights(train(corpus, plain, tmp_path / "plain").folder)
    found = weights(run.folder)
    assert found.keys() == eager.keys()
    difference = max(float((found[name] - eager[name]).abs().max()) for name in eager)
    assert 0 < difference < 1e-3  # other kernels did run, and they learn the same

    torch._dynamo.reset()  # as in a process of its own
    with monkeypatch.context() as patch:
        interrupt(patch, "on_step_end", 8)
        interrupted(corpus, compiled, tmp_path / "again")
    torch._dynamo.reset()
    resumed = train(corpus, compiled, tmp_path / "again", resume=True)
    assert same_weights(weights(resumed.folder), found) and figures(resumed) == figures(run)


@pytest.fixture
def no_compiler(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch._inductor.config.cpp, "cxx", (None, "/nowhere/g++"))


@pytest.mark.usefixtures("no_compiler")
def test_without_a_compiler_it_is_one_line_before_any_training(
    cli: Cli, model_dir: Path, table: Path, tmp_path: Path
) -> None:
    outcome = cli(
        "finetune", table, "--model", model_dir, "-o", tmp_path / "m", "--compile", "--device", "cpu", "--quiet"
    )
    assert (outcome.code, outcome.out, outcome.err.count("\n")) == (1, "", 1)
    assert outcome.err.startswith("bertline: --compile: torch.compile fails on cpu (InvalidCxxCompiler: No working C++")
    assert outcome.err.endswith(
        "it needs a C++ compiler (g++ or clang++); install what is missing, or leave out --compile\n"
    )
    assert [path.name for path in tmp_path.iterdir()] == ["table.tsv"]


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (torch._dynamo.exc.TorchDynamoException("\nNo operator\nand why"), "No operator"),
        (torch._dynamo.exc.BackendCompilerFailed("inductor", RuntimeError("no triton"), None), "backend="),
        (RuntimeError("Failed to find C compiler. Please specify via CC"), "Failed to find C compiler"),
        (ImportError(""), "ImportError"),
    ],
)
def test_on_a_card_the_tools_are_others(error: Exception, reason: str, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*arguments: Any, **options: Any) -> Any:
        raise error

    monkeypatch.setattr(torch, "compile", fail)
    with pytest.raises(BertlineError) as refusal:
        require_compiler("cuda:1")
    line = str(refusal.value)
    assert line.startswith(f"--compile: torch.compile fails on cuda:1 ({reason}") and "\n" not in line
    assert "it needs triton, gcc and Python's headers" in line


def test_a_model_that_does_not_compile_is_one_line_and_other_errors_stay() -> None:
    with (
        pytest.raises(BertlineError, match=r"--compile: torch\.compile fails on cpu \(No operator\)"),
        compiling("cpu"),
    ):
        raise torch._dynamo.exc.TorchDynamoException("No operator")
    with pytest.raises(ZeroDivisionError), compiling("cpu"):
        raise ZeroDivisionError
