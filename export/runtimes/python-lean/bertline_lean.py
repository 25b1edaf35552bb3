"""Score a bertline bundle with onnxruntime, tokenizers and numpy alone, and check that the answers are the right ones.

python bertline_lean.py score INPUT.tsv OUTPUT.tsv
python bertline_lean.py selfcheck
"""

import argparse
import hashlib
import json
import sys
import time
from itertools import chain, islice, zip_longest
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer

WINDOW_ROWS, BATCH_ROWS = 4096, 32
INVARIANT_WITHIN = 1e-5  # |Δlogit| of a row alone and in a padded batch
EXTRA_PADDING = 16  # tokens
ONE_LABEL, SEVERAL, NUMBER = "single_label_classification", "multi_label_classification", "regression"


class ScoringError(Exception):
    """What the user can mend; the message is one line."""


class Classifier:
    """A bundle's model and tokenizer, at one precision."""

    def __init__(self, bundle, variant="fp32", threads=0):
        self.bundle, self.manifest = Path(bundle), read_manifest(bundle)
        padded = [name for name, entry in self.manifest["variants"].items() if entry["layout"] == "padded"]
        if variant not in padded:
            raise ScoringError(f"--variant {variant}: this bundle has {', '.join(padded)} for this runtime")
        self.variant = self.manifest["variants"][variant]
        self.labels, self.max_length = self.manifest["labels"], self.manifest["max_length"]
        self.problem = self.manifest["problem_type"]
        self.inputs = [of["name"] for of in self.variant["inputs"]]
        self.forward = self.load(verified(self.bundle, self.manifest, self.variant["file"]), threads)
        self.tokenizer = Tokenizer.from_file(str(verified(self.bundle, self.manifest, "tokenizer.json")))
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(self.max_length)  # keeps the last separator; of a pair, cuts the longer text

    def load(self, graph, threads):
        """The graph as a function: arrays (rows, tokens) int64 by input name to logits (rows, labels) float32."""
        import onnxruntime  # here, for where another runtime takes this method's place

        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = threads  # 0: all cores
        session = onnxruntime.InferenceSession(graph, options, providers=["CPUExecutionProvider"])
        return lambda feeds: session.run(["logits"], feeds)[0]

    def encode(self, texts):
        """[(token ids, token types)] of texts, or of pairs of texts."""
        return [(encoding.ids, encoding.type_ids) for encoding in self.tokenizer.encode_batch(texts)]

    def run(self, rows, room=0):
        """Logits (rows, labels) float32 of one batch of encoded rows, padded to the longest and `room` tokens more."""
        length = max(len(ids) for ids, _ in rows) + room
        feeds = {
            "input_ids": np.full((len(rows), length), self.manifest["tokenizer"]["pad_id"], np.int64),
            "attention_mask": np.zeros((len(rows), length), np.int64),
            "token_type_ids": np.zeros((len(rows), length), np.int64),
        }
        for row, (ids, types) in enumerate(rows):
            feeds["input_ids"][row, : len(ids)] = ids
            feeds["attention_mask"][row, : len(ids)] = 1
            feeds["token_type_ids"][row, : len(ids)] = types
        return self.forward({name: feeds[name] for name in self.inputs})

    def logits(self, rows):
        """Logits (rows, labels) float32 of encoded rows, in their order; batches hold rows of like length."""
        found = np.empty((len(rows), len(self.labels)), np.float32)
        order = np.argsort([len(ids) for ids, _ in rows], kind="stable")
        for start in range(0, len(order), BATCH_ROWS):
            batch = order[start : start + BATCH_ROWS]
            found[batch] = self.run([rows[row] for row in batch])
        if not np.isfinite(found).all():
            raise ScoringError(f"{self.bundle}: gives a logit that is no number; run selfcheck")
        return found

    def score(self, texts):
        """Of texts, or of pairs of texts: [(label, probability)], of several labels at once [{label: probability}] with
        those that are given, and of a model of numbers [number]."""
        logits = self.logits(self.encode(texts))
        if self.problem == NUMBER:
            return logits[:, 0].tolist()
        if self.problem == SEVERAL:
            shares = [dict(zip(self.labels, row, strict=True)) for row in sigmoid(logits).tolist()]
            return [{label: of[label] for label in self.given(row)} for row, of in zip(logits, shares, strict=True)]
        return [(self.labels[row.argmax()], float(row.max())) for row in softmax(logits)]

    def given(self, logits):
        """The labels, of several at once, whose logit (labels,) says a probability above 0.5."""
        return [label for label, value in zip(self.labels, logits, strict=True) if value > 0]

    def added(self, probabilities, logits):
        """The columns that `bertline infer` adds."""
        if self.problem == NUMBER and probabilities:
            raise ScoringError("--probabilities: this bundle predicts a number, which has none; leave it out")
        answers = {ONE_LABEL: ["predicted_label", "score"], SEVERAL: ["predicted_label"], NUMBER: ["prediction"]}
        shares = [f"prob_{label}" for label in self.labels] if probabilities or self.problem == SEVERAL else []
        return answers[self.problem] + shares + ([f"logit_{label}" for label in self.labels] if logits else [])

    def answers(self, found, probabilities, logits):
        """The cells of those columns for each row of logits (rows, labels); several labels have commas between."""
        if self.problem == NUMBER:
            rows = [[f"{values[0]:.9g}"] for values in found]
        elif self.problem == SEVERAL:
            rows = [
                [",".join(self.given(values)), *numbers(shares)]
                for values, shares in zip(found, sigmoid(found), strict=True)
            ]
        else:
            rows = []
            for values, shares in zip(found, softmax(found), strict=True):
                best = values.argmax()
                rows.append([self.labels[best], f"{shares[best]:.9g}", *(numbers(shares) if probabilities else [])])
        return [[*row, *(numbers(values) if logits else [])] for row, values in zip(rows, found, strict=True)]


def read_manifest(bundle):
    """What bertline.json says."""
    path = Path(bundle) / "bertline.json"
    try:
        manifest = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ScoringError(f"{bundle}: has no bertline.json, so it is no bundle; name one with --bundle") from None
    except ValueError:
        raise ScoringError(f"{path}: is not JSON; take the bundle from its source again") from None
    if manifest["problem_type"] not in (ONE_LABEL, SEVERAL, NUMBER):
        raise ScoringError(f"{path}: problem_type is {manifest['problem_type']!r}, which this program does not know")
    return manifest


def inside(bundle, name):
    """The path of a file of the bundle, which must not lead out of it."""
    path = (bundle / name).resolve()
    if not path.is_relative_to(bundle.resolve()):
        raise ScoringError(f"{bundle}/bertline.json: {name!r} leaves the bundle; take it from its source again")
    return path


def verified(bundle, manifest, name):
    """The path of a file of the bundle that is as the manifest says."""
    path, entry = inside(bundle, name), manifest["files"].get(name)
    if entry is None or not is_as_stated(path, entry):
        raise ScoringError(f"{path}: is missing or changed since the export; take the bundle from its source again")
    return path


def softmax(logits):
    """Probabilities (rows, labels) float32, computed in float64."""
    shifted = np.exp(logits - logits.max(axis=1, keepdims=True), dtype=np.float64)
    return (shifted / shifted.sum(axis=1, keepdims=True)).astype(np.float32)


def sigmoid(logits):
    """Probabilities float32 of logits, each by itself, computed in float64."""
    with np.errstate(over="ignore"):  # of a large number ∞, and the probability then rightly 0
        return (1 / (1 + np.exp(-logits, dtype=np.float64))).astype(np.float32)


def numbers(values):
    """Cells with nine digits, which keep a float32 exactly."""
    return [f"{value:.9g}" for value in values]


def read_table(stream, path, columns):
    """The columns of a table and an iterator over its rows' cells; `columns` names those of one without a header."""
    lines = numbered_lines(stream, path)
    head = next(lines, None)
    if head is None:
        raise ScoringError(f"{path}: the file is empty; give a table with at least one row")
    if columns is None:
        columns = head[1].split("\t")
    else:
        lines = chain([head], lines)

    def rows():
        for number, line in lines:
            cells = line.split("\t")
            if len(cells) != len(columns):
                raise ScoringError(
                    f"{path}, line {number}: has {len(cells)} columns instead of {len(columns)}; correct it"
                )
            yield cells

    return columns, rows()


def numbered_lines(stream, path):
    """(number, text) of each line, without its end and without a byte-order mark at the start."""
    for number, raw in enumerate(stream, 1):
        raw = raw.removeprefix(b"\xef\xbb\xbf") if number == 1 else raw
        try:
            line = raw.removesuffix(b"\n").removesuffix(b"\r").decode()
        except UnicodeDecodeError:
            raise ScoringError(f"{path}, line {number}: is not UTF-8; convert the file with iconv -t UTF-8") from None
        if "\0" in line:
            raise ScoringError(f"{path}, line {number}: holds a NUL character; remove it with tr -d '\\000'")
        yield number, line


def score_file(classifier, source, target, *, columns, text_columns, probabilities, logits, token_ids):
    """Score a table into `target`, which appears once it is whole; returns the number of rows."""
    if target.exists():
        raise ScoringError(f"{target}: the file exists; name another")
    if not source.is_file():
        raise ScoringError(f"{source}: no such file; check the name")
    if not target.parent.is_dir():
        raise ScoringError(f"{target}: the folder {target.parent} does not exist; make it first")
    added = classifier.added(probabilities, logits) + (["token_ids"] if token_ids else [])
    count, partial = 0, target.with_name(target.name + ".partial")
    try:
        out = partial.open("x", encoding="utf-8", newline="\n")
    except FileExistsError:  # it may be the input
        raise ScoringError(f"{partial}: left by an unfinished run, or one still going; remove it first") from None
    try:
        with out, source.open("rb") as stream:
            columns, rows = read_table(stream, source, columns)
            for name in text_columns:
                if name not in columns:
                    raise ScoringError(f"{source}: has no column {name!r} but {', '.join(columns)}; see --text-column")
                if columns.count(name) > 1:
                    raise ScoringError(f"{source}: several columns are called {name!r}; rename all but one")
            for name in columns:
                if name in added:
                    raise ScoringError(f"{source}: {name!r} is what the scores are called; rename that column")
            places = [columns.index(name) for name in text_columns]
            out.write("\t".join([*columns, *added]) + "\n")
            while window := list(islice(rows, WINDOW_ROWS)):
                texts = [tuple(cells[place] for place in places) for cells in window]
                encoded = classifier.encode([text if len(text) == 2 else text[0] for text in texts])
                found = classifier.logits(encoded)
                answers = classifier.answers(found, probabilities, logits)
                for cells, answer, (ids, _) in zip(window, answers, encoded, strict=True):
                    cells = [*cells, *answer, *([" ".join(map(str, ids))] if token_ids else [])]
                    out.write("\t".join(cells) + "\n")
                count += len(window)
        if not count:
            raise ScoringError(f"{source}: has a header and no rows; give a table with at least one row")
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return count


def selfcheck(bundle, variant, make=Classifier):
    """(name, passed, finding) of each step: hashes, token ids, logits of batch 1, logits in a padded batch."""
    bundle, manifest = Path(bundle), read_manifest(bundle)
    changed = [name for name, entry in manifest["files"].items() if not is_as_stated(inside(bundle, name), entry)]
    files = len(manifest["files"])
    finding = f"missing or changed: {', '.join(changed)}" if changed else f"{files} files are as the manifest says"
    yield "hashes", not changed, finding
    if changed:
        return
    classifier = make(bundle, variant)
    lines = (bundle / "golden.jsonl").read_text("utf-8").split("\n")
    goldens = [json.loads(line) for line in lines if line]
    texts = [golden["text"] if golden["pair"] is None else (golden["text"], golden["pair"]) for golden in goldens]
    found = classifier.encode(texts)
    differing = [(golden, ids) for golden, (ids, _) in zip(goldens, found, strict=True) if golden["input_ids"] != ids]
    finding = f"{len(goldens) - len(differing)} of {len(goldens)} goldens have the stored ids"
    finding += "".join(f"; {golden['tag']} {first_difference(golden, ids)}" for golden, ids in differing)
    yield "token ids", all(golden["tag"] != "core" for golden, _ in differing), finding

    stored = [(golden["input_ids"], golden["token_type_ids"]) for golden in goldens]
    alone = np.concatenate([classifier.run([row]) for row in stored])
    allowed = classifier.variant["golden_tolerance"]
    expected = np.array([golden["logits"][variant] for golden in goldens], np.float32)
    worst = farthest(alone, expected)
    finding = f"max |Δlogit| {worst:.1e}, allowed {allowed:.1e}"
    if worst > allowed:
        row, label = np.unravel_index(distances(alone, expected).argmax(), alone.shape)
        finding += f"; worst: {goldens[row]['text'][:40]!r} has {alone[row, label]:.6f} for label "
        finding += f"{classifier.labels[label]}, expected {expected[row, label]:.6f}"
    yield "logits", worst <= allowed, finding

    positions = manifest["tokenizer"]["positions"] or classifier.max_length
    room = min(EXTRA_PADDING, positions - max(len(ids) for ids, _ in stored))
    worst = max(farthest(alone, classifier.run(stored, further)) for further in (0, room))
    expected = classifier.variant["batch_invariant"]
    allowed = f"allowed {INVARIANT_WITHIN:.0e}" if expected else "stated, not limited"
    finding = f"alone and in a padded batch: max |Δlogit| {worst:.1e}, {allowed}"
    yield "padding", worst <= INVARIANT_WITHIN or not expected, finding


def is_as_stated(path, entry):
    """Whether a file has the manifest's size and hash."""
    if not path.is_file() or path.stat().st_size != entry["bytes"]:
        return False
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == entry["sha256"]


def first_difference(golden, ids):
    """Where the token ids found leave the stored ones."""
    pairs = enumerate(zip_longest(golden["input_ids"], ids))
    place, (expected, found) = next((place, pair) for place, pair in pairs if pair[0] != pair[1])
    return f"{golden['text'][:40]!r} differs at token {place}: expected {expected}, found {found}"


def farthest(one, other):
    """Largest |Δlogit|."""
    return float(distances(one, other).max())


def distances(one, other):
    """|Δlogit|; a NaN counts as infinitely far."""
    return np.nan_to_num(np.abs(one - other), nan=np.inf)


def arguments(says):
    """What the command line says."""
    parser = argparse.ArgumentParser(description=says, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    scoring, checking = commands.add_parser("score"), commands.add_parser("selfcheck")
    for command in (scoring, checking):
        command.add_argument("--bundle", type=Path, default=Path(__file__).resolve().parents[2])
        command.add_argument("--variant", default="fp32")
    scoring.add_argument("input", type=Path)
    scoring.add_argument("output", type=Path)
    scoring.add_argument("--columns", type=lambda names: names.split(","), help="names, for a file without a header")
    scoring.add_argument("--text-column")
    scoring.add_argument("--pair-column")
    for flag in ("--probabilities", "--logits", "--token-ids"):
        scoring.add_argument(flag, action="store_true")
    return parser.parse_args()


def main(make=Classifier, says=__doc__):
    """Run a command with what `make(bundle, variant)` makes; the exit code."""
    options = arguments(says)
    try:
        if options.command == "selfcheck":
            passed = True
            for name, fine, finding in selfcheck(options.bundle, options.variant, make):
                print(f"{'ok    ' if fine else 'FAILED'}  {name:<10} {finding}", flush=True)
                passed = passed and fine
            return 0 if passed else 3
        start = time.perf_counter()
        classifier = make(options.bundle, options.variant)
        known = classifier.manifest["text_columns"]
        if options.pair_column and len(known) == 1:
            raise ScoringError("--pair-column: this bundle scores single texts")
        rows = score_file(
            classifier,
            options.input,
            options.output,
            columns=options.columns,
            text_columns=[options.text_column or known[0], *(options.pair_column or name for name in known[1:])],
            probabilities=options.probabilities,
            logits=options.logits,
            token_ids=options.token_ids,
        )
        print(f"{rows:,} rows in {time.perf_counter() - start:.1f} s", file=sys.stderr)
        return 0
    except (ScoringError, OSError) as refusal:
        print(f"{Path(sys.argv[0]).stem}: {refusal}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


if __name__ == "__main__":
    sys.exit(main())
