"""The JavaScript modules that Node and the page share: cut, read, write and count as Python does."""

import json
import random
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sklearn.metrics import matthews_corrcoef
from tokenizers import Tokenizer

from bertline.labels import LabelParser
from export.consumers import SOURCES
from tests import tiny
from tests.conftest import Once
from tests.runtimes.needs import REPOSITORY, needs

LIB = SOURCES / "javascript" / "lib"


def in_node(program: str, given: object) -> Any:
    """What a program makes of `given`; it has the modules by name, and `given`."""
    needs("node", ".runtimes/node/.installed")
    tokenizers = REPOSITORY / ".runtimes/node/node_modules/@huggingface/tokenizers/dist/tokenizers.mjs"
    imports = "".join(f'import * as {path.stem.replace("-", "_")} from "{path}";' for path in LIB.glob("*.js"))
    imports += f'import {{ Tokenizer }} from "{tokenizers}"; import {{ readFileSync }} from "node:fs";'
    imports += 'const given = JSON.parse(readFileSync(0, "utf8"));'
    code = f"{imports} console.log(JSON.stringify(await (async () => {{ {program} }})()));"
    command = ["node", "--input-type=module", "-e", code]
    done = subprocess.run(command, input=json.dumps(given), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@pytest.mark.parametrize("family", ["bert", "roberta"])
def test_texts_and_pairs_are_cut_as_the_rust_library_cuts_them(once: Once, family: str) -> None:
    model = once(f"{family}_cut_model", lambda folder: tiny.write_model(folder, family))
    draw = random.Random(0)
    words = ["the", "cat", "dog", "john", "unheard-of", "é", ""]
    texts = [" ".join(draw.choices(words, k=draw.randrange(14))) for _ in range(400)]
    seconds = [None if draw.random() < 0.2 else text for text in draw.sample(texts, len(texts))]
    config = json.loads((model / "tokenizer_config.json").read_text(encoding="utf-8"))
    given = {"tokenizer": json.loads((model / "tokenizer.json").read_text(encoding="utf-8")), "config": config}
    tokenizer = Tokenizer.from_file(str(model / "tokenizer.json"))
    tokenizer.no_padding()
    for length in (5, 8, 9, 16):
        found = in_node(
            "const coder = new encoder.Encoder(new Tokenizer(given.tokenizer, given.config), given.length);"
            "return given.texts.map((text, row) => coder.encode(text, given.seconds[row]));",
            given | {"length": length, "texts": texts, "seconds": seconds},
        )
        tokenizer.enable_truncation(length)
        for text, second, row in zip(texts, seconds, found, strict=True):
            expected = tokenizer.encode(text, second)
            assert row["ids"] == expected.ids, (text, second)
            assert family == "roberta" or row["types"] == expected.type_ids  # RoBERTa has no token types


def test_bert_reads_unusual_letters_as_the_rust_library_does(model_dir: Path) -> None:
    """Ideographs of two UTF-16 units, at both ends of each block and beside it, and sigmas at the ends of words."""
    blocks = ((0x20000, 0x2A6DF), (0x2A700, 0x2B73F), (0x2B740, 0x2B81F), (0x2B920, 0x2CEAF), (0x2F800, 0x2FA1F))
    ideographs = [chr(code) for low, high in blocks for code in (low - 1, low, high, high + 1)]
    texts = [f"the{letter}cat" for letter in ideographs] + ["ΟΔΥΣΣΕΥΣ", "ΑΣ. ς Σ", "[MASK]Σ[MASK]", "aΣ"]
    cased = json.loads((model_dir / "tokenizer.json").read_text(encoding="utf-8"))
    vocabulary = cased["model"]["vocab"]
    for piece in ("ο", *(f"##{letter}" for letter in "δυσςε"), "α", "σ", "ς", "Σ", *ideographs):
        vocabulary.setdefault(piece, len(vocabulary))
    uncased = json.loads(json.dumps(cased))
    cased["normalizer"] |= {"lowercase": False}
    uncased["normalizer"] |= {"lowercase": True}
    config = json.loads((model_dir / "tokenizer_config.json").read_text(encoding="utf-8"))
    for document in (cased, uncased):
        found = in_node(
            "const coder = new encoder.Encoder(new Tokenizer(given.tokenizer, given.config), 64);"
            "return given.texts.map((text) => coder.encode(text).ids);",
            {"tokenizer": document, "config": config, "texts": texts},
        )
        tokenizer = Tokenizer.from_str(json.dumps(document))
        tokenizer.no_padding()
        tokenizer.no_truncation()
        assert found == [encoding.ids for encoding in tokenizer.encode_batch(texts)]


def test_numbers_are_written_as_c_writes_them() -> None:
    bits = np.random.default_rng(0).integers(0, 2**32, 20_000, np.uint64).astype(np.uint32)
    drawn = bits.view(np.float32)
    ties = [(2 * k + 1) / 2**10 for k in range(512)] + [16777.21875, 1e-5, 0.1, 0.0, -0.0, 1.0, 100.0, 999999999.5, 1e9]
    values = [float(value) for value in (*drawn[np.isfinite(drawn)], *ties)]
    found = in_node("return given.map((value) => table.formatNumber(value));", values)
    assert found == [f"{value:.9g}" for value in values]
    assert in_node("return [NaN, Infinity, -Infinity].map(table.formatNumber);", None) == ["nan", "inf", "-inf"]


def test_a_table_reads_alike_however_its_bytes_come() -> None:
    content = '\ufeffid\tsentence\r\n1\t"quoted\r\n2\t\u2028é 😀\n\t\n3\tlast'.encode()
    expected = [["1", '"quoted'], ["2", "\u2028é 😀"], ["", ""], ["3", "last"]]
    for size in (1, 2, 3, 7, len(content)):
        found = in_node(
            "const reader = new table.TableReader('x'); const bytes = Uint8Array.from(given.bytes); const rows = [];"
            "for (let at = 0; at < bytes.length; at += given.size)"
            "  rows.push(...reader.push(bytes.subarray(at, at + given.size)));"
            "rows.push(...reader.end()); return { columns: reader.columns, rows };",
            {"bytes": list(content), "size": size},
        )
        assert found == {"columns": ["id", "sentence"], "rows": expected}


@pytest.mark.parametrize("labels", [["0", "1"], ["no", "maybe", "yes"]])
def test_mcc_is_scikit_learns(labels: list[str]) -> None:
    draw = random.Random(1)
    true, predicted = draw.choices(labels, k=500), draw.choices(labels, weights=range(1, len(labels) + 1), k=500)
    program = (
        "const counts = new metrics.Confusion(given.labels);"
        "given.true.forEach((label, row) => counts.add(label, given.predicted[row]));"
        "return [counts.mcc, counts.accuracy, counts.rows, counts.unknown];"
    )
    by_id = [str(labels.index(label)) if draw.random() < 0.5 else label for label in true]
    found = in_node(program, {"labels": labels, "true": [*by_id, "none"], "predicted": [*predicted, labels[0]]})
    right = sum(one == other for one, other in zip(true, predicted, strict=True))
    assert found == pytest.approx([matthews_corrcoef(true, predicted), right / 500, 500, 1], abs=1e-12)
    assert in_node(program, {"labels": labels, "true": ["0"], "predicted": [labels[0]]})[0] == 0


def test_labels_are_understood_as_infer_understands_them() -> None:
    """An id counts only where no name is a number."""
    for labels in (["0", "1"], ["no", "yes"], ["1", "2", "3"], ["-1", "x"], ["1.5", "2.5"]):
        cells = [*labels, "0", "1", "00", "01", "9", "", "+1", "constructor"]
        found = in_node(
            "return given.cells.map((cell) => { const counts = new metrics.Confusion(given.labels);"
            "counts.add(cell, given.labels[0]); const row = counts.counts.findIndex(([count]) => count);"
            "return row < 0 ? null : row; });",
            {"labels": labels, "cells": cells},
        )
        assert found == LabelParser(labels).values_of(cells), labels


def test_logits_that_are_no_numbers_are_refused() -> None:
    program = """
      const made = new classifier.Classifier({
        manifest: {labels: ["a", "b"], tokenizer: {pad_id: 0}, variants: {fp32: {inputs: []}}}, variant: "fp32",
        session: {run: async () => ({logits: {getData: async () => Float32Array.of(NaN, 1)}})},
      });
      return made.logits([{ids: [1], types: [0]}]).catch((error) => `${error.name}: ${error.message}`);
    """
    assert in_node(program, None) == "ScoringError: the model gives a logit that is no number; run the self-check"


def test_a_browser_that_keeps_nothing_is_no_fault_of_the_bundle() -> None:
    program = """
      const { Bundle } = await import(given);
      globalThis.caches = { open: async () => { throw new DOMException("not allowed", "SecurityError"); } };
      const bundle = new Bundle("http://localhost/", { files: {} }, "hash");
      await bundle.keep("config.json", new Uint8Array(1), { headers: {} });
      return bundle.kept;
    """
    assert in_node(program, str(SOURCES / "web" / "files.js")) is False


def test_paths_in_the_modules_name_each_other_only() -> None:
    for path in LIB.glob("*.js"):
        for line in path.read_text(encoding="utf-8").splitlines():
            if line.startswith("import "):
                assert (LIB / Path(line.rsplit('"', 2)[1]).name).is_file(), f"{path.name}: {line}"
