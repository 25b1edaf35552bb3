"""`triton`: configurations by Triton's own schema, a layout whose check finds faults, and the scores of `infer`."""

import ast
import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from google.protobuf import text_format

from bertline.bundle import MANIFEST, Bundle
from export.triton import configs
from infer.scorer import Scorer
from tests import tiny
from tests.conftest import Cli, Once
from tests.runtimes.conftest import VARIANTS, scored
from tests.runtimes.needs import REPOSITORY, needs
from tests.runtimes.test_programs import changed_goldens, changed_hash
from tests.runtimes.triton_stand_in import RefusedError, Repository, schema, serve

PAIRS = [("the cat " * 40, "a dog " * 10), ("a dog", "the cat " * 60), ("", "the book"), ("john " * 50, "mary " * 51)]


def program(bundle: Path, name: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """A program of the bundle's, with the standard library alone."""
    command = [sys.executable, "-I", "-S", bundle / "runtimes/triton" / name, *arguments]
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, cwd="/")


@pytest.fixture(scope="session")
def messages() -> Any:
    """Triton's schema of configurations."""
    needs(".runtimes/triton/.installed")
    return schema(REPOSITORY / ".runtimes/triton/tritonclient")


def laid_out(bundle: Path, target: Path, variant: str = "fp32") -> Path:
    done = program(bundle, "repository.py", "make", target, "--variant", variant)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return target


@pytest.fixture(scope="session")
def repository(once: Once, shipped: Path) -> Path:
    """Laid out for fp32; read only."""
    return once("triton_repository", lambda target: laid_out(shipped, target))


# The configurations


def test_configurations_are_triton_s_and_say_what_the_manifest_says(
    shipped: Path, shipped_pairs: Path, messages: Any
) -> None:
    for bundle in (shipped, shipped_pairs):
        manifest = Bundle.open(bundle).manifest
        found = {name: text_format.Parse(text, messages.ModelConfig()) for name, text in configs(manifest).items()}
        assert {name: config.name for name, config in found.items()} == {name: name for name in found}
        texts = [("text", "TYPE_STRING", [1]), ("pair", "TYPE_STRING", [1])][: len(manifest.text_columns)]
        ids = [(tensor.name, "TYPE_INT64", [-1]) for tensor in manifest.variants["fp32"].inputs]
        logits = [("logits", "TYPE_FP32", [len(manifest.labels)])]
        for name, inputs, outputs in (
            ("bertline", texts, logits),
            ("bertline_tokenizer", texts, ids),
            ("bertline_model", ids, logits),
        ):
            kinds = messages.DataType.Name
            assert [(of.name, kinds(of.data_type), list(of.dims)) for of in found[name].input] == inputs
            assert [(of.name, kinds(of.data_type), list(of.dims)) for of in found[name].output] == outputs
            assert found[name].max_batch_size == 32
        batching = found["bertline_model"].dynamic_batching
        assert list(batching.preferred_batch_size) == [8, 16, 32] and batching.max_queue_delay_microseconds == 1000
        said = {key: value.string_value for key, value in found["bertline"].parameters.items()}
        assert json.loads(said["labels"]) == list(manifest.labels) and int(said["max_length"]) == manifest.max_length
        for variant in manifest.variants.values():
            assert [asdict(tensor) for tensor in variant.inputs] == [
                asdict(tensor) for tensor in manifest.variants["fp32"].inputs
            ]


def test_labels_of_any_characters_survive(shipped: Path, messages: Any) -> None:
    labels = ('"good"', "back\\slash", "né pas", "日本", "it's")
    text = configs(replace(Bundle.open(shipped).manifest, labels=labels))["bertline"]
    said = text_format.Parse(text, messages.ModelConfig()).parameters["labels"].string_value
    assert json.loads(said) == list(labels)


# The layout and its check


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_repository_is_laid_out_and_passes_its_check(shipped: Path, tmp_path: Path, variant: str) -> None:
    target = laid_out(shipped, tmp_path / "models", variant)
    graph = shipped / Bundle.open(shipped).manifest.variants[variant].file
    assert (target / "bertline_model/1/model.onnx").read_bytes() == graph.read_bytes()
    done = program(shipped, "repository.py", "check", target)
    assert done.returncode == 0, done.stdout
    assert [line.split()[:2] for line in done.stdout.splitlines()] == [
        ["ok", "files"],
        ["ok", "configs"],
        ["ok", "hashes"],
    ]
    assert [path.name for path in tmp_path.iterdir()] == ["models"]


def edit(path: str, old: str, new: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        text = (folder / path).read_text(encoding="utf-8")
        assert old in text
        (folder / path).write_text(text.replace(old, new), encoding="utf-8")

    return change


def flip(path: str) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        content = bytearray((folder / path).read_bytes())
        content[len(content) // 2] ^= 1
        (folder / path).write_bytes(content)

    return change


def second_version(folder: Path) -> None:
    shutil.copytree(folder / "bertline_model/1", folder / "bertline_model/2")


MODEL, TOKENIZER, WHOLE = (f"{name}/config.pbtxt" for name in ("bertline_model", "bertline_tokenizer", "bertline"))
TAMPERED: list[tuple[Callable[[Path], object], str]] = [
    (flip("bertline_model/1/model.onnx"), "hashes     bertline_model/1/model.onnx is not the bundle's onnx/model.onnx"),
    (flip("bertline_tokenizer/1/tokenizer.json"), "hashes     bertline_tokenizer/1/tokenizer.json is not the bundle's"),
    (edit("bertline_tokenizer/1/model.py", "STEP = 8", "STEP = 1"), "hashes     bertline_tokenizer/1/model.py is not"),
    (
        edit(WHOLE, '"fp32"', '"fp16"'),
        "hashes     bertline_model/1/model.onnx is not the bundle's onnx/model_fp16",
    ),
    (edit(WHOLE, '"fp32"', '"int8"'), "configs    bertline/config.pbtxt: parameters variant is"),
    (edit(MODEL, '"input_ids"', '"ids"'), f"configs    {MODEL}: input ids is {{data_type: TYPE_INT64 dims: -1"),
    (edit(MODEL, "TYPE_INT64", "TYPE_INT32"), f"configs    {MODEL}: input attention_mask is {{data_type: TYPE_INT32"),
    (edit(MODEL, "dims: [ 2 ]", "dims: [ 3 ]"), f"configs    {MODEL}: output logits is {{data_type: TYPE_FP32 dims: 3"),
    (edit(MODEL, "max_batch_size: 32", "max_batch_size: 0"), f"configs    {MODEL}: max_batch_size is 0"),
    (
        edit(MODEL, "output [", 'output { name: "logits" data_type: TYPE_FP32 dims: 9 } output ['),
        f"configs    {MODEL}: output logits is {{data_type: TYPE_FP32 dims: 9",
    ),
    (edit(MODEL, "dynamic_batching", "sequence_batching"), f"configs    {MODEL}: sequence_batching is"),
    (edit(WHOLE, r"\"0\"", r"\"9\""), f"configs    {WHOLE}: parameters labels is {{key"),
    (edit(WHOLE, 'value: "logits"', 'value: "input_ids"'), f"configs    {WHOLE}: ensemble_scheduling is {{step"),
    (edit(TOKENIZER, '"64"', '"65"'), f"configs    {TOKENIZER}: parameters max_length is"),
    (edit(TOKENIZER, "pad_id", "pad"), f"configs    {TOKENIZER}: parameters pad_id is nothing, and"),
    (
        lambda folder: (folder / "bertline_model/1/model.onnx").unlink(),
        "files      bertline_model/1/model.onnx is missing",
    ),
    (lambda folder: (folder / "bertline/1").rmdir(), "files      bertline/1 is missing"),
    (second_version, "files      bertline_model/2/model.onnx is extra"),
    (lambda folder: (folder / "bertline_model/2").symlink_to("1"), "files      bertline_model/2 is extra"),
]


@pytest.mark.parametrize(("tamper", "failed"), TAMPERED, ids=[failed[11:60] for _, failed in TAMPERED])
def test_each_tampering_is_found(
    shipped: Path, repository: Path, tmp_path: Path, tamper: Callable[[Path], object], failed: str
) -> None:
    copy = Path(shutil.copytree(repository, tmp_path / "models"))
    tamper(copy)
    done = program(shipped, "repository.py", "check", copy)
    assert done.returncode == 3 and f"FAILED  {failed}" in done.stdout, done.stdout + done.stderr


def test_what_one_may_tune_passes(shipped: Path, repository: Path, tmp_path: Path, messages: Any) -> None:
    copy = Path(shutil.copytree(repository, tmp_path / "models"))
    edit(MODEL, "max_queue_delay_microseconds: 1000", "# more patience\n max_queue_delay_microseconds: 5000")(copy)
    edit(MODEL, "KIND_CPU", "KIND_GPU")(copy)
    edit(MODEL, "max_batch_size: 32", "max_batch_size : 64")(copy)
    with (copy / TOKENIZER).open("a") as stream:
        stream.write('parameters: { key: "EXECUTION_ENV_PATH", value: { string_value: "/env.tar.gz" } }')
    (copy / "bertline_tokenizer/1/__pycache__").mkdir()
    (copy / "bertline_tokenizer/1/__pycache__/model.pyc").touch()
    (copy / "another_model").mkdir()
    text_format.Parse((copy / MODEL).read_text(), messages.ModelConfig())
    done = program(shipped, "repository.py", "check", copy)
    assert done.returncode == 0, done.stdout


def without_triton(bundle: Path) -> None:
    document = json.loads((bundle / MANIFEST).read_text())
    document["files"] = {name: of for name, of in document["files"].items() if "triton" not in name}
    (bundle / MANIFEST).write_text(json.dumps(document))


@pytest.mark.parametrize(
    ("change", "arguments", "message"),
    [
        (flip("onnx/model.onnx"), (), "hashes: bertline_model/1/model.onnx is not the bundle's onnx/model.onnx; take"),
        (
            flip(f"runtimes/triton/repository/{MODEL}"),
            (),
            f"the bundle's own runtimes/triton/repository/{MODEL} has",
        ),
        (lambda bundle: (bundle / "tokenizer.json").unlink(), (), "'tokenizer.json' is missing or leaves the bundle"),
        (without_triton, (), "export the bundle with --runtimes triton"),
        (lambda bundle: (bundle / MANIFEST).unlink(), (), "has no bertline.json"),
        (lambda bundle: (bundle / MANIFEST).write_text("{"), (), "is not JSON"),
        (
            lambda bundle: None,
            ("--variant", "int8"),
            "--variant int8: this bundle has fp32, fp16, quantized for",
        ),
        (lambda bundle: (bundle.parent / "models").mkdir(), (), "models: the folder exists; name another"),
        (lambda bundle: (bundle.parent / "models.partial").mkdir(), (), "left by an unfinished run"),
    ],
)
def test_nothing_is_laid_out_where_something_is_wrong(
    shipped: Path, tmp_path: Path, change: Callable[[Path], object], arguments: tuple[str, ...], message: str
) -> None:
    bundle = Path(shutil.copytree(shipped, tmp_path / "bundle"))
    change(bundle)
    before = sorted(tmp_path.iterdir())
    done = program(bundle, "repository.py", "make", tmp_path / "models", *arguments)
    assert (done.returncode, done.stderr.count("\n")) == (1, 1) and message in done.stderr, done.stderr
    assert sorted(tmp_path.iterdir()) == before


def test_what_is_no_repository_is_one_line(shipped: Path, repository: Path, tmp_path: Path) -> None:
    done = program(shipped, "repository.py", "make", tmp_path / "no/models")
    assert done.returncode == 1 and "does not exist; make it first" in done.stderr
    copy = Path(shutil.copytree(repository, tmp_path / "models"))
    for content in ("name: {", 'name: "unfinished', "}", "input [ { name: ] }"):
        (copy / MODEL).write_text(content)
        done = program(shipped, "repository.py", "check", copy)
        assert (done.returncode, done.stderr.count("\n")) == (1, 1) and "is no configuration" in done.stderr, content
    done = program(shipped, "repository.py", "check", tmp_path / "none")
    assert done.returncode == 1 and "no such folder" in done.stderr


# The tokenizing model and the graph


def test_a_program_imports_no_more_than_it_says(shipped: Path) -> None:
    folder = shipped / "runtimes/triton"
    for name, allowed in (
        ("repository.py", set()),
        ("client.py", set()),
        ("repository/bertline_tokenizer/1/model.py", {"numpy", "tokenizers", "triton_python_backend_utils"}),
    ):
        nodes = list(ast.walk(ast.parse((folder / name).read_text(encoding="utf-8"))))
        names = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
        names |= {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
        assert {name for name in names if name.split(".")[0] not in sys.stdlib_module_names} == allowed


def text_tensors(texts: list[Any]) -> dict[str, Any]:
    columns = [texts] if isinstance(texts[0], str) else list(zip(*texts, strict=True))
    return {
        name: np.array([text.encode() for text in column], np.object_).reshape(-1, 1)
        for name, column in zip(("text", "pair"), columns, strict=False)
    }


def test_requests_of_one_call_get_their_own_shapes(repository: Path, shipped: Path, messages: Any) -> None:
    loaded = Repository(repository, messages)
    requests = [tiny.SENTENCES[:1], tiny.SENTENCES, ["the cat " * 60], [""]]
    answers = loaded.execute("bertline_tokenizer", [text_tensors(texts) for texts in requests])
    assert [answer["input_ids"].shape for answer in answers] == [(1, 8), (8, 16), (1, 64), (1, 8)]
    encoder = Scorer.open(shipped, device="cpu").encoder
    for texts, answer in zip(requests, answers, strict=True):
        rows = zip(answer["input_ids"], answer["attention_mask"], strict=True)
        assert [ids[: mask.sum()].tolist() for ids, mask in rows] == encoder.encode(texts).input_ids
        assert all(array.dtype == np.int64 for array in answer.values())
    with pytest.raises(RefusedError, match="not UTF-8"):
        loaded.infer("bertline", {"text": np.array([[b"\xff"]], np.object_)})


def test_text_to_logits_is_as_infer_has_it(shipped: Path, shipped_pairs: Path, tmp_path: Path, messages: Any) -> None:
    for bundle, texts in (
        (shipped, [*tiny.SENTENCES, "the cat " * 60, "", "é 日本 \0 [MASK]"]),
        (shipped_pairs, PAIRS),
    ):
        for variant in VARIANTS:
            loaded = Repository(laid_out(bundle, tmp_path / f"{bundle.name}-{variant}", variant), messages)
            found = loaded.infer("bertline", text_tensors(texts))["logits"]
            scorer = Scorer.open(bundle, device="cpu", variant=variant, provider="cpu")
            expected = scorer.run_tokens(scorer.encoder.encode(texts))
            np.testing.assert_allclose(found, expected, atol=1e-4)
            assert (found.argmax(axis=1) == expected.argmax(axis=1)).all()


# The client


@pytest.mark.parametrize("variant", VARIANTS)
def test_the_client_scores_as_infer_does(cli: Cli, shipped: Path, tmp_path: Path, messages: Any, variant: str) -> None:
    table = tiny.write_table(tmp_path / "table.tsv", rows=100)
    flags = ("--probabilities", "--logits")
    ours, theirs = tmp_path / "ours.tsv", tmp_path / "theirs.tsv"
    assert cli("infer", shipped, table, "-o", ours, "--variant", variant, "--provider", "cpu", *flags, "-q").code == 0
    with serve(Repository(laid_out(shipped, tmp_path / "models", variant), messages)) as url:
        done = program(shipped, "client.py", "score", table, theirs, "--url", url, *flags)
    assert (done.returncode, done.stdout) == (0, "") and done.stderr.startswith("100 rows in "), done.stderr
    numbers = [name for name in scored(ours)[0] if name == "score" or name.startswith(("prob_", "logit_"))]
    for one, other in zip(scored(ours), scored(theirs), strict=True):
        assert list(one) == list(other)
        assert {name: one[name] for name in one if name not in numbers} == {
            name: other[name] for name in other if name not in numbers
        }
        np.testing.assert_allclose([float(one[n]) for n in numbers], [float(other[n]) for n in numbers], atol=1e-4)


@pytest.mark.parametrize("problem", ["several", "number"])
def test_the_client_scores_several_labels_and_numbers(
    request: pytest.FixtureRequest, cli: Cli, tmp_path: Path, messages: Any, problem: str
) -> None:
    bundle: Path = request.getfixturevalue(f"shipped_{problem}")
    table, ours, theirs = tiny.write_table(tmp_path / "table.tsv"), tmp_path / "ours.tsv", tmp_path / "theirs.tsv"
    flags = ("--variant", "fp32", "--provider", "cpu", "--no-labels", "--logits", "-q")
    assert cli("infer", bundle, table, "-o", ours, *flags).code == 0
    with serve(Repository(laid_out(bundle, tmp_path / "models"), messages)) as url:
        done = program(bundle, "client.py", "score", table, theirs, "--url", url, "--logits")
        refused = program(bundle, "client.py", "score", table, tmp_path / "no.tsv", "--url", url, "--probabilities")
    assert done.returncode == 0, done.stderr
    for one, other in zip(scored(ours), scored(theirs), strict=True):
        assert list(one) == list(other) and one.get("predicted_label") == other.get("predicted_label")
        numbers = [name for name in one if name.startswith(("prediction", "prob_", "logit_"))]
        np.testing.assert_allclose([float(one[n]) for n in numbers], [float(other[n]) for n in numbers], atol=1e-4)
    if problem == "number":
        assert refused.returncode == 1 and "--probabilities: this bundle predicts a number" in refused.stderr
    else:
        assert refused.returncode == 0, "they are always there"


def test_the_client_sends_pairs_and_writes_token_ids(shipped_pairs: Path, tmp_path: Path, messages: Any) -> None:
    table = tmp_path / "pairs.tsv"
    table.write_text("".join(f"{one}\t{two}\r\n" for one, two in [("first", "second"), *PAIRS]), encoding="utf-8-sig")
    with serve(Repository(laid_out(shipped_pairs, tmp_path / "models"), messages)) as url:
        done = program(shipped_pairs, "client.py", "score", table, tmp_path / "out.tsv", "--url", url, "--token-ids")
        assert program(shipped_pairs, "client.py", "selfcheck", "--url", url).returncode == 0
    assert done.returncode == 0, done.stderr
    encoded = Scorer.open(shipped_pairs, device="cpu").encoder.encode(PAIRS)
    assert [row["token_ids"] for row in scored(tmp_path / "out.tsv")] == [
        " ".join(map(str, ids)) for ids in encoded.input_ids
    ]


@pytest.mark.parametrize("variant", VARIANTS)
def test_a_server_passes_its_self_check(shipped: Path, tmp_path: Path, messages: Any, variant: str) -> None:
    with serve(Repository(laid_out(shipped, tmp_path / "models", variant), messages)) as url:
        done = program(shipped, "client.py", "selfcheck", "--url", url)
    assert done.returncode == 0, done.stdout + done.stderr
    lines = [line.split() for line in done.stdout.splitlines()]
    assert [line[1] for line in lines] == ["hashes", "token", "logits", "padding"]
    assert {line[0] for line in lines} == {"ok"} and f"({variant})" in done.stdout


@pytest.mark.parametrize(
    ("change", "failed"),
    [
        (changed_hash, "hashes     missing or changed: config.json"),
        (lambda bundle: changed_goldens(bundle, "ids"), "token ids  39 of 40 goldens"),
        (lambda bundle: changed_goldens(bundle, "logits"), "logits     max |Δlogit| 1.0e-02"),
    ],
    ids=["hash", "ids", "logits"],
)
def test_a_fault_is_found_by_its_step(
    shipped: Path, repository: Path, tmp_path: Path, messages: Any, change: Callable[[Path], object], failed: str
) -> None:
    bundle = Path(shutil.copytree(shipped, tmp_path / "bundle"))
    change(bundle)
    with serve(Repository(repository, messages)) as url:
        done = program(bundle, "client.py", "selfcheck", "--url", url)
    assert done.returncode == 3 and f"FAILED  {failed}" in done.stdout, done.stdout + done.stderr


@pytest.mark.parametrize(
    ("content", "options", "message"),
    [
        (b"", (), "the file is empty"),
        (b"id\tsentence\n", (), "has a header and no rows; give a table with at least one row"),
        (b"sentence\tsentence\nGo!\tNo!\n", (), "several columns are called 'sentence'; rename all but one"),
        (b"id\tsentence\n1\tGo!\t2\n", (), "line 2: has 3 columns instead of 2"),
        (b"id\tsentence\n1\t\xff\n", (), "line 2: is not UTF-8"),
        (b"id\tsentence\n1\ta\0b\n", (), "line 2: holds a NUL"),
        (b"id\ttext\n1\tGo!\n", (), "has no column 'sentence' but id, text; see --text-column"),
        (b"sentence\tscore\nGo!\t1\n", (), "'score' is what the scores are called; rename that column"),
        (b"sentence\nGo!\n", ("--bundle", "/nowhere"), "/nowhere: has no bertline.json"),
        (b"sentence\nGo!\n", ("--pair-column", "id"), "--pair-column: this bundle scores single texts"),
        (b"sentence\nGo!\n", ("--url", "file:///etc/passwd"), "--url file:///etc/passwd: give an address as http://"),
        (b"sentence\nGo!\n", ("--url", "http://127.0.0.1:1"), "http://127.0.0.1:1: no answer ("),
    ],
)
def test_bad_input_is_one_line_and_leaves_nothing(
    shipped: Path,
    repository: Path,
    tmp_path: Path,
    messages: Any,
    content: bytes,
    options: tuple[str, ...],
    message: str,
) -> None:
    (tmp_path / "in.tsv").write_bytes(content)
    with serve(Repository(repository, messages)) as url:
        done = program(shipped, "client.py", "score", tmp_path / "in.tsv", tmp_path / "out.tsv", "--url", url, *options)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and message in done.stderr, done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["in.tsv"]


def test_what_stands_there_is_kept(shipped: Path, repository: Path, table: Path, tmp_path: Path, messages: Any) -> None:
    (tmp_path / "out.tsv").write_text("precious")
    with serve(Repository(repository, messages)) as url:
        done = program(shipped, "client.py", "score", table, tmp_path / "out.tsv", "--url", url)
    assert done.returncode == 1 and "the file exists" in done.stderr
    assert (tmp_path / "out.tsv").read_text() == "precious"


def test_another_model_and_a_server_s_refusal_are_said(
    shipped: Path, shipped_pairs: Path, tmp_path: Path, messages: Any
) -> None:
    table, out = tiny.write_table(tmp_path / "table.tsv"), tmp_path / "out.tsv"
    models = laid_out(shipped, tmp_path / "models")
    for name in ("bertline", "bertline_model", "bertline_tokenizer"):
        edit(f"{name}/config.pbtxt", "max_batch_size: 32", "max_batch_size: 8")(models)
    with serve(Repository(models, messages)) as url:
        done = program(shipped, "client.py", "score", table, out, "--url", url)
    assert done.returncode == 1 and done.stderr.count("\n") == 1 and "max_batch_size is 8" in done.stderr
    assert "answers 400 for bertline/infer" in done.stderr and not out.exists()
    edit("bertline/config.pbtxt", r"\"0\"", r"\"9\"")(models)
    with serve(Repository(models, messages)) as url:
        done = program(shipped, "client.py", "score", table, out, "--url", url)
    assert done.returncode == 1 and "serves another model, with labels ['9', '1']" in done.stderr
    shutil.rmtree(models / "bertline")
    with serve(Repository(models, messages)) as url:
        done = program(shipped, "client.py", "score", table, out, "--url", url)
    assert done.returncode == 1 and "unknown model: 'bertline'" in done.stderr
