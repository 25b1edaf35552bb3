"""Training: the recipe reaches the Trainer, the right epoch is kept, an interrupted run ends like any other."""

import json
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import transformers
from safetensors import safe_open
from safetensors.torch import load_file
from sklearn.metrics import matthews_corrcoef
from transformers import AutoModelForSequenceClassification, AutoTokenizer

import finetune.metrics
import finetune.train
from bertline.errors import BertlineError
from bertline.files import partial_of
from bertline.problems import REGRESSION
from bertline.tsv import TableSpec
from finetune.corpus import Corpus, Example, load_corpus
from finetune.dataset import split
from finetune.progress import EpochClock
from finetune.recipe import Recipe
from finetune.train import Run, file_sizes
from tests import tiny

train = finetune.train.finetune


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return dict(load_file(folder / "model.safetensors"))


def same_weights(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    """Bit by bit."""
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def figures(run: Run) -> list[Any]:
    """A run's table without the times, which are never the same."""
    return [replace(e, training_seconds=0, validation_seconds=0) for e in run.epochs] + [run.kept_epoch, run.remark]


# --- the recipe ----------------------------------------------------------------------------------------------------


class Recording(transformers.Trainer):
    """The Trainer itself; the last one made and the batches it saw are kept to look at."""

    last: "Recording"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.batches: list[Any] = []
        Recording.last = self

    def training_step(self, model: Any, inputs: Any, *rest: Any) -> Any:
        self.batches.append(inputs["attention_mask"])
        return super().training_step(model, inputs, *rest)


@pytest.fixture
def recording(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], Recording]]:
    monkeypatch.setattr(finetune.train.transformers, "Trainer", Recording)  # it may have a module object of its own
    yield lambda: Recording.last


def test_the_notebooks_defaults_reach_the_trainer(
    corpus: Corpus, model_dir: Path, tmp_path: Path, recording: Callable[[], Recording]
) -> None:
    train(corpus, Recipe(model=str(model_dir), precision="fp32"), tmp_path / "model")
    trainer = recording()
    arguments, optimizer = trainer.args, trainer.optimizer.optimizer
    assert (arguments.num_train_epochs, arguments.seed, arguments.max_grad_norm) == (4, 42, 1.0)
    assert arguments.per_device_train_batch_size == 32 and arguments.gradient_accumulation_steps == 1
    assert isinstance(optimizer, torch.optim.AdamW)
    assert (optimizer.defaults["eps"], optimizer.defaults["betas"]) == (1e-8, (0.9, 0.999))
    assert [group["weight_decay"] for group in optimizer.param_groups] == [0.0, 0.0]
    steps = trainer.state.max_steps
    assert steps == 4 * 2  # 36 rows in batches of 32
    schedule = trainer.lr_scheduler.lr_lambdas[0]
    assert [schedule(step) * 2e-5 for step in range(steps + 1)] == pytest.approx(
        [2e-5 * (steps - step) / steps for step in range(steps + 1)]
    )
    assert not arguments.bf16 and not arguments.fp16


def test_every_option_reaches_the_trainer(
    corpus: Corpus, model_dir: Path, tmp_path: Path, recording: Callable[[], Recording]
) -> None:
    recipe = Recipe(str(model_dir), 16, 0.2, 4, 1e-3, 1e-6, 3, 2, 0.5, 0.1, 7, "bf16")
    train(corpus, recipe, tmp_path / "model")
    trainer = recording()
    arguments, optimizer = trainer.args, trainer.optimizer.optimizer
    assert (arguments.num_train_epochs, arguments.seed, arguments.max_grad_norm) == (2, 7, 0.5)
    assert trainer.state.max_steps == 2 * 8  # 32 rows in batches of 4
    assert arguments.bf16 and arguments.warmup_steps == 3
    assert [trainer.lr_scheduler.lr_lambdas[0](step) for step in (0, 3, 16)] == [0, 1, 0]
    assert optimizer.defaults["eps"] == 1e-6 and optimizer.param_groups[0]["initial_lr"] == 1e-3

    names = {id(parameter): name for name, parameter in trainer.model.named_parameters()}
    decays = {
        names[id(parameter)]: group["weight_decay"] for group in optimizer.param_groups for parameter in group["params"]
    }
    assert decays.keys() == set(names.values())
    for name, decay in decays.items():
        assert decay == (0.0 if name.endswith("bias") or "LayerNorm" in name else 0.1), name


def test_a_loss_that_is_not_a_number_is_shown_as_it_is(corpus: Corpus, quick: Recipe, tmp_path: Path) -> None:
    run = train(corpus, replace(quick, epochs=2, learning_rate=1e20), tmp_path / "model")
    assert np.isnan(run.epochs[-1].training_loss)


def test_gradients_are_clipped(corpus: Corpus, quick: Recipe, tmp_path: Path) -> None:
    free, clipped = (replace(quick, epochs=1, max_grad_norm=norm) for norm in (float("inf"), 1e-9))
    train(corpus, free, tmp_path / "free")
    train(corpus, clipped, tmp_path / "clipped")
    start = weights(Path(quick.model))["bert.encoder.layer.0.output.dense.weight"]

    def moved(name: str) -> float:
        return float((weights(tmp_path / name)["bert.encoder.layer.0.output.dense.weight"] - start).abs().max())

    assert moved("clipped") < moved("free") / 3  # Adam's eps is larger than gradients that small


@pytest.fixture
def still(model_dir: Path, tmp_path: Path, quick: Recipe) -> Recipe:
    """A recipe that leaves the model as it is: no dropout, next to no learning rate."""
    folder = shutil.copytree(model_dir, tmp_path / "still")
    config = json.loads((folder / "config.json").read_text())
    config |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (folder / "config.json").write_text(json.dumps(config))
    return replace(quick, model=str(folder), epochs=2, learning_rate=1e-30)


def logits_of(folder: str, examples: Sequence[Example]) -> torch.Tensor:
    tokenizer, model = AutoTokenizer.from_pretrained(folder), AutoModelForSequenceClassification.from_pretrained(folder)
    with torch.inference_mode():
        return model(**tokenizer([e.text for e in examples], padding=True, return_tensors="pt")).logits


def test_losses_are_means_over_the_epoch(corpus: Corpus, still: Recipe, tmp_path: Path) -> None:
    run = train(corpus, replace(still, validation_share=0.2), tmp_path / "model")
    for examples, losses in zip(
        split(corpus.train, 0.2, still.seed),  # 32 rows, four whole batches, and 8 rows
        ([e.training_loss for e in run.epochs], [e.validation_loss for e in run.epochs]),
        strict=True,
    ):
        labels = torch.tensor([example.label for example in examples])
        expected = torch.nn.functional.cross_entropy(logits_of(still.model, examples), labels)
        assert losses == pytest.approx([float(expected)] * 2, abs=1e-5)


def test_validation_figures_are_scikit_learns(corpus: Corpus, still: Recipe, tmp_path: Path) -> None:
    run = train(corpus, replace(still, validation_share=0.5), tmp_path / "model")
    _, examples = split(corpus.train, 0.5, still.seed)
    true, predicted = [example.label for example in examples], logits_of(still.model, examples).argmax(dim=1).numpy()
    expected = {"accuracy": np.mean(np.array(true) == predicted), "mcc": matthews_corrcoef(true, predicted)}
    assert run.epochs[0].metrics == pytest.approx(expected)


def test_batches_hold_rows_of_like_length_padded_to_the_longest(
    corpus: Corpus, quick: Recipe, tmp_path: Path, recording: Callable[[], Recording]
) -> None:
    larger = replace(corpus, train=[*corpus.train] * 4)  # the sampler sorts 50 batches at a time, of so few rows less
    train(larger, replace(quick, epochs=1, batch_size=4), tmp_path / "model")
    batches = recording().batches
    assert all(batch.sum(dim=1).max() == batch.shape[1] < quick.max_length for batch in batches)
    tokens, computed = sum(int(batch.sum()) for batch in batches), sum(batch.numel() for batch in batches)
    assert 1 - tokens / computed < 0.1  # of random batches a third would be padding


def test_padding_to_the_maximum_is_fixed(
    corpus: Corpus, quick: Recipe, tmp_path: Path, recording: Callable[[], Recording]
) -> None:
    train(corpus, replace(quick, epochs=1, max_length=24, pad_to_max_length=True), tmp_path / "model")
    batches = recording().batches
    assert {tuple(batch.shape) for batch in batches} == {(8, 24), (4, 24)}
    assert len({int(batch.sum(dim=1).max()) for batch in batches}) < len(batches)  # at random, so most hold a long one


# --- the model folder ----------------------------------------------------------------------------------------------


def test_the_folder_is_what_from_pretrained_reads(run: Run, quick: Recipe) -> None:
    model, loading = AutoModelForSequenceClassification.from_pretrained(run.folder, output_loading_info=True)
    assert not any(loading.values())
    assert model.config.id2label == {0: "0", 1: "1"}
    assert AutoTokenizer.from_pretrained(run.folder)("The cat sleeps.")["input_ids"] == [2, 5, 7, 12, 79, 3]
    assert not same_weights(weights(run.folder), weights(Path(quick.model)))


def test_nothing_but_the_finished_model_is_left(run: Run) -> None:
    assert {file.name for file in run.folder.iterdir()} == {
        "config.json",
        "learning_curve.svg",
        "mcc_per_batch_dev.svg",
        "model.safetensors",
        "tokenizer.json",
        "tokenizer_config.json",
        "training.html",
        "training.json",
    }
    assert not partial_of(run.folder).exists()
    assert dict(file_sizes(run.folder))["model.safetensors"] == (run.folder / "model.safetensors").stat().st_size
    assert [size for _, size in file_sizes(run.folder)] == sorted((s for _, s in file_sizes(run.folder)), reverse=True)


def test_training_json_says_how_it_was_made(run: Run, quick: Recipe, corpus: Corpus) -> None:
    record = json.loads((run.folder / "training.json").read_text(encoding="utf-8"))
    assert record["recipe"] == asdict(quick)
    assert record["corpus"] == {"name": corpus.name, "sha256": corpus.sha256, "rows": 40, "labels": ["0", "1"]}
    assert (record["device"], record["precision"], record["parameters"]) == ("cpu", "fp32", 23586)
    assert (record["device_name"], record["peak_device_memory_mib"], record["attention"]) == (None, None, "sdpa")
    assert record["rows_per_second"] == pytest.approx(36 * 3 / sum(e.training_seconds for e in run.epochs))
    assert record["epochs"] == [epoch.to_json() for epoch in run.epochs]
    assert [epoch["validation_mcc"] for epoch in record["epochs"]] == [epoch.metrics["mcc"] for epoch in run.epochs]
    assert record["kept_epoch"] == run.kept_epoch
    assert record["holdouts"]["dev"]["mcc"] == run.holdouts["dev"].mcc
    assert len(record["holdouts"]["dev"]["mcc_per_32_rows"]) == 3
    assert set(record["versions"]) == {"bertline", "torch", "transformers", "numpy"}
    assert record["seconds"] >= sum(e.training_seconds + (e.validation_seconds or 0) for e in run.epochs)


def test_weights_are_fp32_whatever_training_computed_in(corpus: Corpus, quick: Recipe, tmp_path: Path) -> None:
    train(corpus, replace(quick, epochs=1, precision="bf16"), tmp_path / "model")
    with safe_open(tmp_path / "model" / "model.safetensors", "pt") as stored:
        assert {stored.get_slice(name).get_dtype() for name in stored.keys()} == {"F32"}  # noqa: SIM118, not a dict
    assert json.loads((tmp_path / "model" / "config.json").read_text())["dtype"] == "float32"


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_pairs_and_any_labels_train_in_every_family(family: str, quick: Recipe, tmp_path: Path) -> None:
    rows = "".join(f"{tiny.SENTENCES[row % 8]}\tA dog sees.\t{'abc'[row % 3]}\n" for row in range(30))
    (tmp_path / "pairs.tsv").write_text(f"left\tright\ty\n{rows}")
    corpus = load_corpus(str(tmp_path / "pairs.tsv"), TableSpec(True, None, "left", "right", "y"))
    base = tiny.write_model(tmp_path / "base", family)
    run = train(corpus, replace(quick, model=str(base), epochs=1), tmp_path / "model")
    assert AutoModelForSequenceClassification.from_pretrained(run.folder).config.id2label == {0: "a", 1: "b", 2: "c"}


# --- which epoch is kept -------------------------------------------------------------------------------------------


@pytest.fixture
def weights_by_epoch(monkeypatch: pytest.MonkeyPatch) -> dict[int, dict[str, torch.Tensor]]:
    """The weights at the end of each epoch, filled in while training runs."""
    seen: dict[int, dict[str, torch.Tensor]] = {}

    class Witness(EpochClock):
        def on_epoch_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
            super().on_epoch_end(args, state, control, **others)
            seen[round(state.epoch)] = {n: w.clone() for n, w in others["model"].state_dict().items()}

    monkeypatch.setattr(finetune.train, "EpochClock", Witness)
    return seen


Seen = dict[int, dict[str, torch.Tensor]]


@pytest.mark.parametrize(("keep", "kept"), [("best", 2), ("last", 4)])
def test_the_weights_are_those_of_the_kept_epoch(
    keep: str,
    kept: int,
    corpus: Corpus,
    quick: Recipe,
    tmp_path: Path,
    weights_by_epoch: Seen,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    scores = iter([0.1, 0.5, 0.5, 0.2])
    monkeypatch.setattr(finetune.metrics, "metric", lambda _, name: next(scores) if name == "mcc" else 0.0)
    run = train(corpus, replace(quick, epochs=4, keep=keep), tmp_path / "model")
    assert run.kept_epoch == kept
    found = weights(run.folder)
    assert [epoch for epoch, seen in weights_by_epoch.items() if same_weights(seen, found)] == [kept]


def test_an_epoch_of_an_undefined_correlation_is_kept_only_where_all_are(
    quick: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = load_corpus(str(tiny.write_table(tmp_path / "t.tsv", 40)), TableSpec(), problem_type=REGRESSION)
    recipe = replace(quick, epochs=4, problem_type=REGRESSION, metric="pearson")
    scores = iter([None, -0.5, None, -0.6])
    monkeypatch.setattr(finetune.metrics, "metric", lambda _, name: next(scores) if name == "pearson" else None)
    with monkeypatch.context() as patch:
        interrupt(patch, "on_epoch_begin", 3)
        interrupted(numbers, recipe, tmp_path / "model")
    run = train(numbers, recipe, tmp_path / "model", resume=True)
    assert [epoch.metrics["pearson"] for epoch in run.epochs] == [None, -0.5, None, -0.6]
    assert run.kept_epoch == 2
    record = json.loads((run.folder / "training.json").read_text(encoding="utf-8"))
    assert [epoch["validation_pearson"] for epoch in record["epochs"]] == [None, -0.5, None, -0.6]


def test_where_no_epoch_has_a_metric_the_first_is_kept_and_its_weights_ship(
    corpus: Corpus, quick: Recipe, tmp_path: Path, weights_by_epoch: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finetune.metrics, "metric", lambda _, name: None)
    run = train(corpus, quick, tmp_path / "model")
    assert [epoch.metrics["mcc"] for epoch in run.epochs] == [None] * 3 and run.kept_epoch == 1
    found = weights(run.folder)
    assert [epoch for epoch, seen in weights_by_epoch.items() if same_weights(seen, found)] == [1]


def test_without_validation_all_rows_train_and_the_last_epoch_is_kept(
    corpus: Corpus, quick: Recipe, tmp_path: Path, weights_by_epoch: Seen, recording: Callable[[], Recording]
) -> None:
    run = train(corpus, replace(quick, validation_share=0), tmp_path / "model")
    assert len(recording().train_dataset) == len(corpus.train)
    assert [epoch.metrics for epoch in run.epochs] == [{"accuracy": None, "mcc": None}] * 3
    assert run.kept_epoch == 3 and same_weights(weights(run.folder), weights_by_epoch[3])


# --- a full card ---------------------------------------------------------------------------------------------------


def test_memory_that_does_not_suffice_is_one_line(
    corpus: Corpus, quick: Recipe, tmp_path: Path, recording: Callable[[], Recording], monkeypatch: pytest.MonkeyPatch
) -> None:
    def step(*arguments: Any) -> None:
        raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB.\nSee the documentation")

    monkeypatch.setattr(Recording, "training_step", step)
    with pytest.raises(BertlineError, match=r"model\.partial: the device's memory is full; .*smaller --batch-size"):
        train(corpus, quick, tmp_path / "model")
    assert not (tmp_path / "model").exists()


# --- interrupted and resumed ---------------------------------------------------------------------------------------


def interrupt(monkeypatch: pytest.MonkeyPatch, event: str, count: int) -> None:
    """Ctrl-C at the Trainer's `count`-th `event`."""

    class Interrupting(EpochClock):
        seen = 0

        def strike(self) -> None:
            Interrupting.seen += 1
            if Interrupting.seen == count:
                raise KeyboardInterrupt

    def wrapped(self: Any, args: Any, state: Any, control: Any, **others: Any) -> None:
        getattr(EpochClock, event)(self, args, state, control, **others)
        self.strike()

    setattr(Interrupting, event, wrapped)
    monkeypatch.setattr(finetune.train, "EpochClock", Interrupting)


def interrupted(corpus: Corpus, recipe: Recipe, output: Path, device: str = "auto") -> Path:
    """The folder that an interrupted run leaves, after checking what it says and leaves."""
    with pytest.raises(KeyboardInterrupt, match="go on with the same command and --resume"):
        train(corpus, recipe, output, device=device)
    assert not output.exists()
    return partial_of(output)


@pytest.mark.parametrize(
    ("event", "count"),
    [("on_step_end", 2), ("on_epoch_end", 1), ("on_save", 1), ("on_step_end", 8), ("on_evaluate", 2), ("on_save", 3)],
)
def test_a_resumed_run_ends_as_the_uninterrupted_one(
    event: str, count: int, corpus: Corpus, quick: Recipe, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        interrupt(patch, event, count)
        interrupted(corpus, quick, tmp_path / "model")
    resumed = train(corpus, quick, tmp_path / "model", resume=True)
    assert same_weights(weights(resumed.folder), weights(run.folder))
    assert figures(resumed) == figures(run)
    assert resumed.holdouts["dev"].to_json() == run.holdouts["dev"].to_json()
    assert {file.name for file in resumed.folder.iterdir()} == {file.name for file in run.folder.iterdir()}


@pytest.mark.parametrize("keep", ["best", "last"])
def test_a_run_interrupted_after_training_ends_as_well(
    keep: str, corpus: Corpus, quick: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def strike(*arguments: object) -> None:
        raise KeyboardInterrupt

    recipe = replace(quick, keep=keep)
    with monkeypatch.context() as patch:
        patch.setattr(finetune.train, "evaluate_folder", strike)
        interrupted(corpus, recipe, tmp_path / "model")
    resumed = train(corpus, recipe, tmp_path / "model", resume=True)
    whole = train(corpus, recipe, tmp_path / "whole")
    assert same_weights(weights(resumed.folder), weights(whole.folder)) and figures(resumed) == figures(whole)


def test_the_best_epoch_is_found_where_an_unfinished_run_was_moved(
    corpus: Corpus, quick: Recipe, tmp_path: Path, weights_by_epoch: Seen, monkeypatch: pytest.MonkeyPatch
) -> None:
    scores = iter([0.5, 0.1, 0.2] * 2)
    monkeypatch.setattr(finetune.metrics, "metric", lambda _, name: next(scores) if name == "mcc" else 0.0)
    train(corpus, quick, tmp_path / "whole")
    with monkeypatch.context() as patch:
        interrupt(patch, "on_save", 3)  # no later one tells the Trainer where the best is
        interrupted(corpus, quick, tmp_path / "model").rename(partial_of(tmp_path / "moved"))
    run = train(corpus, quick, tmp_path / "moved", resume=True)
    assert run.kept_epoch == 1 and same_weights(weights(run.folder), weights_by_epoch[1])


@pytest.mark.parametrize("missing", ["trainer_state.json", "model.safetensors", "optimizer.pt"])
def test_a_checkpoint_cut_short_is_not_resumed_from(
    missing: str, corpus: Corpus, quick: Recipe, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        interrupt(patch, "on_step_end", 13)  # in the third epoch: two checkpoints at most are there
        work = interrupted(corpus, quick, tmp_path / "model")
    last = max((work / ".checkpoints").iterdir(), key=lambda folder: int(folder.name.removeprefix("checkpoint-")))
    (last / missing).unlink()
    resumed = train(corpus, quick, tmp_path / "model", resume=True)
    assert same_weights(weights(resumed.folder), weights(run.folder)) and figures(resumed) == figures(run)


@pytest.fixture
def unfinished(corpus: Corpus, quick: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The output of a run interrupted in its second epoch."""
    with monkeypatch.context() as patch:
        interrupt(patch, "on_step_end", 7)
        interrupted(corpus, quick, tmp_path / "model")
    return tmp_path / "model"


def test_a_run_resumes_from_another_working_folder(
    corpus: Corpus, quick: Recipe, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.chdir(tmp_path)
        interrupt(patch, "on_step_end", 12)
        interrupted(corpus, quick, Path("model"))
    assert figures(train(corpus, quick, tmp_path / "model", resume=True)) == figures(run)
    assert same_weights(weights(tmp_path / "model"), weights(run.folder))


def test_an_unfinished_run_is_reported_and_stays(unfinished: Path, corpus: Corpus, quick: Recipe) -> None:
    before = sorted(partial_of(unfinished).rglob("*"))
    with pytest.raises(
        BertlineError, match=r"left by an unfinished run; go on with --resume, or start afresh with --f"
    ):
        train(corpus, quick, unfinished)
    assert sorted(partial_of(unfinished).rglob("*")) == before


def test_force_starts_an_unfinished_run_afresh(unfinished: Path, corpus: Corpus, quick: Recipe) -> None:
    recipe = replace(quick, epochs=1, seed=7)
    assert len(train(corpus, recipe, unfinished, force=True).epochs) == 1


def test_resuming_with_another_recipe_names_what_differs(unfinished: Path, corpus: Corpus, quick: Recipe) -> None:
    with pytest.raises(BertlineError) as refusal:
        train(corpus, replace(quick, seed=7, epochs=5), unfinished, resume=True)
    assert "epochs was 3 and is now 5; seed was 42 and is now 7" in str(refusal.value)
    with pytest.raises(BertlineError, match="precision was fp32 and is now bf16"):
        train(corpus, replace(quick, precision="bf16"), unfinished, resume=True)
    assert partial_of(unfinished).exists()


def test_resuming_with_another_corpus_names_what_differs(unfinished: Path, corpus: Corpus, quick: Recipe) -> None:
    with pytest.raises(BertlineError, match=r"corpus was [0-9a-f]{64} and is now [0-9a-f]{64}"):
        train(replace(corpus, sha256="0" * 64), quick, unfinished, resume=True)
    with pytest.raises(BertlineError, match=r"table was .* and is now"):
        train(replace(corpus, spec=TableSpec(header=False)), quick, unfinished, resume=True)


def test_resuming_with_nothing_to_resume_starts_afresh(corpus: Corpus, quick: Recipe, run: Run, tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()  # an empty folder is no output
    resumed = train(corpus, quick, tmp_path / "model", resume=True)
    assert same_weights(weights(resumed.folder), weights(run.folder))


def test_resuming_keeps_a_finished_output_and_folders_that_are_no_run(
    unfinished: Path, corpus: Corpus, quick: Recipe, tmp_path: Path
) -> None:
    unfinished.mkdir()
    (unfinished / "kept").touch()
    with pytest.raises(BertlineError, match="exists and is not empty"):
        train(corpus, quick, unfinished, resume=True)
    other = tmp_path / "other.partial"
    other.mkdir()
    (other / "thesis.txt").touch()
    with pytest.raises(BertlineError, match=r"other\.partial: left by an unfinished run"):
        train(corpus, quick, tmp_path / "other", resume=True)
    assert (unfinished / "kept").exists() and (other / "thesis.txt").exists()
