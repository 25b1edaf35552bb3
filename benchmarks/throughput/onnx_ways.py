"""What `benchmarks.peers.protocol` serves of bertline itself and of ONNX Runtime; like `infer`, without PyTorch."""

from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.peers.protocol import FileToFile, FileWay
from benchmarks.throughput.equal_lengths import in_equal_lengths
from bertline.bundle import Bundle
from bertline.model_folder import ModelFolder
from bertline.tsv import TableSpec
from infer.job import Job
from infer.output import OutputFormat
from infer.pipeline import score_files
from infer.runners import Logits
from infer.scorer import Scorer
from infer.session import OnnxSession

PACKAGES = ("onnxruntime", "onnxruntime-ep-openvino", "tokenizers", "numpy")
_PLAIN = "plain.onnx"


class Infer:
    """`bertline infer`, file to file."""

    def __init__(self, scorer: Scorer) -> None:
        self._scorer = scorer
        self._target = Path()

    def run(self, source: str, target: str) -> dict[str, float]:
        self._target = Path(target)
        form = OutputFormat(header=False, logits=True)
        spec = TableSpec(header=False, text_column="1")
        # Nobody else scores equal texts once, and shares of the matrix rate count every row.
        job = Job([Path(source)], self._target, spec, form, use_labels=False, force=True, dedupe=False)
        report, _ = score_files(job, self._scorer.bundle.manifest, lambda: self._scorer)
        stages: dict[str, float] = report["stage_seconds"]
        return stages

    def logits(self) -> list[list[float]]:
        """As they were written, label by label, behind all other columns."""
        lines = self._target.read_text(encoding="utf-8").splitlines()
        return [[float(value) for value in line.split("\t")[-len(self._scorer.labels) :]] for line in lines]


class Session:
    """The session alone on rows that are tokenized beforehand: what reading, tokenizing and writing cost nothing of."""

    def __init__(self, scorer: Scorer, texts: list[str]) -> None:
        self._scorer, self._encoded = scorer, scorer.encoder.encode(texts)
        self._last: Logits = np.empty((0, 0), np.float32)

    def run(self, source: str, target: str) -> None:
        self._last = self._scorer.run_tokens(self._encoded)

    def logits(self) -> list[list[float]]:
        found: list[list[float]] = self._last.tolist()
        return found


def prepare(request: dict[str, Any]) -> None:
    """Write the graph as it leaves the exporter, for `plain`."""
    from export.graph import export_graph
    from export.reference import Reference

    reference = Reference(ModelFolder.open(Path(request["model"])))
    export_graph(reference.model, reference.input_names, Path(request["folder"]) / _PLAIN)


def load_files(request: dict[str, Any]) -> FileWay:
    """`plain`, `infer VARIANT` or `session VARIANT`."""
    kind, _, variant = request["way"].partition(" ")
    bundle, threads = Bundle.open(Path(request["bundle"])), request["threads"]
    if kind == "plain":
        session = OnnxSession(Path(request["folder"]) / _PLAIN, "cpu", threads)
        return FileToFile(lambda texts: _plain(session, bundle.path, texts))
    scorer = Scorer.open(bundle, device="cpu", variant=variant, threads=threads)
    if kind == "session":
        return Session(scorer, Path(request["file"]).read_text(encoding="utf-8").splitlines())
    return Infer(scorer)


def _plain(session: OnnxSession, bundle: Path, texts: list[str]) -> Logits:
    """ONNX Runtime on the graph of `prepare`, CPU provider, fp32, on bertline's own batches."""

    def run(ids: NDArray[np.int64]) -> Logits:
        arrays = {"input_ids": ids, "attention_mask": np.ones_like(ids), "token_type_ids": np.zeros_like(ids)}
        return session.run({name: arrays[name] for name in session.inputs})

    return in_equal_lengths(bundle, texts, run)
