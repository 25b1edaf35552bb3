"""The demo's corpus: what its labels promise, whatever the seed."""

import hashlib
import itertools
import os
import re
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from finetune import demo_grammar as grammar
from finetune.demo_corpus import IN_DOMAIN, OUT_OF_DOMAIN, CorpusSizes, write_demo_corpus

FILES = ("in_domain_train.tsv", "in_domain_dev.tsv", "out_of_domain_dev.tsv")
SIZES = CorpusSizes(in_domain_train=6000, in_domain_dev=500, out_of_domain_dev=1500)
Rows = list[list[str]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("demo")
    write_demo_corpus(path, sizes=SIZES)
    return path


@pytest.fixture(scope="module")
def corpus(folder: Path) -> dict[str, Rows]:
    return {name: [line.split("\t") for line in (folder / "raw" / name).read_text().splitlines()] for name in FILES}


def sentences(rows: Rows) -> list[str]:
    return [sentence for _, _, _, sentence in rows]


def adjective_noun_pairs(rows: Rows) -> set[tuple[str, str]]:
    adjectives = {*grammar.PERSON_ADJECTIVES, *grammar.THING_ADJECTIVES}
    nouns = {*grammar.PERSONS, *grammar.THINGS, *grammar.PLACES}
    singular = {grammar.plural_of(noun): noun for noun in nouns} | {noun: noun for noun in nouns}
    words = [re.findall(r"\w+", sentence.lower()) for sentence in sentences(rows)]
    bigrams = {pair for line in words for pair in itertools.pairwise(line)}
    return {(first, singular[second]) for first, second in bigrams if first in adjectives and second in singular}


def test_only_the_archives_three_files_with_the_rows_asked_for(folder: Path, corpus: dict[str, Rows]) -> None:
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()) == sorted(
        f"raw/{name}" for name in FILES
    )
    assert [len(corpus[name]) for name in FILES] == [6000, 500, 1500]


@pytest.mark.parametrize("name", FILES)
def test_rows_have_colas_columns(folder: Path, corpus: dict[str, Rows], name: str) -> None:
    data = (folder / "raw" / name).read_bytes()
    assert data.endswith(b"\n") and not data.endswith(b"\n\n") and b"\r" not in data
    data.decode()
    for source, label, mark, sentence in corpus[name]:
        assert (label, mark) in {("0", "*"), ("1", "")}
        assert source and re.fullmatch(r"[A-Z][A-Za-z ]*[a-z][.?]", sentence) and "  " not in sentence


@pytest.mark.parametrize("name", FILES)
def test_half_of_the_sentences_are_unacceptable(corpus: dict[str, Rows], name: str) -> None:
    share = sum(label == "0" for _, label, _, _ in corpus[name]) / len(corpus[name])
    assert 0.45 < share < 0.6


def test_no_sentence_occurs_twice_in_one_file_or_in_two(corpus: dict[str, Rows]) -> None:
    everything = [sentence for name in FILES for sentence in sentences(corpus[name])]
    assert len({sentence.lower() for sentence in everything}) == len(everything)


def test_sources_name_the_break_or_the_construction(corpus: dict[str, Rows]) -> None:
    broken = {name: {row[0] for row in corpus[name] if row[1] == "0"} for name in FILES}
    sound = {name: {row[0] for row in corpus[name] if row[1] == "1"} for name in FILES}
    assert set().union(*broken.values()) == set(grammar.BREAKS)
    assert sound[FILES[0]] == {each.__name__.replace("_", " ") for each in IN_DOMAIN}
    assert sound[FILES[2]] == {each.__name__.replace("_", " ") for each in OUT_OF_DOMAIN}
    assert not set(grammar.BREAKS) & set().union(*sound.values())
    assert not sound[FILES[0]] & sound[FILES[2]]


def test_adjective_noun_pairs_of_the_out_of_domain_file_are_new(corpus: dict[str, Rows]) -> None:
    train, dev, novel = (adjective_noun_pairs(corpus[name]) for name in FILES)
    assert len(train) > 50 and len(novel) > 25
    assert dev <= train and not novel & train


@pytest.mark.parametrize("construction", [*IN_DOMAIN, *OUT_OF_DOMAIN], ids=lambda each: each.__name__)
def test_no_way_to_break_a_sentence_writes_an_acceptable_one(construction: object) -> None:
    """Against what the whole grammar accepts, not only against the sentence that was broken."""
    assert callable(construction)
    acceptable, broken = set(), set()
    for novel_pairs in (False, True):
        draw = grammar.Phrases(Random(7), novel_pairs=novel_pairs)
        for _ in range(1500):
            sentence = construction(draw)
            good, bad = sentence.acceptable(), [text for _, text in sentence.unacceptable()]
            assert good not in bad and len(set(bad)) == len(bad)
            acceptable.add(good)
            broken.update(bad)
        for other in (*IN_DOMAIN, *OUT_OF_DOMAIN):
            acceptable.update(other(draw).acceptable() for _ in range(300))
    assert not acceptable & broken


@pytest.mark.parametrize(
    ("base", "third", "past", "gerund"),
    [
        ("arrive", "arrives", "arrived", "arriving"),
        ("rely", "relies", "relied", "relying"),
        ("vanish", "vanishes", "vanished", "vanishing"),
        ("blush", "blushes", "blushed", "blushing"),
        ("portray", "portrays", "portrayed", "portraying"),
        ("enjoy", "enjoys", "enjoyed", "enjoying"),
        ("entrust", "entrusts", "entrusted", "entrusting"),
    ],
)
def test_verb_forms(base: str, third: str, past: str, gerund: str) -> None:
    verb = grammar.Verb(base)
    assert (verb.third, verb.past, verb.gerund) == (third, past, gerund)


def test_words_are_of_the_kinds_that_the_grammar_relies_on() -> None:
    after_a = [
        *grammar.PERSONS,
        *grammar.THINGS,
        *grammar.PLACES,
        *grammar.PERSON_ADJECTIVES,
        *grammar.THING_ADJECTIVES,
    ]
    assert not [word for word in after_a if word[0] in "aeiou"]
    assert not set(grammar.SINGULAR_DETERMINERS) & set(grammar.PLURAL_DETERMINERS)
    assert not {grammar.plural_of(noun) for noun in after_a} & set(after_a)
    # A verb with an optional object would survive both its loss and its gain.
    takes_an_object = {
        *grammar.VERBS["transitive"],
        *grammar.VERBS["transitive, of persons"],
        *grammar.VERBS["transfer"],
    }
    assert not takes_an_object & {*grammar.VERBS["intransitive"], *grammar.VERBS["activity"]}


def test_a_reflexive_matches_its_antecedent() -> None:
    assert grammar.binds("boy", plural=False) == ("himself",)
    assert grammar.binds("queen", plural=False) == ("herself",)
    assert grammar.binds("doctor", plural=False) == ("himself", "herself")
    assert grammar.binds("boy", plural=True) == ("themselves",)


def test_bytes_depend_on_the_seed_and_nothing_else(tmp_path: Path) -> None:
    """Not on the process, its hash seed, or numbers drawn elsewhere; nor is torch loaded."""
    program = """if True:
        import hashlib, random, sys
        from pathlib import Path
        from finetune.demo_corpus import CorpusSizes, write_demo_corpus
        folder, seed = Path(sys.argv[1]), int(sys.argv[2])
        random.seed()
        state = random.getstate()
        write_demo_corpus(folder, seed, CorpusSizes(800, 100, 100))
        assert random.getstate() == state
        assert not {"torch", "transformers", "numpy"} & set(sys.modules)
        print(hashlib.sha256(b"".join(path.read_bytes() for path in sorted(folder.rglob("*.tsv")))).hexdigest())
    """

    def build(name: str, seed: int, hash_seed: str) -> str:
        command = [sys.executable, "-c", program, str(tmp_path / name), str(seed)]
        environment = os.environ | {"PYTHONHASHSEED": hash_seed}
        root = Path(__file__).parents[2]
        run = subprocess.run(command, env=environment, cwd=root, capture_output=True, text=True, check=True)
        return run.stdout.strip()

    write_demo_corpus(tmp_path / "here", 3, CorpusSizes(800, 100, 100))
    files = sorted((tmp_path / "here").rglob("*.tsv"))
    here = hashlib.sha256(b"".join(path.read_bytes() for path in files)).hexdigest()
    assert build("first", 3, "1") == build("second", 3, "2") == here
    assert build("other", 4, "1") != here


def test_tokenizer_and_model_load_by_the_usual_names(folder: Path, corpus: dict[str, Rows], tmp_path: Path) -> None:
    torch = pytest.importorskip("torch")
    transformers = pytest.importorskip("transformers")
    from finetune.demo_model import MAX_POSITIONS, SPECIAL_TOKENS, write_demo_model

    texts = sentences(corpus[FILES[0]])
    generator = torch.get_rng_state()
    for name in ("model", "again"):
        write_demo_model(tmp_path / name, texts)
    assert torch.equal(torch.get_rng_state(), generator)
    for file in ("model.safetensors", "tokenizer.json", "config.json"):
        assert (tmp_path / "model" / file).read_bytes() == (tmp_path / "again" / file).read_bytes()

    tokenizer = transformers.AutoTokenizer.from_pretrained(tmp_path / "model")
    model = transformers.AutoModelForSequenceClassification.from_pretrained(tmp_path / "model")
    assert tokenizer.convert_ids_to_tokens(range(5)) == SPECIAL_TOKENS
    assert model.config.max_position_embeddings == tokenizer.model_max_length == MAX_POSITIONS
    words = {word for text in texts for word in re.findall(r"\w+", text.lower())}
    pieces = {word: tokenizer.tokenize(word) for word in words}
    assert "[UNK]" not in {piece for split in pieces.values() for piece in split}
    assert 0 < sum(len(split) > 1 for split in pieces.values()) < len(words) / 2
    batch = tokenizer(["The boy arrives.", "BOY THE ARRIVES."], return_tensors="pt")
    assert batch["input_ids"][0, 0] == 2 and batch["input_ids"][0, -1] == 3
    assert sorted(batch["input_ids"][0].tolist()) == sorted(batch["input_ids"][1].tolist())
    assert model(**batch).logits.shape == (2, 2)
