"""The heads of GLUE's files, as published, and small files under them."""

from pathlib import Path

from bertline.presets import PRESETS
from tests import tiny

_PARSES = ["sentence1_binary_parse", "sentence2_binary_parse", "sentence1_parse", "sentence2_parse"]
_MNLI = ["index", "promptID", "pairID", "genre", *_PARSES, "sentence1", "sentence2"]
_STSB = ["index", "genre", "filename", "year", "old_index", "source1", "source2", "sentence1", "sentence2"]
HEADS = {
    "sst2": ["sentence", "label"],
    "mrpc": ["Quality", "#1 ID", "#2 ID", "#1 String", "#2 String"],
    "qqp": ["id", "qid1", "qid2", "question1", "question2", "is_duplicate"],
    "stsb": [*_STSB, "score"],
    "mnli": [*_MNLI, "label1", "gold_label"],
    "qnli": ["index", "question", "sentence", "label"],
    "rte": ["index", "sentence1", "sentence2", "label"],
    "wnli": ["index", "sentence1", "sentence2", "label"],
}
TEST_HEADS = {
    "sst2": ["index", "sentence"],
    "mrpc": ["index", "#1 ID", "#2 ID", "#1 String", "#2 String"],
    "qqp": ["id", "question1", "question2"],
    "stsb": _STSB,
    "mnli": _MNLI,
    "qnli": ["index", "question", "sentence"],
    "rte": ["index", "sentence1", "sentence2"],
    "wnli": ["index", "sentence1", "sentence2"],
}
LABELS = {
    "stsb": ["5.000", "3.800", "0.600", "1.000"],
    "mnli": ["neutral", "entailment", "contradiction"],
    "qnli": ["entailment", "not_entailment"],
    "rte": ["entailment", "not_entailment"],
}


def write(path: Path, name: str, rows: int = 12, head: list[str] | None = None) -> Path:
    """A file of that task: its columns, sentences, and labels by turns. With another `head`, those columns."""
    preset, columns = PRESETS[name], head or HEADS[name]
    labels = LABELS.get(name, ["0", "1"])
    lines = ["\t".join(columns)]
    for row in range(rows):
        cells = {
            preset.text_column: tiny.SENTENCES[row % 8],
            preset.pair_column: tiny.SENTENCES[(3 * row + 1) % 8],
            preset.label_column: labels[row % len(labels)],
        }
        lines.append("\t".join(cells.get(column, str(row)) for column in columns))
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
