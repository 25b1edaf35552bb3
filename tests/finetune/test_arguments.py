"""The recipe on a card: what the Trainer is told, and which device it then really uses."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
import transformers

import finetune.train
from bertline.errors import BertlineError
from finetune.arguments import trainer_options, training_arguments
from finetune.corpus import Corpus
from finetune.recipe import Recipe
from tests.finetune.cards import NAME, two_cards
from tests.finetune.test_train import interrupt, interrupted, same_weights, weights

train = finetune.train.finetune

# DataLoader sees that no card is there, which is true.
pytestmark = pytest.mark.filterwarnings("ignore:'pin_memory' argument is set:UserWarning")

ON_A_CARD = {
    "optim": "adamw_torch_fused",
    "train_sampling_strategy": "group_by_length",
    "use_cpu": False,
    "dataloader_pin_memory": True,
    "accelerator_config": {"non_blocking": True},
}


def test_a_card_gets_fused_adamw_and_copies_that_do_not_wait() -> None:
    options = trainer_options(Recipe(), Path("checkpoints"), "cuda:0", "bf16", validate=True)
    on_cpu = trainer_options(Recipe(), Path("checkpoints"), "cpu", "bf16", validate=True)
    assert {name: options[name] for name in ON_A_CARD} == ON_A_CARD
    assert {name for name in options if options[name] != on_cpu[name]} == ON_A_CARD.keys() - {"train_sampling_strategy"}
    assert on_cpu["optim"] == "adamw_torch"


@pytest.mark.parametrize("device", ["cpu", "cuda:0"])
@pytest.mark.parametrize("precision", ["fp32", "bf16", "fp16"])
def test_the_precision_is_the_trainers_and_tf32_is_nobodys(device: str, precision: str) -> None:
    options = trainer_options(Recipe(compile=True), Path("checkpoints"), device, precision, validate=False)
    assert (options["bf16"], options["fp16"]) == (precision == "bf16", precision == "fp16")
    assert "tf32" not in options and "torch_compile" not in options


def test_the_trainer_is_held_to_one_card_of_two(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe = Recipe(batch_size=8)
    with two_cards(monkeypatch) as cards:
        arguments = training_arguments(recipe, tmp_path, "cuda:1", "bf16", validate=True)
        assert arguments.device == arguments.distributed_state.device == torch.device("cuda:1")
        assert (arguments.n_gpu, arguments.train_batch_size, arguments.eval_batch_size) == (1, 8, 8)
        assert arguments.parallel_mode == transformers.training_args.ParallelMode.NOT_PARALLEL
    assert cards.calls[-1] == ("set_device", "cuda:1")  # after the Trainer's own choice of the first


class Trainers(transformers.Trainer):
    """The last one made is kept to look at."""

    last: "Trainers"

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        Trainers.last = self


def test_a_whole_run_uses_the_card_asked_for_and_no_other(
    corpus: Corpus, quick: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(finetune.train.transformers, "Trainer", Trainers)
    judging: list[int] = []

    def evaluate_folder(*arguments: Any) -> Any:
        judging.append(len(cards.matrix_products))
        return evaluate(*arguments)

    evaluate = finetune.train.evaluate_folder
    monkeypatch.setattr(finetune.train, "evaluate_folder", evaluate_folder)
    with two_cards(monkeypatch) as cards:
        run = train(corpus, replace(quick, precision="auto"), tmp_path / "model", device="cuda:1")

    assert cards.devices == {"cuda:1"}
    assert set(cards.matrix_products[: judging[0]]) == {torch.bfloat16}
    assert set(cards.matrix_products[judging[0] :]) == {None}  # holdouts are judged in fp32
    assert cards.calls.count(("synchronize", "cuda:1")) == 3  # an epoch's time is up when the card has done its work
    optimizer = Trainers.last.optimizer.optimizer
    assert isinstance(optimizer, torch.optim.AdamW) and optimizer.defaults["fused"]
    assert Trainers.last.accelerator.non_blocking

    assert run.trained_on == f"cuda:1 ({NAME}) in bf16" and run.peak_device_memory_mib == 3.0
    record = json.loads((run.folder / "training.json").read_text(encoding="utf-8"))
    assert (record["device"], record["device_name"], record["precision"]) == ("cuda:1", NAME, "bf16")
    assert record["peak_device_memory_mib"] == 3.0 and record["recipe"]["precision"] == "auto"
    page = (run.folder / "training.html").read_text(encoding="utf-8")
    assert f"cuda:1 ({NAME}) in bf16" in page and "3 MiB" in page


def test_a_run_goes_on_on_another_card_and_not_on_the_cpu(
    corpus: Corpus, quick: Recipe, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with two_cards(monkeypatch):
        with monkeypatch.context() as patch:
            interrupt(patch, "on_step_end", 7)
            work = interrupted(corpus, quick, tmp_path / "model", device="cuda:0")
        shutil.copytree(work, tmp_path / "other.partial")
        resumed = train(corpus, quick, tmp_path / "model", device="cuda:1", resume=True)
        whole = train(corpus, quick, tmp_path / "whole", device="cuda:1")
    assert same_weights(weights(resumed.folder), weights(whole.folder))
    with pytest.raises(BertlineError, match="device was cuda and is now cpu"):
        train(corpus, quick, tmp_path / "other", device="cpu", resume=True)
