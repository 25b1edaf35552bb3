"""The bundle: a folder with a manifest, `bertline.json`, that names, describes and hashes all that is in it."""

import hashlib
import json
import os
from dataclasses import asdict, dataclass
from pathlib import Path, PurePosixPath
from typing import Any

from bertline.errors import BertlineError, VerificationError
from bertline.metrics import METRIC_NAMES
from bertline.problems import REGRESSION, SINGLE_LABEL, MultiLabel, Problem, SingleLabel, problem_fault, problem_of
from bertline.schema import from_json, parse_json

MANIFEST = "bertline.json"
SCHEMA = 1
SHORTEST = 3  # tokens: one between its two markers


@dataclass(frozen=True)
class FileEntry:
    """One file of the bundle."""

    sha256: str  # 64 hexadecimal digits
    bytes: int

    @classmethod
    def of(cls, path: Path) -> "FileEntry":
        """The entry of a file as it stands."""
        with path.open("rb") as stream:
            return cls(hashlib.file_digest(stream, "sha256").hexdigest(), path.stat().st_size)


@dataclass(frozen=True)
class TokenizerFacts:
    """What a consumer needs to know of `tokenizer.json` to fill a batch."""

    pad_id: int
    cls_id: int
    sep_id: int
    unk_id: int
    lowercase: bool
    strip_accents: bool
    positions: int | None = None  # tokens the model takes at most; None: not said, so the manifest's max_length


@dataclass(frozen=True)
class Tensor:
    """An input or output of a graph; a symbolic axis is a name."""

    name: str
    dtype: str
    shape: tuple[int | str, ...]


@dataclass(frozen=True)
class Gate:
    """One measurement of a variant against PyTorch fp32, on the device it is meant for."""

    device: str
    provider: str
    precision: str
    rows: int
    max_abs_logit: float
    mean_abs_logit: float
    flips: int  # rows whose predicted label, or any of several, differs; of numbers, none do
    mcc: float | None  # None: the rows had no labels, or the model does not give one of several
    mcc_reference: float | None
    passed: bool
    cpu: str
    versions: dict[str, str]
    mcc_difference: tuple[float, ...] | None = None  # low, high: 95% bootstrap interval of mcc - mcc_reference
    batch_variance: float | None = None  # max |Δlogit| of a row, alone and in any batch
    rows_per_second: float | None = None  # over `rows`, tokenizing apart; what --variant auto chooses by
    gpu: str | None = None  # the CUDA device's name
    parity: str | None = None  # what ran the graph in place of the device that the variant is for
    metric: str | None = None  # that a model without an MCC goes by: micro_f1 or pearson
    quality: float | None = None  # by that metric; None: the rows had no labels, or it is undefined
    quality_reference: float | None = None
    concordance: float | None = None  # Lin's, with the reference's numbers, of rows and goldens; None: it gives labels

    @property
    def judged(self) -> tuple[str, float | None, float | None]:
        """The metric that the model goes by, what it is here, and what it is with the reference."""
        if self.metric is None:
            return "mcc", self.mcc, self.mcc_reference
        return self.metric, self.quality, self.quality_reference


@dataclass(frozen=True)
class Variant:
    """One way to run the bundle at one precision."""

    file: str  # relative to the bundle, with forward slashes
    precision: str
    layout: str
    opset: int
    ir: int
    domains: tuple[str, ...]
    inputs: tuple[Tensor, ...]
    outputs: tuple[Tensor, ...]
    providers: tuple[str, ...]
    passes: tuple[str, ...]
    batch_invariant: bool
    golden_tolerance: float  # max |Δlogit| against the golden logits of this variant
    gates: tuple[Gate, ...]
    quantization: dict[str, Any] | None = None  # how an int8 graph was calibrated, and which products stayed in fp32
    first_position: int | None = None  # of a packed graph: a row's first position id; not 0: the padding id, plus 1


@dataclass(frozen=True)
class Thresholds:
    """Decision thresholds that `bertline threshold` found on labelled rows, and what they were worth there."""

    metric: str  # that they are the best by: mcc, accuracy or f1
    labels: dict[str, float]  # 0…1 by label: all of several, or the second of two; it is given where it is likelier
    rows: int
    table: str  # the name of the file
    sha256: str  # of the file
    variant: str  # whose probabilities they are of
    before: dict[str, float]  # figures on those rows at 0.5
    after: dict[str, float]


@dataclass(frozen=True)
class Manifest:
    """What `bertline.json` says."""

    schema: int
    task: str
    problem_type: str
    labels: tuple[str, ...]  # by label id
    text_columns: tuple[str, ...]  # one, or two for a model of pairs
    max_length: int  # tokens, special ones included
    tokenizer: TokenizerFacts
    files: dict[str, FileEntry]
    variants: dict[str, Variant]
    thresholds: Thresholds | None
    default_variant: dict[str, str]  # by kind of device
    provenance: dict[str, Any]
    label_column: str | None = None

    @property
    def positions(self) -> int:
        """The longest row the model takes, in tokens."""
        return self.tokenizer.positions or self.max_length

    @property
    def problem(self) -> Problem:
        """What the model's outputs mean, decided at 0.5."""
        return problem_of(self.problem_type, self.labels)

    @property
    def tuned_problem(self) -> Problem | None:
        """The same, decided at the stored thresholds; None where there are none."""
        if self.thresholds is None:
            return None
        found = self.thresholds.labels
        if self.problem_type == SINGLE_LABEL:
            return SingleLabel(self.labels, found[self.labels[1]])
        return MultiLabel(self.labels, tuple(found[label] for label in self.labels))

    @property
    def why_untunable(self) -> str | None:
        """Why no threshold decides, in words; None for two labels, and for several at once."""
        if self.problem_type == REGRESSION:
            return "predicts a number, which no threshold decides"
        if self.problem_type == SINGLE_LABEL and len(self.labels) != 2:
            return f"gives the likeliest of {len(self.labels)} labels; only two, or several at once, have a threshold"
        return None

    def thresholds_for(self, wanted: bool) -> dict[str, float] | None:
        """The stored thresholds by label, where a run wants them and there are any."""
        return self.thresholds.labels if wanted and self.thresholds else None

    def to_json(self) -> str:
        """The document, indented, with a final newline."""
        return json.dumps(asdict(self), indent=1, ensure_ascii=False) + "\n"


@dataclass(frozen=True)
class Bundle:
    """A finished bundle on disk, its manifest valid; `sha256` is the manifest's own, and so names all contents."""

    path: Path
    manifest: Manifest
    sha256: str

    @classmethod
    def open(cls, path: Path) -> "Bundle":
        """Read and validate the manifest; BertlineError lists every problem at once. Hashes are for `verify`."""
        if not path.is_dir():
            raise BertlineError(f"{path}: no such bundle folder; make one with bertline export MODEL_DIR -o {path}")
        if not _stays_inside(MANIFEST, path):
            raise BertlineError(f"{path / MANIFEST}: is a link that leaves the bundle; copy the file itself there")
        try:
            raw = (path / MANIFEST).read_bytes()
        except FileNotFoundError:
            raise BertlineError(
                f"{path}: has no {MANIFEST}, so it is no bundle or an unfinished one; export the model again"
            ) from None
        problems: list[str] = []
        try:
            document = parse_json(raw)
        except ValueError as error:
            raise BertlineError(f"{path / MANIFEST}: is not JSON ({error}); export the model again") from None
        manifest: Manifest | None = from_json(Manifest, document, "", problems)
        if manifest is not None:
            problems += _inconsistencies(manifest, path)
        if manifest is None or problems:
            raise BertlineError(f"{path / MANIFEST}: {'; '.join(problems)}; export the model again")
        return cls(path, manifest, hashlib.sha256(raw).hexdigest())

    def verify(self, names: list[str] | None = None) -> None:
        """Hash the files named (default: all); VerificationError names every one that is missing or changed."""
        faults = []
        for name in names if names is not None else sorted(self.manifest.files):
            entry, file = self.manifest.files[name], self.path / name
            if not file.is_file():
                faults.append(f"{name} is missing")
            elif file.stat().st_size != entry.bytes:
                faults.append(f"{name} has {file.stat().st_size:,} bytes instead of {entry.bytes:,}")
            else:
                with file.open("rb") as stream:
                    if hashlib.file_digest(stream, "sha256").hexdigest() != entry.sha256:
                        faults.append(f"{name} has changed (its sha256 is not the manifest's)")
        if faults:
            raise VerificationError(f"{self.path}: {'; '.join(faults)}; take the bundle from its source again")


def _inconsistencies(manifest: Manifest, root: Path) -> list[str]:
    """What is wrong in a manifest whose shape is right."""
    problems = []
    if manifest.schema != SCHEMA:
        problems.append(f"schema is {manifest.schema}, and this bertline reads {SCHEMA}")
    if len(manifest.labels) < 1 or len(set(manifest.labels)) != len(manifest.labels):
        problems.append("labels are empty or not distinct")
    fault = problem_fault(manifest.problem_type, manifest.labels) if manifest.labels else None
    problems += [fault] if fault else _threshold_faults(manifest)
    if len(manifest.text_columns) not in (1, 2):
        problems.append("text_columns must name one or two columns")
    if not SHORTEST <= manifest.max_length <= manifest.positions:
        problems.append(f"max_length is {manifest.max_length}, not within {SHORTEST} and {manifest.positions} tokens")
    if manifest.tokenizer.pad_id < 0:
        problems.append(f"tokenizer.pad_id is {manifest.tokenizer.pad_id}, not a token id")
    for name, entry in manifest.files.items():
        if not _stays_inside(name, root):
            problems.append(f"files: {name!r} leaves the bundle")
        if len(entry.sha256) != 64 or not set(entry.sha256) <= set("0123456789abcdef"):
            problems.append(f"files: the sha256 of {name!r} is not 64 hexadecimal digits")
    for needed in ("config.json", "tokenizer.json"):
        if needed not in manifest.files:
            problems.append(f"files: {needed} is not listed")
    for name, variant in manifest.variants.items():
        if variant.file not in manifest.files:
            problems.append(f"variants.{name}.file: {variant.file!r} is not listed in files")
        if variant.layout == "packed" and (variant.first_position is None or variant.first_position < 0):
            problems.append(f"variants.{name}.first_position: a packed graph needs the position of a row's first token")
    if "fp32" not in manifest.variants:
        problems.append("variants: fp32 is missing")
    for device, name in manifest.default_variant.items():
        if name not in manifest.variants:
            problems.append(f"default_variant.{device}: there is no variant {name!r}")
    return problems


def _threshold_faults(manifest: Manifest) -> list[str]:
    """What is wrong with the stored thresholds of a problem that is right itself."""
    if manifest.thresholds is None:
        return []
    found, labels = manifest.thresholds.labels, manifest.labels
    if manifest.why_untunable:
        return [f"thresholds are stored, and the model {manifest.why_untunable}"]
    wanted = labels[1:] if manifest.problem_type == SINGLE_LABEL else labels
    faults = []
    if manifest.thresholds.metric not in METRIC_NAMES:
        faults.append(
            f"thresholds.metric is {manifest.thresholds.metric!r}, which is none of {', '.join(METRIC_NAMES)}"
        )
    if set(found) != set(wanted):
        faults.append(f"thresholds.labels are of {', '.join(found) or 'none'}, and not of {', '.join(wanted)}")
    for label, value in found.items():
        if not 0 <= value <= 1:
            faults.append(f"thresholds.labels: {value:g} of {label!r} is not within 0 and 1")
    return faults


def _stays_inside(name: str, root: Path) -> bool:
    path = PurePosixPath(name)
    if not name.isprintable() or not path.parts or "\\" in name or ":" in name or path.is_absolute():
        return False
    # A link may not lead out either. Not resolve(): it raises where links go round in a circle.
    return ".." not in path.parts and Path(os.path.realpath(root / name)).is_relative_to(os.path.realpath(root))
