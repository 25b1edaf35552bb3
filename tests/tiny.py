"""Tiny models, made in a second: real architectures and tokenizers with random weights and a small vocabulary."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

WORDS = """
the a cat dog book john mary sleeps sees reads gave was written by in on mat very happy not to of and
""".split()
SENTENCES = [
    "The cat sleeps.",
    "The dog sees a book.",
    "John gave Mary the book.",
    "The book was written by John.",
    "Cat the sleeps very.",
    "Mary reads on the mat and the cat sleeps in the book.",
    "To of and.",
    "A dog not sees.",
]
POSITIONS = 64
FAMILIES = ("bert", "roberta", "distilbert", "electra")  # those with a packed graph
OTHER_FAMILIES = ("xlm-roberta", "albert", "mpnet", "deberta-v2", "modernbert")
LIKE_ROBERTA = ("roberta", "xlm-roberta", "mpnet")  # their markers, and positions that count from the padding id on
_SETTINGS: dict[str, dict[str, object]] = {
    "roberta": {"type_vocab_size": 1},
    "xlm-roberta": {"type_vocab_size": 1},
    "albert": {"embedding_size": 16},
    "deberta-v2": {"relative_attention": True, "position_buckets": 16, "pos_att_type": ["p2c", "c2p"]},
    "modernbert": {"global_attn_every_n_layers": 2, "local_attention": 16},
}


def labels_of(family: str) -> tuple[str, ...]:
    """Two labels or three, and in each number of them a family with token types and one without."""
    return ("no", "maybe", "yes") if family in ("bert", "distilbert") else ("0", "1")


def write_tokenizer(folder: Path, family: str = "bert") -> Any:
    """A lower-casing WordPiece tokenizer with every letter, so that few texts are unknown."""
    from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    pad, unk, cls, sep, mask = (
        ("<pad>", "<unk>", "<s>", "</s>", "<mask>")
        if family in LIKE_ROBERTA
        else ("[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]")
    )
    # RoBERTa's own order: its positions count from the padding id on, which is not 0
    special = [cls, pad, sep, unk, mask] if family in LIKE_ROBERTA else [pad, unk, cls, sep, mask]
    letters = [chr(code) for code in range(ord("a"), ord("z") + 1)]
    pieces = [*special, *WORDS, *letters, *(f"##{letter}" for letter in letters), *".,!?'\"()-;:0123456789"]
    vocabulary = {piece: number for number, piece in enumerate(dict.fromkeys(pieces))}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token=unk, max_input_chars_per_word=40))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=True)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    if family in LIKE_ROBERTA:
        tokenizer.post_processor = processors.RobertaProcessing((sep, vocabulary[sep]), (cls, vocabulary[cls]))
    else:
        tokenizer.post_processor = processors.BertProcessing((sep, vocabulary[sep]), (cls, vocabulary[cls]))
    names = ["input_ids", "attention_mask"]
    wrapped = PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=POSITIONS,
        pad_token=pad,
        unk_token=unk,
        cls_token=cls,
        sep_token=sep,
        mask_token=mask,
        model_input_names=[*names, "token_type_ids"] if family in ("bert", "electra", "albert") else names,
    )
    wrapped.save_pretrained(folder)
    return wrapped


def write_model(folder: Path, family: str = "bert", labels: tuple[str, ...] = ("0", "1"), seed: int = 0) -> Path:
    """A classifier of that family with random weights large enough that sentences get different scores."""
    import torch
    from transformers import AutoConfig, AutoModelForSequenceClassification

    tokenizer = write_tokenizer(folder, family)
    sizes: dict[str, int] = (
        {"dim": 32, "hidden_dim": 64, "n_layers": 2, "n_heads": 2}
        if family == "distilbert"
        else {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2, "num_attention_heads": 2}
    )
    config = AutoConfig.for_model(
        family,
        vocab_size=len(tokenizer),
        max_position_embeddings=POSITIONS + (tokenizer.pad_token_id + 1 if family in LIKE_ROBERTA else 0),
        pad_token_id=tokenizer.pad_token_id,
        initializer_range=0.2,
        id2label=dict(enumerate(labels)),
        label2id={label: number for number, label in enumerate(labels)},
        **_SETTINGS.get(family, {}),
        **sizes,
    )
    torch.manual_seed(seed)
    AutoModelForSequenceClassification.from_config(config).save_pretrained(folder)
    return folder


def write_table(path: Path, rows: int = 24, header: bool = True) -> Path:
    """Rows of `id`, `sentence`, `label` over the sentences above; labels alternate."""
    lines = ["id\tsentence\tlabel"] if header else []
    lines += [f"{row}\t{SENTENCES[row % len(SENTENCES)]}\t{row % 2}" for row in range(rows)]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def export(model: Path, output: Path, *variants: str) -> Path:
    """The bundle of a model, with those variants beside fp32."""
    from bertline.tsv import TableSpec
    from export.bundling import export_bundle

    with plain_cpu():
        export_bundle(model, output, [], TableSpec(), variants=["fp32", *variants])
    return output


@contextmanager
def plain_cpu() -> Iterator[None]:
    """Without OpenVINO, which runs on some CPUs only: an export measures every way to run that is here."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("infer.openvino.missing", lambda: "OpenVINO is not here")
        yield


@contextmanager
def one_thread() -> Iterator[None]:
    """PyTorch on one thread: models this small lose more by waiting for threads than they gain."""
    import torch

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


def with_problem(bundle: Path, output: Path, problem_type: str) -> Path:
    """A copy of a bundle whose logits mean something else; of a regression, only the first of them is left."""
    import json
    import shutil

    import onnx

    from bertline.bundle import MANIFEST, FileEntry

    shutil.copytree(bundle, output)
    document = json.loads((output / MANIFEST).read_text(encoding="utf-8"))
    document["problem_type"] = problem_type
    if problem_type == "regression":
        document["labels"] = ["score"]
        path = output / document["variants"]["fp32"]["file"]
        model = onnx.load(path)
        last = next(node for node in model.graph.node if "logits" in node.output)
        last.output[list(last.output).index("logits")] = "all_logits"
        names = [f"slice_{name}" for name in ("start", "end", "axis")]
        for name, value in zip(names, (0, 1, 1), strict=True):
            model.graph.initializer.append(onnx.helper.make_tensor(name, onnx.TensorProto.INT64, [1], [value]))
        model.graph.node.append(onnx.helper.make_node("Slice", ["all_logits", *names], ["logits"]))
        model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 1
        onnx.save(model, path)
        goldens = [json.loads(line) for line in (output / "golden.jsonl").read_text(encoding="utf-8").splitlines()]
        for golden in goldens:
            golden["logits"] = {name: logits[:1] for name, logits in golden["logits"].items()}
        text = "".join(json.dumps(golden) + "\n" for golden in goldens)
        (output / "golden.jsonl").write_text(text, encoding="utf-8")
        document["files"] = {name: vars(FileEntry.of(output / name)) for name in document["files"]}
    (output / MANIFEST).write_text(json.dumps(document), encoding="utf-8")
    return output
