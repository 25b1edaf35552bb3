"""Two processes on one machine, started as users start them: what one process gives, and no more said than by one."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch

import finetune.train
from bertline.errors import UsageError
from bertline.files import partial_of
from bertline.problems import PROBLEM_TYPES
from bertline.processes import Processes
from bertline.tsv import TableSpec
from finetune.corpus import Corpus, load_corpus
from finetune.device import resolve_own_device
from finetune.distributed import serve_any_count
from finetune.recipe import Recipe
from tests import tiny
from tests.finetune import sharing
from tests.finetune.test_train import interrupt, interrupted
from tests.test_layout import ROOT

train = finetune.train.finetune
ROUNDING = 1e-5
LAUNCHER = (sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2")


def launched(folder: Path, *arguments: object) -> "subprocess.Popen[str]":
    """Two processes of `python -m …` with those arguments, a thread each; the launcher leaves its own in the folder."""
    return subprocess.Popen(
        [*LAUNCHER, "-m", *map(str, arguments)],
        cwd=ROOT,
        env=os.environ | {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "", "TMPDIR": str(folder)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def said(stderr: str) -> list[str]:
    """The lines that bertline's processes said; the launcher has a report of its own about processes that fail."""
    assert "[rank" not in stderr, stderr  # a traceback, or a warning of PyTorch's
    return [line for line in stderr.splitlines() if line.startswith("bertline:")]


@pytest.fixture
def still_masks(tmp_path: Path) -> Path:
    """A tiny model without dropout, so that processes have no masks of their own to draw."""
    folder = tiny.write_model(tmp_path / "base")
    config = json.loads((folder / "config.json").read_text())
    config |= {"hidden_dropout_prob": 0.0, "attention_probs_dropout_prob": 0.0}
    (folder / "config.json").write_text(json.dumps(config))
    return folder


@pytest.fixture
def uneven(tmp_path: Path) -> tuple[Path, Path]:
    """43 rows, of which 9 validate: the last batch of 8 has 2 rows to train on, or 1 to validate."""
    return tiny.write_table(tmp_path / "train.tsv", 43), tiny.write_table(tmp_path / "dev.tsv", 16)


@pytest.fixture
def recipe(still_masks: Path) -> Recipe:
    base = str(still_masks)
    return Recipe(base, validation_share=0.2, batch_size=8, learning_rate=1e-3, epochs=4, precision="fp32")


def options(recipe: Recipe, table: Path, output: Path) -> list[object]:
    """That recipe in the command line's words."""
    given = ("model", "validation_share", "batch_size", "learning_rate", "epochs", "precision", "keep")
    words = [word for name in given for word in (f"--{name.replace('_', '-')}", getattr(recipe, name))]
    return ["bertline", "finetune", table, "-o", output, *words]


def figures(folder: Path) -> Any:
    """Losses and metrics of each epoch and holdout."""
    record = json.loads((folder / "training.json").read_text())
    epochs = [[value for name, value in epoch.items() if not name.endswith("seconds")] for epoch in record["epochs"]]
    return [*epochs, [record["kept_epoch"], *(holdout["mcc"] for holdout in record["holdouts"].values())]]


def corpus_of(uneven: tuple[Path, Path]) -> Corpus:
    table, holdout = uneven
    return load_corpus(str(table), TableSpec(), holdout=holdout)


def assert_same(first: Path, second: Path) -> None:
    for one, other in zip(figures(first), figures(second), strict=True):
        assert one == pytest.approx(other, abs=ROUNDING)


@pytest.mark.parametrize("pad_to_max_length", [False, True], ids=["group_by_length", "random"])
def test_two_processes_give_what_one_gives_and_the_first_alone_speaks(
    pad_to_max_length: bool, recipe: Recipe, uneven: tuple[Path, Path], tmp_path: Path
) -> None:
    recipe = replace(recipe, pad_to_max_length=pad_to_max_length)
    train(corpus_of(uneven), recipe, tmp_path / "one")
    table, holdout = uneven
    more = ["--pad-to-max-length"] if pad_to_max_length else []
    done = launched(tmp_path, *options(recipe, table, tmp_path / "two"), "--holdout", holdout, *more)
    out, err = done.communicate(timeout=300)
    assert (done.returncode, said(err)) == (0, [])
    assert_same(tmp_path / "one", tmp_path / "two")

    def names(folder: str) -> set[str]:
        return {file.name for file in (tmp_path / folder).iterdir()}

    assert names("two") == names("one")
    assert json.loads((tmp_path / "two" / "training.json").read_text())["processes"] == 2
    assert [err.count(f"epoch {epoch}: training loss") for epoch in range(1, 5)] == [1] * 4
    assert out.count("next: bertline export") == 1 and "by 2 processes" in out


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Runs on a problem of each type, by one process and by two; seconds."""
    folder = tmp_path_factory.mktemp("sharing")
    (folder / "two").mkdir()
    (folder / "one").mkdir()
    done = launched(folder, "tests.finetune.sharing", folder / "two")
    for problem in PROBLEM_TYPES:
        sharing.train(problem, folder / "one")
    _, err = done.communicate(timeout=300)
    assert done.returncode == 0, err
    return folder


def written(folder: Path, problem: str, rank: int = 0) -> Any:
    return json.loads((folder / f"{problem}-{rank}.json").read_text())


@pytest.mark.parametrize("problem", PROBLEM_TYPES)
def test_losses_and_gradients_are_those_of_whole_batches_in_every_type(problem: str, shared: Path) -> None:
    one, two = written(shared / "one", problem), written(shared / "two", problem)
    for alone, together in zip(one["log"], two["log"], strict=True):
        assert together == pytest.approx(alone, rel=ROUNDING, abs=ROUNDING)
    assert [entry["eval_rows"] for entry in two["log"] if "eval_rows" in entry] == [sharing.VALIDATED] * sharing.EPOCHS


def test_the_rows_of_a_batch_are_those_of_one_process(shared: Path) -> None:
    alone = written(shared / "one", "regression")["seen"]
    first, second = (written(shared / "two", "regression", rank)["seen"] for rank in (0, 1))
    for step, batch in enumerate(alone):
        if len(batch) == sharing.BATCH:
            assert first[step] + second[step] == batch
        else:
            assert first[step] == batch  # two rows; the other process has fillers, which count for nothing


def test_each_row_trains_once_an_epoch_whatever_masks_are_drawn(shared: Path) -> None:
    first, second = (written(shared / "two", sharing.RANDOM, rank)["seen"] for rank in (0, 1))
    steps = len(first) // sharing.EPOCHS
    for start in range(0, len(first), steps):
        epoch = range(start, start + steps)
        rows = [row for step in epoch for row in first[step]] + [row for step in epoch[:-1] for row in second[step]]
        assert sorted(rows) == list(range(sharing.ROWS))


# --- interrupted and resumed ---------------------------------------------------------------------------------------


def ranks_of(launcher: int) -> dict[int, int]:
    """Process ids of a launcher's processes by rank."""
    found = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            parent = int((folder / "stat").read_text().rpartition(")")[2].split()[1])
            variables = (folder / "environ").read_bytes().split(b"\0")
        except OSError:  # it has ended, or is another user's
            continue
        if parent == launcher:
            found |= {int(value[5:]): int(folder.name) for value in variables if value.startswith(b"RANK=")}
    return found


@pytest.mark.parametrize("killed", [0, 1])
def test_a_killed_process_ends_all_and_one_goes_on_from_the_last_epoch(
    killed: int, recipe: Recipe, uneven: tuple[Path, Path], tmp_path: Path
) -> None:
    recipe = replace(recipe, epochs=40)
    table, _ = uneven
    running = launched(tmp_path, *options(recipe, table, tmp_path / "two"))
    checkpoints = partial_of(tmp_path / "two") / ".checkpoints"
    while not list(checkpoints.glob("*/trainer_state.json")):
        assert running.poll() is None, running.communicate()
        time.sleep(0.01)
    os.kill(ranks_of(running.pid)[killed], signal.SIGKILL)
    _, err = running.communicate(timeout=300)
    assert running.returncode == 1 and not (tmp_path / "two").exists()
    assert len(said(err)) <= 1  # the launcher may be faster
    if said(err):
        assert said(err)[0].endswith("two.partial; go on with the same command and --resume")
    corpus = load_corpus(str(table), TableSpec())
    train(corpus, recipe, tmp_path / "one")
    train(corpus, recipe, tmp_path / "two", resume=True)
    assert_same(tmp_path / "one", tmp_path / "two")


def test_two_processes_go_on_with_what_one_began(
    recipe: Recipe, uneven: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table, _ = uneven
    corpus = load_corpus(str(table), TableSpec())
    train(corpus, recipe, tmp_path / "one")
    with monkeypatch.context() as patch:
        interrupt(patch, "on_step_end", 12)  # in the third epoch
        interrupted(corpus, recipe, tmp_path / "two")
    done = launched(tmp_path, *options(recipe, table, tmp_path / "two"), "--resume")
    _, err = done.communicate(timeout=300)
    assert (done.returncode, said(err)) == (0, []) and "epoch 2:" not in err
    assert_same(tmp_path / "one", tmp_path / "two")


def test_a_random_state_of_cards_is_written_as_the_other_count_reads_it(tmp_path: Path) -> None:
    card, several = torch.arange(16, dtype=torch.uint8), tmp_path / "several"
    torch.save({"cpu": torch.get_rng_state(), "cuda": card}, tmp_path / "rng_state.pth")
    serve_any_count(tmp_path)
    written = torch.load(tmp_path / "rng_state_0.pth", weights_only=True)
    assert torch.equal(written["cpu"], torch.get_rng_state()) and torch.equal(torch.stack(written["cuda"]), card[None])
    several.mkdir()
    torch.save({"cpu": torch.get_rng_state(), "cuda": [card, card + 1]}, several / "rng_state_0.pth")
    serve_any_count(several)
    assert torch.equal(torch.load(several / "rng_state.pth", weights_only=True)["cuda"], card)


# --- what is refused -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("wrong", "line"),
    [
        (["--batch-size", "7"], "--batch-size 7: 2 processes share a batch equally; give a multiple of 2"),
        (["--epochs", "0"], "these options make no sense: --epochs 0 (1 or more)"),
    ],
)
def test_a_wrong_option_is_one_line(
    wrong: list[str], line: str, recipe: Recipe, uneven: tuple[Path, Path], tmp_path: Path
) -> None:
    done = launched(tmp_path, *options(recipe, uneven[0], tmp_path / "two"), *wrong)
    _, err = done.communicate(timeout=300)
    assert (done.returncode, said(err)) == (1, [f"bertline: {line}"])  # the launcher's code, whatever a process gave
    assert not partial_of(tmp_path / "two").exists()


def test_an_output_that_is_taken_is_told_once_and_stays(
    recipe: Recipe, uneven: tuple[Path, Path], tmp_path: Path
) -> None:
    (tmp_path / "two").mkdir()
    (tmp_path / "two" / "thesis.txt").touch()
    done = launched(tmp_path, *options(recipe, uneven[0], tmp_path / "two"))
    _, err = done.communicate(timeout=300)
    [line] = said(err)
    assert done.returncode == 1 and "the folder exists and is not empty" in line
    assert (tmp_path / "two" / "thesis.txt").exists()


def test_a_card_cannot_be_named_to_several_processes() -> None:
    with pytest.raises(UsageError, match="--device cuda:1: 2 processes have a card each; leave it out"):
        resolve_own_device("cuda:1", Processes(1, 2, 1))


def test_each_process_has_the_card_of_its_number(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def resolve(device: str, say: Callable[[str], None] = print) -> str:
        asked.append(device)
        return "cuda:0" if device == "auto" else device

    monkeypatch.setattr("finetune.device.resolve_device", resolve)
    monkeypatch.setattr(Processes, "from_first", lambda self, name, work: work())
    assert resolve_own_device("auto", Processes(5, 8, 1)) == "cuda:1"
    assert asked == ["auto", "cuda:1"]  # which is refused where the machine has one card
