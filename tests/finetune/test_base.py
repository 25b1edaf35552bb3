"""Where training starts: a whole checkpoint."""

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from huggingface_hub.utils import filter_repo_objects
from safetensors.torch import load_file, save_file
from torch.nn.functional import binary_cross_entropy_with_logits, cross_entropy, mse_loss
from transformers import DataCollatorWithPadding

from bertline.errors import BertlineError
from bertline.problems import MULTI_LABEL, REGRESSION, MultiLabel, Problem, Regression, SingleLabel
from finetune.base import load_base
from finetune.corpus import Example
from finetune.dataset import tokenize
from finetune.recipe import Recipe
from tests import tiny

LABELS = ("no", "yes")


@pytest.fixture
def checkpoint(model_dir: Path, tmp_path: Path) -> Path:
    """A copy to damage."""
    return Path(shutil.copytree(model_dir, tmp_path / "checkpoint"))


def load(folder: Path, labels: tuple[str, ...] = LABELS, **recipe: Any) -> tuple[Any, Any]:
    return load_base(Recipe(model=str(folder), **recipe), labels)


def rewrite(file: Path, change: Callable[[dict[str, Any]], object]) -> None:
    document = json.loads(file.read_text(encoding="utf-8"))
    change(document)
    file.write_text(json.dumps(document), encoding="utf-8")


def change_weights(folder: Path, change: Callable[[dict[str, Any]], dict[str, Any]]) -> None:
    file = folder / "model.safetensors"
    save_file(change(load_file(file)), file, metadata={"format": "pt"})


def test_labels_get_their_ids(checkpoint: Path) -> None:
    model, _ = load(checkpoint, ("a", "b", "c"))
    assert model.config.id2label == {0: "a", 1: "b", 2: "c"}
    assert model.config.label2id == {"a": 0, "b": 1, "c": 2}
    assert model.classifier.out_features == 3
    assert model.config.problem_type == "single_label_classification"
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}


def test_a_new_head_is_drawn_by_the_seed_and_the_body_is_the_checkpoints(checkpoint: Path) -> None:
    heads = [load(checkpoint, ("a", "b", "c"), seed=seed)[0] for seed in (1, 1, 2)]
    weights = [model.classifier.weight for model in heads]
    assert torch.equal(weights[0], weights[1]) and not torch.equal(weights[0], weights[2])
    stored = load_file(checkpoint / "model.safetensors")
    assert torch.equal(heads[2].state_dict()["bert.encoder.layer.1.output.dense.weight"],
                       stored["bert.encoder.layer.1.output.dense.weight"])  # fmt: skip


def test_a_checkpoint_without_head_and_pooler_gets_new_ones(checkpoint: Path) -> None:
    change_weights(
        checkpoint, lambda weights: {n: w for n, w in weights.items() if ".layer." in n or "embeddings" in n}
    )
    model, _ = load(checkpoint)
    assert model.classifier.out_features == 2


def without_embeddings(folder: Path) -> None:
    change_weights(folder, lambda weights: {n: w for n, w in weights.items() if "word_embeddings" not in n})


def with_another_size(folder: Path) -> None:
    rewrite(folder / "config.json", lambda config: config.update(intermediate_size=96))


def with_pickled_weights(folder: Path) -> None:
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()


def with_torn_weights(folder: Path) -> None:
    (folder / "model.safetensors").write_bytes((folder / "model.safetensors").read_bytes()[:9000])


def without_tokenizer(folder: Path) -> None:
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").unlink()


def without_padding_token(folder: Path) -> None:
    rewrite(folder / "tokenizer_config.json", lambda config: config.pop("pad_token"))


def with_a_larger_tokenizer(folder: Path) -> None:
    rewrite(
        folder / "tokenizer.json",
        lambda tokenizer: tokenizer["model"]["vocab"].update(zebra=len(tokenizer["model"]["vocab"])),
    )


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (without_embeddings, "1 of its weights are missing or of another size, such as bert.embeddings.word"),
        (with_another_size, "6 of its weights are missing or of another size"),
        (with_pickled_weights, "no file named model.safetensors"),
        (with_torn_weights, "cannot be loaded"),
        (without_tokenizer, "has no tokenizer"),
        (without_padding_token, "its tokenizer has no pad token"),
        (with_a_larger_tokenizer, "its tokenizer has 101 tokens, and the model 100"),
        (lambda folder: (folder / "config.json").unlink(), "cannot be loaded"),
        (lambda folder: (folder / "config.json").write_text("{"), "cannot be loaded (Expecting property name"),
        (lambda folder: (folder / "config.json").write_text("[1]"), "config.json is not a JSON object"),
        (lambda folder: rewrite(folder / "config.json", lambda c: c.update(model_type="x")), "does not recognize"),
    ],
)  # fmt: skip
def test_what_is_no_whole_checkpoint_is_refused(
    damage: Callable[[Path], object], message: str, checkpoint: Path
) -> None:
    damage(checkpoint)
    with pytest.raises(BertlineError) as refusal:
        load(checkpoint)
    assert str(refusal.value).startswith(f"--model {checkpoint}: ") and message in str(refusal.value)
    assert "\n" not in str(refusal.value)


def remarks(folder: Path, labels: tuple[str, ...], **recipe: Any) -> list[str]:
    said: list[str] = []
    load_base(Recipe(model=str(folder), **recipe), labels, said.append)
    return [remark.removeprefix(f"--model {folder}: ") for remark in said]


MULTI = {"problem_type": MULTI_LABEL, "metric": "micro_f1"}
AMOUNT = {"problem_type": REGRESSION, "metric": "pearson"}


def test_what_becomes_of_a_trained_head_is_said(checkpoint: Path) -> None:
    assert remarks(checkpoint, ("0", "1")) == []
    assert remarks(checkpoint, ("a", "b", "c")) == [
        "its head has 2 outputs (0, 1), and the corpus needs 3: a new one is drawn"
    ]
    assert remarks(checkpoint, ("score",), **AMOUNT) == [
        "its head has 2 outputs (0, 1), and the corpus needs 1: a new one is drawn"
    ]
    assert remarks(checkpoint, ("0", "1"), **MULTI) == [
        "its head was trained for single_label_classification, and goes on with multi_label_classification"
    ]
    assert remarks(checkpoint, ("1", "0")) == [
        "its head was trained for 0, 1, and goes on as 1, 0; --labels 0,1 keeps its order"
    ]
    assert remarks(checkpoint, ("no", "yes")) == ["its head was trained for 0, 1, and goes on as no, yes"]


def test_a_number_goes_on_as_a_number(tmp_path: Path) -> None:
    folder = tiny.write_model(tmp_path / "stated", labels=("score",))
    assert remarks(folder, ("score",), **AMOUNT) == []
    assert remarks(folder, ("a", "b")) == [
        "its head has one output (score), and the corpus needs 2: a new one is drawn"
    ]


def test_a_head_that_is_none_needs_no_remark(checkpoint: Path) -> None:
    rewrite(checkpoint / "config.json", lambda config: config.pop("id2label"))
    assert remarks(checkpoint, ("no", "yes")) == []  # transformers' own names stand for none
    rewrite(checkpoint / "config.json", lambda config: config.update(architectures=["BertModel"]))
    assert remarks(checkpoint, ("a", "b", "c")) == []


def test_a_kept_head_keeps_its_weights_for_another_problem(checkpoint: Path) -> None:
    model, _ = load(checkpoint, ("0", "1"), **MULTI)
    assert torch.equal(model.classifier.weight, load_file(checkpoint / "model.safetensors")["classifier.weight"])
    assert model.config.problem_type == MULTI_LABEL


@pytest.mark.parametrize("family", (*tiny.FAMILIES, *tiny.OTHER_FAMILIES))
@pytest.mark.parametrize("rows", [4, 1])
def test_each_family_takes_the_loss_of_the_problem(family: str, rows: int, tmp_path: Path) -> None:
    base = tiny.write_model(tmp_path / family, family)
    losses: list[tuple[Problem, str, list[Any], Callable[..., torch.Tensor]]] = [
        (SingleLabel(("a", "b", "c")), "mcc", [0, 2, 1, 1], cross_entropy),
        (MultiLabel(("a", "b", "c")), "micro_f1", [(0, 2), (), (1,), (0, 1, 2)], binary_cross_entropy_with_logits),
        (MultiLabel(("a",)), "micro_f1", [(0,), (), (0,), ()], binary_cross_entropy_with_logits),
        (Regression(("y",)), "pearson", [2.5, -1.0, 0.0, 4.0], lambda logits, true: mse_loss(logits[:, 0], true)),
    ]
    for problem, metric, values, loss in losses:
        model, tokenizer = load(base, problem.labels, problem_type=problem.type, metric=metric)
        examples = [Example(text, None, value) for text, value in zip(tiny.SENTENCES, values, strict=False)]
        features = tokenize(examples[:rows], tokenizer, 32, problem).features
        batch = DataCollatorWithPadding(tokenizer)(features)
        with torch.inference_mode():
            found = model.eval()(**batch)
        assert found.loss.item() == pytest.approx(loss(found.logits, batch["labels"]).item(), abs=1e-6), problem


@pytest.mark.parametrize("name", ["no-such-model", "someone/no-such-model", "./no-such-folder", "a/b/c", ""])
def test_an_unknown_name_is_refused_offline(name: str, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BertlineError, match=r"give the folder of a model .* or connect to the hub"):
        load_base(Recipe(model=name), LABELS)
    assert capfd.readouterr() == ("", "")


def test_a_name_is_fetched_without_pickles_and_without_folders(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    fetched: dict[str, Any] = {}

    def fetch(name: str, **patterns: Any) -> str:
        fetched.update(patterns, name=name)
        return str(checkpoint)

    monkeypatch.setattr("huggingface_hub.snapshot_download", fetch)
    model, _ = load_base(Recipe(model="someone/model"), LABELS)
    assert model.config.id2label == {0: "no", 1: "yes"} and fetched.pop("name") == "someone/model"
    published = ["model.safetensors", "config.json", "vocab.txt", "pytorch_model.bin", "onnx/config.json", "x.py"]
    assert list(filter_repo_objects(published, **fetched)) == published[:3]


def test_a_missing_folder_is_no_checkpoint_name(tmp_path: Path) -> None:
    with pytest.raises(BertlineError, match="no such model folder"):
        load(tmp_path / "nowhere")


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_attention_is_pytorchs_own_kernel(family: str, tmp_path: Path) -> None:
    model, _ = load(tiny.write_model(tmp_path / family, family))
    assert model.config._attn_implementation == "sdpa"


@pytest.mark.parametrize("family", tiny.FAMILIES)
def test_the_maximum_is_within_the_models_positions(family: str, tmp_path: Path) -> None:
    folder = tiny.write_model(tmp_path / family, family)
    assert load(folder, max_length=tiny.POSITIONS)
    with pytest.raises(BertlineError, match=f"--max-length 65: the model takes {tiny.POSITIONS} tokens at most"):
        load(folder, max_length=tiny.POSITIONS + 1)


def test_a_recipe_is_not_changed_by_loading(model_dir: Path) -> None:
    recipe = Recipe(model=str(model_dir))
    load_base(recipe, LABELS)
    assert recipe == replace(recipe, model=str(model_dir))
