"""Lay this bundle out as a model repository of Triton Inference Server, and check one against the bundle.

python repository.py make TARGET [--variant fp16]
python repository.py check TARGET
"""

import argparse
import hashlib
import json
import re
import shutil
import sys
from pathlib import Path

TEMPLATE = "runtimes/triton/repository"  # in the bundle: all but the graph and the tokenizer
MODELS = ("bertline", "bertline_model", "bertline_tokenizer")
PROGRAM = "bertline_tokenizer/1/model.py"
# What whoever runs the server may tune; all else in a configuration must be the bundle's.
TUNING = ("dynamic_batching", "instance_group", "max_batch_size", "metric_tags", "model_warmup", "optimization")
WORD = re.compile(r'(?:\s|#[^\n]*)*("(?:[^"\\\n]|\\.)*"|[\w.+-]+|[][{}:,])(?:\s|#[^\n]*)*')


class RepositoryError(Exception):
    """What the user can mend; the message is one line."""


def make(bundle, target, variant):
    """Write the folder `target`, which appears once it is whole and its check has passed."""
    manifest = read_manifest(bundle)
    if variant not in padded_variants(manifest):
        raise RepositoryError(f"--variant {variant}: this bundle has {', '.join(padded_variants(manifest))} for Triton")
    if target.exists():
        raise RepositoryError(f"{target}: the folder exists; name another")
    if not target.parent.is_dir():
        raise RepositoryError(f"{target}: the folder {target.parent} does not exist; make it first")
    partial = target.with_name(target.name + ".partial")
    try:
        partial.mkdir()
    except FileExistsError:
        raise RepositoryError(f"{partial}: left by an unfinished run, or one still going; remove it first") from None
    try:
        for name, source in sources(manifest, variant).items():
            (partial / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(inside(bundle, source), partial / name)
        (partial / "bertline/1").mkdir()  # Triton looks for a version, also where it holds nothing
        with (partial / "bertline/config.pbtxt").open("a", encoding="utf-8") as stream:
            stream.write(f'parameters {{ key: "variant" value: {{ string_value: "{variant}" }} }}\n')
        for name, passed, finding in check(bundle, partial):
            if not passed:
                raise RepositoryError(f"{bundle}: {name}: {finding}; take the bundle from its source again")
        partial.rename(target)
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def check(bundle, target):
    """(name, passed, finding) of each step: the files there, what the configurations say, hashes."""
    manifest = read_manifest(bundle)
    if not target.is_dir():
        raise RepositoryError(f"{target}: no such folder; lay one out with repository.py make {target}")
    files = {
        path.relative_to(target).as_posix()
        for model in MODELS
        for path in (target / model).rglob("*")
        if (path.is_symlink() or not path.is_dir()) and "__pycache__" not in path.relative_to(target).parts
    }
    expected = sources(manifest, "fp32").keys()
    faults = [f"{name} is missing" for name in sorted(expected - files)]
    faults += [f"{name} is extra" for name in sorted(files - expected)]
    faults += [] if (target / "bertline/1").is_dir() else ["bertline/1 is missing"]
    yield "files", not faults, "; ".join(faults) or f"{len(files)} files of {len(MODELS)} models"
    if faults:
        return
    variant, faults = config_faults(bundle, manifest, target)
    yield "configs", not faults, "; ".join(faults) or "tensors, labels and max_length are the bundle's"
    if faults:
        return
    copied = {name: of for name, of in sources(manifest, variant).items() if not name.endswith("config.pbtxt")}
    faults = [
        f"{name} is not the bundle's {of}"
        for name, of in copied.items()
        if not is_as_stated(target / name, manifest, of)
    ]
    yield "hashes", not faults, "; ".join(faults) or f"graph, tokenizer and program are the bundle's, {variant}"


def config_faults(bundle, manifest, target):
    """The variant that the configurations are for, and where they differ from the bundle's."""
    variant, faults = None, []
    for model in MODELS:
        name = f"{model}/config.pbtxt"
        if not is_as_stated(inside(bundle, f"{TEMPLATE}/{name}"), manifest, f"{TEMPLATE}/{name}"):
            faults.append(f"the bundle's own {TEMPLATE}/{name} has changed")
            continue
        config, expected = read_config(target / name), contract(read_config(bundle / TEMPLATE / name))
        found = contract(config)
        if model == "bertline":
            variants = {f'"{name}"': name for name in padded_variants(manifest)}
            said = found.get("parameters variant", "nothing")
            variant = next((of for word, of in variants.items() if word in said), None)
            if variant is None:
                faults.append(
                    f"{name}: parameters variant is {said}, and this bundle has {', '.join(variants.values())}"
                )
        if config.get("max_batch_size", ["0"]) in (["0"], ["-1"]):
            faults.append(f"{name}: max_batch_size is 0, and the shapes are those of a batch")
        for field in sorted(expected.keys() | found.keys()):
            if field.startswith("parameters ") and field not in expected:
                continue  # the variant, and what a backend takes
            one, other = expected.get(field, "nothing"), found.get(field, "nothing")
            if one != other:
                faults.append(f"{name}: {field} is {other}, and {one} in the bundle")
    return variant, faults


def contract(config):
    """What a configuration promises, in words, by field and the name of a tensor or a parameter."""
    said = {}
    for field in config.keys() - {*TUNING}:
        for one in config[field]:
            named = {} if isinstance(one, str) else one
            name = shown((named.get("name") or named.get("key") or [""])[0])
            said.setdefault(f"{field} {name}".replace('"', "").strip(), []).append(shown(one))
    return {field: ", ".join(values) for field, values in said.items()}


def shown(value):
    """A word, or a message on one line."""
    if isinstance(value, str):
        return value
    return f"{{{' '.join(f'{field}: {shown(one)}' for field, values in sorted(value.items()) for one in values)}}}"


def read_config(path):
    """A configuration in protobuf's text format as {field: [values]}; a value is a word, or such a message."""
    text, words, place = path.read_text("utf-8", "replace"), [], 0
    while place < len(text):
        found = WORD.match(text, place)
        if not found:
            raise RepositoryError(f"{path}: is no configuration (at character {place}); lay the repository out again")
        words.append(found[1])
        place = found.end()
    words = ["}", *reversed(words)]  # taken from the end
    try:
        config = message(words)
    except (IndexError, RecursionError):
        words = [""]
    if words:
        raise RepositoryError(f"{path}: is no configuration (its brackets do not match); lay the repository out again")
    return config


def message(words):
    """Fields up to the closing bracket."""
    fields = {}
    while (name := words.pop()) != "}":
        values = fields.setdefault(name, [])
        skip(words, ":")
        if skip(words, "["):
            while not skip(words, "]"):
                values.append(value(words))
                skip(words, ",")
        else:
            values.append(value(words))
        skip(words, ",")
    return fields


def value(words):
    return message(words) if skip(words, "{") else words.pop()


def skip(words, word):
    """Take this word if it comes next."""
    return words[-1] == word and bool(words.pop())


def sources(manifest, variant):
    """Which file of the bundle each file of the repository is a copy of."""
    template = {name: f"{TEMPLATE}/{name}" for name in (*(f"{model}/config.pbtxt" for model in MODELS), PROGRAM)}
    if not manifest["files"].keys() >= set(template.values()):
        raise RepositoryError(f"bertline.json: lists no {TEMPLATE}; export the bundle with --runtimes triton")
    graph = manifest["variants"][variant]["file"]
    return template | {"bertline_model/1/model.onnx": graph, "bertline_tokenizer/1/tokenizer.json": "tokenizer.json"}


def padded_variants(manifest):
    """The variants whose graphs take batches with padding."""
    return [name for name, entry in manifest["variants"].items() if entry["layout"] == "padded"]


def read_manifest(bundle):
    """What bertline.json says."""
    path = bundle / "bertline.json"
    try:
        return json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise RepositoryError(f"{bundle}: has no bertline.json, so it is no bundle; name one with --bundle") from None
    except ValueError:
        raise RepositoryError(f"{path}: is not JSON; take the bundle from its source again") from None


def inside(bundle, name):
    """The path of a file of the bundle, which must be there and not lead out of it."""
    path = (bundle / name).resolve()
    if not path.is_relative_to(bundle.resolve()) or not path.is_file():
        raise RepositoryError(f"{bundle}: {name!r} is missing or leaves the bundle; take it from its source again")
    return path


def is_as_stated(path, manifest, name):
    """Whether a file has the size and the hash that the manifest states for this file of the bundle."""
    entry = manifest["files"][name]
    if not path.is_file() or path.stat().st_size != entry["bytes"]:
        return False
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest() == entry["sha256"]


def main():
    """Run a command; the exit code."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    making, checking = commands.add_parser("make"), commands.add_parser("check")
    for command in (making, checking):
        command.add_argument("target", type=Path)
        command.add_argument("--bundle", type=Path, default=Path(__file__).resolve().parents[2])
    making.add_argument("--variant", default="fp32")
    options = parser.parse_args()
    try:
        if options.command == "make":
            make(options.bundle, options.target, options.variant)
            return 0
        passed = True
        for name, fine, finding in check(options.bundle, options.target):
            print(f"{'ok    ' if fine else 'FAILED'}  {name:<10} {finding}", flush=True)
            passed = passed and fine
        return 0 if passed else 3
    except (RepositoryError, OSError) as refusal:
        print(f"repository: {refusal}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
