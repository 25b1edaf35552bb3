"""The whole line with every family: fine-tuned, exported with all variants that apply, and scored as by PyTorch.

Each has the kind of tokenizer that its published checkpoints have, and the sentences come alone or in pairs.
"""

from collections.abc import Iterator
from contextlib import redirect_stderr
from dataclasses import dataclass
from io import StringIO
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from tokenizers import Tokenizer
from transformers import AutoTokenizer

from bertline.bundle import Bundle
from bertline.cli import run
from bertline.errors import BertlineError
from bertline.model_folder import ModelFolder
from export.packed_reference import PROVIDER
from export.reference import Reference
from infer import openvino
from infer.cpus import matrix_formats
from infer.encode import Text
from infer.variants import BF16, CUDA_FP16, Machine, choose
from tests import tiny
from tests.conftest import Cli, Once
from tests.packed_on_cpu import packed_scorer
from tests.tokenizers_of import FORMS, write_own_tokenizer

FAMILIES = (*tiny.FAMILIES, *tiny.OTHER_FAMILIES)
PAIRED = ("roberta", "distilbert", "albert", "mpnet", "deberta-v2")  # those whose model reads two texts here
WITHIN = {"fp32": 1e-4, "fp16": 1e-2, "quantized": 0.1, "int8": 0.15}  # max |Δlogit|, of logits of about 1
ALL = ",".join((*WITHIN, CUDA_FP16))
# Random models have rows on the border between two labels, which a trained one has not.
LIMITS = ("--max-flips", "0.1", "--max-mcc-drop", "2")


@dataclass(frozen=True)
class Line:
    """What a family's line left in its folder; read only."""

    family: str
    folder: Path

    @property
    def bundle(self) -> Path:
        return self.folder / "bundle"

    @property
    def table(self) -> Path:
        return self.folder / "table.tsv"

    @property
    def packed(self) -> bool:
        return self.family in tiny.FAMILIES

    @property
    def said(self) -> str:
        """By the commands, the exit code of export behind it."""
        return (self.folder / "said.txt").read_text(encoding="utf-8")

    @property
    def texts(self) -> list[Text]:
        """The table's rows, as the model reads them."""
        rows = [line.split("\t") for line in self.table.read_text(encoding="utf-8").splitlines()[1:]]
        return [(row[1], row[2]) if self.family in PAIRED else row[1] for row in rows]

    def reference(self) -> Reference:
        return Reference(ModelFolder.open(self.folder / "model"))


def write_table(path: Path, rows: int) -> Path:
    """Rows of `id`, `first`, `second`, `label`."""
    lines = ["id\tfirst\tsecond\tlabel"]
    for row in range(rows):
        first, second = tiny.SENTENCES[row % 8], f"{tiny.SENTENCES[row * 3 % 8]} {row} na\u00efve"
        lines.append(f"{row}\t{first} {row % 5}\t{second}\t{row % 2}")
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def run_line(family: str, folder: Path) -> None:
    """One epoch, and all variants."""
    # With these seeds float16 moves no golden's logit by more than its tolerance.
    seed = 1 if family == "electra" else 2
    base = tiny.write_model(folder / "base", family, seed=seed, make_tokenizer=write_own_tokenizer)
    table, calibrate = write_table(folder / "table.tsv", 40), write_table(folder / "calibrate.tsv", 60)
    columns = ["--text-column", "first", "--label-column", "label"]
    columns += ["--pair-column", "second"] if family in PAIRED else []
    training = ["--epochs", "1", "--validation-share", "0", "--max-length", "48", "--precision", "fp32"]
    said = StringIO()
    with redirect_stderr(said), tiny.one_thread():
        model = folder / "model"
        assert run(["finetune", str(table), "--model", str(base), "-o", str(model), *training, *columns]) == 0, said
        options = ["--variants", ALL, "--verify-on", str(table), "--calibrate-on", str(calibrate), *LIMITS]
        code = run(["export", str(model), "-o", str(folder / "bundle"), *options])
    (folder / "said.txt").write_text(f"{said.getvalue()}exit code {code}", encoding="utf-8")


@pytest.fixture(scope="module", params=FAMILIES)
def line(request: pytest.FixtureRequest, once: Once) -> Line:
    family: str = request.param
    return Line(family, once(f"{family}_line", lambda folder: run_line(family, folder)))


@pytest.fixture(scope="module")
def expected(line: Line) -> Iterator[NDArray[np.float32]]:
    """PyTorch's logits of the table."""
    reference = line.reference()
    yield reference.logits(reference.encode(line.texts, 48))


def test_all_variants_are_made_or_the_family_says_what_works_instead(line: Line) -> None:
    variants = Bundle.open(line.bundle).manifest.variants
    if line.packed:
        assert line.said.endswith("exit code 0") and list(variants) == ALL.split(",")
        (gate,) = [gate for gate in variants[CUDA_FP16].gates if gate.device == "cpu"]
        assert (gate.parity, gate.rows > 40, gate.passed) == (PROVIDER, True, True)
    else:
        *_, error, code = line.said.splitlines()
        assert code == "exit code 3" and list(variants) == list(WITHIN)
        assert "finished without cuda-fp16 (no packed graph is known for the family" in error
        assert error.endswith("on CUDA, run fp32 with --device cuda)"), "no limit was exceeded: none is named"
    assert all(variants[name].batch_invariant for name in WITHIN)
    precisions = {gate.precision for gate in variants["fp32"].gates}
    may_run_bf16 = not openvino.missing() and {"amx_bf16", "avx512_bf16"} & set(matrix_formats())
    assert (BF16 in precisions or f"{BF16} on" in line.said) == bool(may_run_bf16)


@pytest.mark.parametrize("variant", WITHIN)
def test_a_file_is_scored_as_by_pytorch(
    variant: str, line: Line, expected: NDArray[np.float32], cli: Cli, tmp_path: Path
) -> None:
    scored = tmp_path / "scored.tsv"
    outcome = cli("infer", line.bundle, line.table, "-o", scored, "--variant", variant, "--logits", "--device", "cpu")
    assert outcome.code == 0, outcome.err
    header, *rows = [row.split("\t") for row in scored.read_text(encoding="utf-8").splitlines()]
    assert header[-4:] == ["predicted_label", "score", "logit_0", "logit_1"]
    logits = np.array([row[-2:] for row in rows], np.float32)
    assert np.abs(logits - expected).max() <= WITHIN[variant]
    assert np.ptp(expected, axis=0).max() > 0.1, "a model that answers alike to all proves nothing"
    clear = np.abs(expected[:, 1] - expected[:, 0]) > 2 * WITHIN[variant]
    predicted = np.array([int(row[-4]) for row in rows])
    assert (predicted == expected.argmax(axis=1))[clear].all() and clear.any()


def test_the_bundle_verifies(line: Line, cli: Cli) -> None:
    for variant in WITHIN:
        outcome = cli("verify", line.bundle, "--variant", variant, "--device", "cpu")
        assert outcome.code == 0, outcome.out + outcome.err


def test_the_packed_graph_scores_as_pytorch_or_fp32_is_offered(
    line: Line, expected: NDArray[np.float32], tmp_path: Path
) -> None:
    if line.packed:
        scorer = packed_scorer(line.bundle, tmp_path)
        found = scorer.run_tokens(scorer.encoder.encode(line.texts))
        assert np.abs(found - expected).max() <= WITHIN["fp16"]
    else:
        bundle = Bundle.open(line.bundle)
        with pytest.raises(BertlineError, match=r"has no variant 'cuda-fp16'; .*; with --device cuda, fp32 runs, too$"):
            choose(bundle, CUDA_FP16, Machine("cuda"))
        assert choose(bundle, "fp32", Machine("cuda")).name == "fp32"


def test_the_tokenizer_that_ships_is_the_models_own(line: Line) -> None:
    shipped = Tokenizer.from_file(str(line.bundle / "tokenizer.json"))
    own = AutoTokenizer.from_pretrained(line.folder / "model")
    for text in [*tiny.SENTENCES, " ".join(FORMS), "  two  spaces ", ""]:
        assert shipped.encode(text).ids == own(text)["input_ids"]
        pair, encoding = own(text, "a dog", return_token_type_ids=True), shipped.encode(text, "a dog")
        assert (encoding.ids, encoding.type_ids) == (pair["input_ids"], pair["token_type_ids"])
    facts = Bundle.open(line.bundle).manifest.tokenizer
    assert (facts.pad_id, facts.cls_id, facts.sep_id) == (own.pad_token_id, own.cls_token_id, own.sep_token_id)
    cased = shipped.encode("A CAT").ids != shipped.encode("a cat").ids
    assert facts.lowercase == (not cased)
    accented = shipped.encode("\u00e9 e").ids != shipped.encode("e e").ids
    assert facts.strip_accents == (not accented)
