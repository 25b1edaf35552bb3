"""int8 weights and activations: calibrated once, then as many products in int8 as the gate allows."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from pathlib import Path
from tempfile import TemporaryDirectory

import numpy as np
import onnx
from numpy.typing import NDArray

from bertline.bundle import Bundle
from bertline.errors import BertlineError, UsageError, VerificationError
from bertline.problems import Problem
from export.calibration import Calibration
from export.candidates import Candidate, described, measured
from export.nncf import Feeds, require_nncf, smooth_quantized
from export.precision import gathered_as_int8
from export.products import Product, Products, find_products
from export.qdq import int8_only_in, unsigned_activations
from export.variants import INT8_FILE, Made
from export.ways import Terms
from infer.encode import Encoded
from infer.parity import Limits
from infer.scorer import Scorer
from infer.session import OnnxSession

ALPHA = 0.85  # of SmoothQuant; on CoLA 0.7 moves logits a fifth further
FP32_SHARES = (0.0, 0.05, 0.1, 0.2, 0.3, 0.4, 0.5)  # of the multiply-adds; from the fastest to the most careful
SENSITIVITY_ROWS = 128
PASSES = ("smooth_quant", "int8_products", "int8_tables")

OTHERS = "use --variants quantized, or bf16"

Run = Callable[[onnx.ModelProto, Encoded], NDArray[np.float32]]


def require_int8(calibrate_on: Sequence[Path], verify_on: Sequence[Path]) -> None:
    """Before anything is computed: UsageError without rows of its own, ModuleNotFoundError without nncf."""
    if not calibrate_on:
        raise UsageError("--variants int8 is calibrated on rows of text; add --calibrate-on TSV")
    for file in calibrate_on:
        if file.exists() and any(other.exists() and file.samefile(other) for other in verify_on):
            raise UsageError(
                f"--calibrate-on {file}: is also in --verify-on, and rows that chose the layers would flatter the "
                "gate; give other rows, such as those the model was trained on"
            )
    require_nncf()


def make_int8(draft: Bundle, calibration: Calibration, scorer: Scorer, terms: Terms) -> Made:
    """The int8 variant of the draft's fp32 graph, which `scorer` runs; see `quantize`.

    Raises VerificationError, with the way that works, for a graph that cannot be made int8.
    """
    with TemporaryDirectory(dir=draft.path) as folder:
        file = Path(folder) / "candidate.onnx"

        def run(model: onnx.ModelProto, encoded: Encoded) -> NDArray[np.float32]:
            onnx.save_model(model, file)
            try:
                session = OnnxSession(file, "cpu", scorer.threads)
                return Scorer(draft, scorer.choice, session, scorer.encoder, scorer.batch_tokens).run_tokens(encoded)
            except BertlineError as error:
                raise VerificationError(f"its int8 graph does not run ({error}); {OTHERS}") from None

        model = onnx.load(draft.path / scorer.choice.variant.file)
        return quantize(model, calibration, draft.manifest.problem, terms.limits("int8"), run, terms.say)


def quantize(
    model: onnx.ModelProto,
    calibration: Calibration,
    problem: Problem,
    limits: Limits,
    run: Run,
    say: Callable[[str], None],
) -> Made:
    """The fastest candidate that holds the limits on `calibration.choosing`, else the most careful one.

    Those are on flips, of a model of several labels of any of them; of one that predicts numbers, on how far their
    concordance with fp32's is from 1. `run` gives the logits (rows, labels) float32 of a graph. The rows that
    choose are compared with the fp32 graph, which has been proven against PyTorch. What the choice is worth on other
    rows is for the gate to say. Raises VerificationError for a graph without such products.
    """
    products = find_products(model)
    if not products.linear:
        raise VerificationError(f"no product of its hidden states with a weight is known in its graph; {OTHERS}")
    feeds = _feeds(model, calibration.calibrating)
    full = smooth_quantized(model, feeds, products.int8, ALPHA)
    reference = run(model, calibration.choosing)
    tried: list[Candidate] = []
    for left_out in _candidates(model, full, products, calibration.choosing, reference, run):
        built = _built(full, model, products, left_out)
        logits = run(built, calibration.choosing)
        tried.append(measured(problem, left_out, products, logits, reference, limits))
        say(f"int8, {described(tried[-1], products)}")
        if tried[-1].held:
            break
    note = {
        "method": "nncf, SmoothQuant",
        "alpha": ALPHA,
        "calibration_rows": len(calibration.calibrating.lengths),
        "attention_in_fp32": list(products.attention),
        "heads_in_fp32": list(products.heads),
        "candidates": [asdict(candidate) for candidate in tried if np.isfinite(candidate.max_abs_logit)],
    }
    return Made(INT8_FILE, built, PASSES, note)


def _candidates(
    model: onnx.ModelProto,
    full: onnx.ModelProto,
    products: Products,
    choosing: Encoded,
    reference: NDArray[np.float32],
    run: Run,
) -> Iterator[tuple[Product, ...]]:
    """Products to leave in fp32: those that cost nothing, then with them more and more of those that harm most."""
    free = tuple(product for product in products.linear if product.first_row_only)
    yield free
    rows = _first(choosing, SENSITIVITY_ROWS)
    groups: dict[str, list[Product]] = {}
    for product in products.linear:
        if product not in free:
            groups.setdefault(product.group, []).append(product)

    def harm(group: list[Product]) -> float:
        """Mean squared Δlogit of this group alone in int8, for each multiply-add that fp32 would cost."""
        alone = unsigned_activations(int8_only_in([product.node for product in group], full, model))
        moved = run(alone, rows) - reference[: len(rows.lengths)]
        return float(np.square(moved).mean()) / sum(product.size for product in group)

    worst_first = sorted(groups.values(), key=harm, reverse=True)
    total = sum(product.size for group in worst_first for product in group)
    for share in FP32_SHARES[1:]:
        left_out, spent = list(free), 0
        for group in worst_first:
            if spent < share * total:
                left_out += group
                spent += sum(product.size for product in group)
        yield tuple(left_out)


def _built(
    full: onnx.ModelProto, model: onnx.ModelProto, products: Products, left_out: tuple[Product, ...]
) -> onnx.ModelProto:
    nodes = products.int8 - {product.node for product in left_out}
    return gathered_as_int8(unsigned_activations(int8_only_in(nodes, full, model)))


def _feeds(model: onnx.ModelProto, encoded: Encoded) -> list[Feeds]:
    """Each row alone, by the graph's own input names."""
    names = [value.name for value in model.graph.input]
    rows: list[Feeds] = []
    for ids, types in zip(encoded.input_ids, encoded.token_type_ids, strict=True):
        arrays = {"input_ids": ids, "attention_mask": [1] * len(ids), "token_type_ids": types}
        rows.append({name: np.array([arrays[name]], np.int64) for name in names})
    return rows


def _first(encoded: Encoded, rows: int) -> Encoded:
    return Encoded.from_rows(encoded.input_ids[:rows], encoded.token_type_ids[:rows], encoded.truncated[:rows])
