"""A run as pictures and as a page."""

import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

from finetune.base import load_base
from finetune.corpus import Corpus
from finetune.pages import training_page, write_pictures
from finetune.recipe import Recipe
from finetune.train import Run

SVG = "{http://www.w3.org/2000/svg}"


def test_pictures_are_well_formed(run: Run, tmp_path: Path) -> None:
    write_pictures(tmp_path, run)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["learning_curve.svg", "mcc_per_batch_dev.svg"]
    for file in tmp_path.iterdir():
        assert ElementTree.parse(file).getroot().tag == f"{SVG}svg"


def test_the_learning_curve_names_its_lines_and_the_kept_epoch(run: Run, tmp_path: Path) -> None:
    write_pictures(tmp_path, run)
    texts = "".join(ElementTree.parse(tmp_path / "learning_curve.svg").getroot().itertext())
    for words in ("training loss", "validation loss", "validation MCC", f"kept: epoch {run.kept_epoch}"):
        assert words in texts


def test_without_validation_the_curve_has_one_line(run: Run, tmp_path: Path) -> None:
    bare = [replace(e, validation_loss=None, metrics=dict.fromkeys(e.metrics)) for e in run.epochs]
    write_pictures(tmp_path, replace(run, epochs=bare))
    assert "validation" not in (tmp_path / "learning_curve.svg").read_text(encoding="utf-8")


def test_the_page_holds_table_holdout_and_recipe(run: Run, corpus: Corpus, quick: Recipe) -> None:
    page = training_page(run, quick, corpus)
    assert f"{run.epochs[1].validation_loss:.4f}" in page
    assert "Holdout dev" in page and corpus.sha256 in page and "learning_rate" in page
    assert "<script" not in page and "http://" not in page.replace("http://www.w3.org/2000/svg", "")


def test_the_page_counts_the_sentences_of_each_length(run: Run, corpus: Corpus, quick: Recipe) -> None:
    _, tokenizer = load_base(quick, corpus.labels)
    lengths = Counter(len(tokenizer(example.text)["input_ids"]) for example in corpus.train)
    page = (run.folder / "training.html").read_text(encoding="utf-8")
    shown = re.findall(r"<title>(\d+) to (\d+): (\d+) sentences</title>", page)
    assert [tuple(map(int, bar)) for bar in shown] == [(n - 1, n, rows) for n, rows in sorted(lengths.items())]
    assert f"marked: max_length {quick.max_length}" in page
    assert "Token lengths" not in training_page(run, quick, corpus)
