"""What a run shows while it trains: a bar on a terminal, lines elsewhere, nothing of the libraries' own."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from rich.console import Console

from finetune.corpus import Corpus
from finetune.recipe import Recipe
from finetune.train import Run, finetune


@pytest.mark.parametrize("terminal", [False, True])
def test_a_bar_on_a_terminal_and_a_line_for_each_epoch(
    terminal: bool, corpus: Corpus, quick: Recipe, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    stream = io.StringIO()
    console = Console(file=stream, force_terminal=terminal, width=120, highlight=False)
    run = finetune(corpus, replace(quick, epochs=2), tmp_path / "model", console=console)
    text = stream.getvalue()
    for epoch in run.epochs:
        assert f"epoch {epoch.epoch}: training loss {epoch.training_loss:.4f}" in text
        assert f"epoch {epoch.epoch}: validation loss {epoch.validation_loss:.4f}, MCC" in text
    assert "training on cpu in fp32" in text
    assert ("\x1b" in text, "elapsed" in text, "10/10" in text) == (terminal,) * 3
    assert capfd.readouterr() == ("", "")


def test_each_epoch_is_timed(run: Run) -> None:
    assert all(0 < epoch.training_seconds < run.seconds for epoch in run.epochs)
    assert all(0 < (epoch.validation_seconds or 0) < run.seconds for epoch in run.epochs)
