"""Score tables by a Triton server that serves this bundle, and check that its answers are the right ones.

python client.py score INPUT.tsv OUTPUT.tsv --url http://localhost:8000
python client.py selfcheck
"""

import argparse
import hashlib
import http.client
import json
import math
import struct
import sys
import time
import urllib.error
import urllib.request
from concurrent.futures import ThreadPoolExecutor
from itertools import chain, islice
from pathlib import Path

WINDOW_ROWS, BATCH_ROWS = 4096, 32  # no more rows in a request than config.pbtxt's max_batch_size
REQUESTS = 4  # on the way at once, so that the server always has one to go on with
INVARIANT_WITHIN = 1e-5  # |Δlogit| of a row alone and in a padded batch
EXTRA_PADDING = 16  # tokens
SECONDS = 300  # to wait for an answer
SEVERAL, NUMBER = "multi_label_classification", "regression"
ANSWERS = {  # columns by problem_type
    "single_label_classification": ["predicted_label", "score"],
    SEVERAL: ["predicted_label"],
    NUMBER: ["prediction"],
}


class ScoringError(Exception):
    """What the user can mend; the message is one line."""


class Server:
    """The models of a laid-out bundle behind Triton's HTTP address (KServe's protocol, version 2, as JSON)."""

    def __init__(self, url, manifest):
        if not url.startswith(("http://", "https://")):
            raise ScoringError(f"--url {url}: give an address as http://localhost:8000")
        self.url, self.manifest = url.rstrip("/"), manifest
        said = self.said("bertline")
        self.variant, labels = said.get("variant"), json.loads(said.get("labels", "null"))
        if labels != manifest["labels"] or self.variant not in manifest["variants"]:
            raise ScoringError(
                f"{url}: serves another model, with labels {labels} and variant {self.variant}; see --bundle"
            )
        self.inputs = [tensor["name"] for tensor in manifest["variants"][self.variant]["inputs"]]

    def said(self, model):
        """The parameters of a model's config.pbtxt."""
        parameters = self.ask(f"{model}/config").get("parameters", {})
        return {name: entry["string_value"] for name, entry in parameters.items()}

    def ask(self, path, body=None):
        """The answer to a GET, or with a body to a POST."""
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(f"{self.url}/v2/models/{path}", data, {"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=SECONDS) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refusal:
            said = refusal.read().decode("utf-8", "replace").replace("\n", " ")
            raise ScoringError(f"{self.url}: answers {refusal.code} for {path}: {said}; see the server's log") from None
        except (OSError, http.client.HTTPException) as error:
            raise ScoringError(f"{self.url}: no answer ({error}); start tritonserver, or name another --url") from None
        except ValueError:
            raise ScoringError(f"{self.url}: answers {path} with what is not JSON; is it a Triton server?") from None

    def infer(self, model, inputs):
        """Rows of each output by name, from rows of each input."""
        answer = self.ask(f"{model}/infer", {"inputs": inputs})
        found = {}
        for tensor in answer["outputs"]:
            width = tensor["shape"][1]
            found[tensor["name"]] = [tensor["data"][at : at + width] for at in range(0, len(tensor["data"]), width)]
        return found

    def logits(self, texts):
        """A row of logits for each text, or pair of texts."""
        found = self.infer("bertline", text_tensors(texts))["logits"]
        if not all(math.isfinite(value) for row in found for value in row):
            raise ScoringError(f"{self.url}: gives a logit that is no number; run selfcheck")
        return found

    def tokens(self, texts):
        """Token ids of each text, or pair of texts, without padding."""
        found = self.infer("bertline_tokenizer", text_tensors(texts))
        return [ids[: sum(mask)] for ids, mask in zip(found["input_ids"], found["attention_mask"], strict=True)]

    def run(self, rows, room=0):
        """A row of logits for each (token ids, token types), padded to the longest and `room` tokens more."""
        length = max(len(ids) for ids, _ in rows) + room
        pad_id = self.manifest["tokenizer"]["pad_id"]
        padded = {
            "input_ids": [token for ids, _ in rows for token in ids + [pad_id] * (length - len(ids))],
            "attention_mask": [one for ids, _ in rows for one in [1] * len(ids) + [0] * (length - len(ids))],
            "token_type_ids": [kind for _, types in rows for kind in types + [0] * (length - len(types))],
        }
        tensors = [tensor(name, "INT64", [len(rows), length], padded[name]) for name in self.inputs]
        return self.infer("bertline_model", tensors)["logits"]


def tensor(name, kind, shape, data):
    return {"name": name, "datatype": kind, "shape": shape, "data": data}


def text_tensors(texts):
    """One input of texts, or two."""
    return [
        tensor(name, "BYTES", [len(column), 1], list(column))
        for name, column in zip(("text", "pair"), zip(*texts, strict=True), strict=False)
    ]


def read_manifest(bundle):
    """What bertline.json says."""
    path = bundle / "bertline.json"
    try:
        manifest = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise ScoringError(f"{bundle}: has no bertline.json, so it is no bundle; name one with --bundle") from None
    except ValueError:
        raise ScoringError(f"{path}: is not JSON; take the bundle from its source again") from None
    if manifest["problem_type"] not in ANSWERS:
        raise ScoringError(f"{path}: problem_type is {manifest['problem_type']!r}, which this program does not know")
    return manifest


def softmax(logits):
    """Probabilities as float32 has them, computed in float64."""
    powers = [math.exp(value - max(logits)) for value in logits]
    return [as_float32(power / sum(powers)) for power in powers]


def sigmoid(logits):
    """The same of several labels, each by itself."""
    return [as_float32(0.5 * (1 + math.tanh(value / 2))) for value in logits]  # which overflows nowhere


def as_float32(number):
    return struct.unpack("f", struct.pack("f", number))[0]


def added_columns(problem, labels, probabilities, logits):
    """The columns that `bertline infer` adds."""
    if problem == NUMBER and probabilities:
        raise ScoringError("--probabilities: this bundle predicts a number, which has none; leave it out")
    shares = [f"prob_{label}" for label in labels] if probabilities or problem == SEVERAL else []
    return ANSWERS[problem] + shares + ([f"logit_{label}" for label in labels] if logits else [])


def answer(problem, labels, values, probabilities, logits):
    """The cells of those columns for a row of logits; several labels have commas between."""
    shares = []
    if problem == NUMBER:
        cells = [f"{values[0]:.9g}"]
    elif problem == SEVERAL:
        given = [label for label, value in zip(labels, values, strict=True) if value > 0]  # a probability above 0.5
        cells, shares = [",".join(given)], sigmoid(values)
    else:
        every, best = softmax(values), values.index(max(values))
        cells, shares = [labels[best], f"{every[best]:.9g}"], every if probabilities else []
    return [*cells, *(f"{number:.9g}" for number in (*shares, *(values if logits else [])))]


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


def score_file(server, source, target, *, columns, text_columns, probabilities, logits, token_ids):
    """Score a table into `target`, which appears once it is whole; returns the number of rows."""
    if target.exists():
        raise ScoringError(f"{target}: the file exists; name another")
    if not source.is_file():
        raise ScoringError(f"{source}: no such file; check the name")
    if not target.parent.is_dir():
        raise ScoringError(f"{target}: the folder {target.parent} does not exist; make it first")
    labels, problem = server.manifest["labels"], server.manifest["problem_type"]
    added = added_columns(problem, labels, probabilities, logits) + (["token_ids"] if token_ids else [])
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
                found = in_batches(server.logits, texts)
                tokens = in_batches(server.tokens, texts) if token_ids else found
                for cells, values, ids in zip(window, found, tokens, strict=True):
                    cells = [*cells, *answer(problem, labels, values, probabilities, logits)]
                    cells += [" ".join(map(str, ids))] if token_ids else []
                    out.write("\t".join(cells) + "\n")
                count += len(window)
        if not count:
            raise ScoringError(f"{source}: has a header and no rows; give a table with at least one row")
        partial.replace(target)
    finally:
        partial.unlink(missing_ok=True)
    return count


def in_batches(ask, texts):
    """The answers for texts, in their order; a request holds texts of like length."""
    order = sorted(range(len(texts)), key=lambda row: sum(map(len, texts[row])))
    batches = [order[start : start + BATCH_ROWS] for start in range(0, len(order), BATCH_ROWS)]
    found = [None] * len(texts)
    with ThreadPoolExecutor(REQUESTS) as pool:
        answers = pool.map(lambda batch: ask([texts[row] for row in batch]), batches)
        for row, answer in zip(chain.from_iterable(batches), chain.from_iterable(answers), strict=True):
            found[row] = answer
    return found


def selfcheck(bundle, url):
    """(name, passed, finding) of each step: hashes, token ids, logits of batch 1, logits in a padded batch."""
    manifest = read_manifest(bundle)
    changed = [name for name, entry in manifest["files"].items() if not is_as_stated(bundle, name, entry)]
    files = len(manifest["files"])
    finding = f"missing or changed: {', '.join(changed)}" if changed else f"{files} files are as the manifest says"
    yield "hashes", not changed, finding
    if changed:
        return
    server = Server(url, manifest)
    entry = manifest["variants"][server.variant]
    lines = (bundle / "golden.jsonl").read_text("utf-8").split("\n")
    goldens = [json.loads(line) for line in lines if line]
    texts = [(golden["text"], golden["pair"])[: len(manifest["text_columns"])] for golden in goldens]
    found = in_batches(server.tokens, texts)
    differing = [golden for golden, ids in zip(goldens, found, strict=True) if golden["input_ids"] != ids]
    finding = f"{len(goldens) - len(differing)} of {len(goldens)} goldens have the stored ids"
    finding += "".join(f"; {golden['tag']} differs: {golden['text'][:40]!r}" for golden in differing)
    yield "token ids", all(golden["tag"] != "core" for golden in differing), finding

    stored = [(golden["input_ids"], golden["token_type_ids"]) for golden in goldens]
    alone = [server.run([row])[0] for row in stored]
    allowed = entry["golden_tolerance"]
    worst = farthest(alone, [golden["logits"][server.variant] for golden in goldens])
    yield "logits", worst <= allowed, f"max |Δlogit| {worst:.1e}, allowed {allowed:.1e} ({server.variant})"

    positions = manifest["tokenizer"]["positions"] or manifest["max_length"]
    room = min(EXTRA_PADDING, positions - max(len(ids) for ids, _ in stored))
    batches = [stored[start : start + BATCH_ROWS] for start in range(0, len(stored), BATCH_ROWS)]
    worst = max(
        farthest(alone, [row for batch in batches for row in server.run(batch, further)]) for further in (0, room)
    )
    allowed = f"allowed {INVARIANT_WITHIN:.0e}" if entry["batch_invariant"] else "stated, not limited"
    finding = f"alone and in a padded batch: max |Δlogit| {worst:.1e}, {allowed}"
    yield "padding", worst <= INVARIANT_WITHIN or not entry["batch_invariant"], finding


def is_as_stated(bundle, name, entry):
    """Whether a file stays in the bundle, and has the manifest's size and hash."""
    path = (bundle / name).resolve()
    if not path.is_relative_to(bundle.resolve()) or not path.is_file() or path.stat().st_size != entry["bytes"]:
        return False
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == entry["sha256"]


def farthest(one, other):
    """Largest |Δlogit|; a NaN counts as infinitely far."""
    distances = [abs(a - b) for left, right in zip(one, other, strict=True) for a, b in zip(left, right, strict=True)]
    return max(math.inf if math.isnan(distance) else distance for distance in distances)


def arguments():
    """What the command line says."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    scoring, checking = commands.add_parser("score"), commands.add_parser("selfcheck")
    for command in (scoring, checking):
        command.add_argument("--bundle", type=Path, default=Path(__file__).resolve().parents[2])
        command.add_argument("--url", default="http://localhost:8000")
    scoring.add_argument("input", type=Path)
    scoring.add_argument("output", type=Path)
    scoring.add_argument("--columns", type=lambda names: names.split(","), help="names, for a file without a header")
    scoring.add_argument("--text-column")
    scoring.add_argument("--pair-column")
    for flag in ("--probabilities", "--logits", "--token-ids"):
        scoring.add_argument(flag, action="store_true")
    return parser.parse_args()


def main():
    """Run a command; the exit code."""
    options = arguments()
    try:
        if options.command == "selfcheck":
            passed = True
            for name, fine, finding in selfcheck(options.bundle, options.url):
                print(f"{'ok    ' if fine else 'FAILED'}  {name:<10} {finding}", flush=True)
                passed = passed and fine
            return 0 if passed else 3
        start = time.perf_counter()
        manifest = read_manifest(options.bundle)
        known = manifest["text_columns"]
        if options.pair_column and len(known) == 1:
            raise ScoringError("--pair-column: this bundle scores single texts")
        rows = score_file(
            Server(options.url, manifest),
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
        print(f"client: {refusal}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
