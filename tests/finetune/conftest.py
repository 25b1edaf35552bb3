"""One small training run that many tests look at, and the recipe of all of them."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import torch

from bertline.tsv import TableSpec
from finetune.corpus import Corpus, load_corpus
from finetune.recipe import Recipe
from finetune.train import Run, finetune
from tests import tiny


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> Iterator[None]:
    with tiny.one_thread():
        yield


@pytest.fixture(scope="session", autouse=True)
def no_card() -> Iterator[None]:
    """All is trained on the CPU, whatever the machine has; test_cuda.py is for what it has."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(torch.cuda, "is_available", lambda: False)
        yield


@pytest.fixture(scope="session")
def quick(model_dir: Path) -> Recipe:
    """Three epochs of five batches: a second."""
    return Recipe(model=str(model_dir), epochs=3, batch_size=8, learning_rate=1e-3, precision="fp32")


@pytest.fixture(scope="session")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """40 rows to train on, and a holdout of 72 rows."""
    folder = tmp_path_factory.mktemp("corpus")
    holdout = tiny.write_table(folder / "dev.tsv", 72)
    return load_corpus(str(tiny.write_table(folder / "train.tsv", 40)), TableSpec(), holdout=holdout)


@pytest.fixture(scope="session")
def run(corpus: Corpus, quick: Recipe, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """The finished run of that recipe on that corpus; read only."""
    return finetune(corpus, quick, tmp_path_factory.mktemp("run") / "model")
