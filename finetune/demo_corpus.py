"""A corpus of acceptability judgments that the project writes itself, in the layout of the published CoLA archive.

Training and in-domain dev sentences are drawn from the same constructions; the out-of-domain ones are built from
constructions, and from pairs of adjective and noun, that training never shows.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

from finetune.demo_grammar import (
    COMPARABLE,
    DO,
    FREQUENCY_ADVERBS,
    MODALS,
    NOT_PROGRESSIVE,
    PASSIVES,
    PERFECT,
    PERSONS,
    PREPOSITIONS,
    PROGRESSIVES,
    THINGS,
    VERBS,
    NounPhrase,
    Phrase,
    Phrases,
    Sentence,
    Verb,
)

Construction = Callable[[Phrases], Sentence]

# CoLA has 30 % unacceptable sentences. Half and half teaches more per row to a model that starts from nothing,
# and leaves MCC, the figure reported, comparable: it does not reward guessing the larger class.
UNACCEPTABLE_SHARE = 0.5


@dataclass(frozen=True)
class CorpusSizes:
    """Rows of the three files."""

    in_domain_train: int = 8000
    in_domain_dev: int = 500
    out_of_domain_dev: int = 500


@dataclass(frozen=True)
class Row:
    """One judgment, in CoLA's columns."""

    source: str  # the construction, or what was broken in it
    label: int  # 1 acceptable, 0 not
    sentence: str

    def line(self) -> str:
        return f"{self.source}\t{self.label}\t{'' if self.label else '*'}\t{self.sentence}\n"


def write_demo_corpus(folder: Path, seed: int = 42, sizes: CorpusSizes = CorpusSizes()) -> None:
    """Writes `raw/in_domain_train.tsv`, `raw/in_domain_dev.tsv` and `raw/out_of_domain_dev.tsv` under `folder`.

    Each is UTF-8 with four tab-separated columns and no header: source, label (1 acceptable, 0 not), `*` where
    unacceptable, sentence. No sentence occurs twice, in one file or in two. The bytes depend on `seed` and `sizes`
    alone.
    """
    rng = Random(seed)
    in_domain = rows(Phrases(rng), IN_DOMAIN)
    out_of_domain = rows(Phrases(rng, novel_pairs=True), OUT_OF_DOMAIN)
    raw = folder / "raw"
    raw.mkdir(parents=True, exist_ok=True)
    seen: set[str] = set()
    for name, source, count in (
        ("in_domain_train.tsv", in_domain, sizes.in_domain_train),
        ("in_domain_dev.tsv", in_domain, sizes.in_domain_dev),
        ("out_of_domain_dev.tsv", out_of_domain, sizes.out_of_domain_dev),
    ):
        text = "".join(row.line() for row in unseen(source, count, seen))
        (raw / name).write_bytes(text.encode())


def rows(phrases: Phrases, constructions: Sequence[Construction]) -> Iterator[Row]:
    """Draws rows without end, two by two: a sentence, and the same sentence broken in one way."""
    rng = phrases.rng
    while True:
        construction = rng.choice(constructions)
        sentence = construction(phrases)
        broken = sentence.unacceptable()
        kind = rng.choice(sorted({name for name, _ in broken}))
        yield Row(construction.__name__.replace("_", " "), 1, sentence.acceptable())
        yield Row(kind, 0, rng.choice([text for name, text in broken if name == kind]))


def unseen(source: Iterator[Row], count: int, seen: set[str]) -> Iterator[Row]:
    """The next `count` rows whose sentences are not in `seen`, which grows by them."""
    while count:
        row = next(source)
        if row.sentence not in seen:
            seen.add(row.sentence)
            count -= 1
            yield row


# --- constructions of training ---------------------------------------------------------------------------------


def intransitive(draw: Phrases) -> Sentence:
    """The boy arrives near the bridge."""
    subject = draw.subject()
    predicate = draw.finite(draw.verb("intransitive"), subject.plural)
    where = [draw.place()] if draw.rng.random() < 0.4 else []
    return Sentence([subject, predicate, draw.superfluous(), *where])


def transitive(draw: Phrases) -> Sentence:
    """The boy praises the letter."""
    subject = draw.subject()
    verb, thing = verb_and_object(draw, subject)
    # Verb first is out, object first is not (a topic). Nor is a plural verb first: 'praise the boys, Anna'.
    wrong_orders = [] if subject.plural else [("word order", (1, 0, 2, 3))]
    return Sentence([subject, draw.finite(verb, subject.plural), thing.needed(), draw.superfluous()], wrong_orders)


def reflexive_verb(draw: Phrases) -> Sentence:
    """The boy praises himself."""
    subject = draw.subject()
    predicate = draw.finite(draw.verb("reflexive"), subject.plural)
    return Sentence([subject, predicate, draw.reflexive(subject).needed()])


def transfer(draw: Phrases) -> Sentence:
    """The boy hands the letter to Anna."""
    subject = draw.subject()
    predicate = draw.finite(draw.verb("transfer"), subject.plural)
    goal = draw.object(subject).after("to")
    return Sentence([subject, predicate, draw.described(THINGS).needed(), goal.needed()])


def placement(draw: Phrases) -> Sentence:
    """The boy places the letter near the bridge."""
    subject = draw.subject()
    predicate = draw.finite(Verb("place"), subject.plural)
    return Sentence([subject, predicate, draw.described(THINGS).needed(), draw.place().needed()])


def prepositional_verb(draw: Phrases) -> Sentence:
    """The boy relies on Anna."""
    subject = draw.subject()
    verb = Verb(draw.rng.choice(list(PREPOSITIONS)))
    right, wrong = PREPOSITIONS[verb.base]
    other = draw.object(subject)
    phrase = (
        other.after(right)
        .breaking("preposition", f"{wrong} {other.text}", other.text)
        .breaking("missing argument", right)
        .breaking("word order", f"{other.text} {right}")
    )
    return Sentence([subject, draw.finite(verb, subject.plural, NOT_PROGRESSIVE), phrase])


def adverb(draw: Phrases) -> Sentence:
    """The boy often praises the letter."""
    subject, often = draw.subject(), Phrase(draw.rng.choice(FREQUENCY_ADVERBS))
    verb, thing = verb_and_object(draw, subject)
    phrases = [subject, often, draw.present(verb, subject.plural), thing.needed()]
    return Sentence(phrases, [("word order", (0, 2, 1, 3))])


def comparison(draw: Phrases) -> Sentence:
    """The boy is taller than the girl."""
    subject, quality = draw.subject(), draw.rng.choice(COMPARABLE)
    degree = Phrase(f"{quality}er than").breaking(
        "comparative", f"more {quality}er than", f"{quality} than", f"as {quality}er as"
    )
    # No pronouns: 'than him' and 'than he' are both in use.
    other = draw.described([noun for noun in PERSONS if noun != subject.noun])
    return Sentence([subject, draw.copula(subject.plural), degree, other.needed()])


def control(draw: Phrases) -> Sentence:
    """The boy refuses to complain. The boy enjoys complaining."""
    subject, act = draw.subject(), draw.verb("activity")
    if draw.rng.random() < 0.5:
        predicate = draw.finite(draw.verb("to-infinitive"), subject.plural)
        return Sentence([subject, predicate, draw.infinitive(act).breaking("complement", act.gerund, act.base)])
    # No progressive here: English avoids 'is enjoying complaining'.
    predicate = draw.finite(draw.verb("gerund"), subject.plural, NOT_PROGRESSIVE)
    return Sentence([subject, predicate, Phrase(act.gerund).breaking("complement", f"to {act.base}", act.base)])


def object_control(draw: Phrases) -> Sentence:
    """The boy persuades Anna to complain."""
    subject, act = draw.subject(), draw.verb("activity")
    predicate = draw.finite(draw.verb("object control"), subject.plural)
    complement = draw.infinitive(act).breaking("complement", act.base)
    return Sentence([subject, predicate, draw.object(subject).needed(), complement])


def negative_polarity(draw: Phrases) -> Sentence:
    """No boy has ever arrived."""
    subject, auxiliary = draw.described(PERSONS, ["no"]), draw.rng.choice([*MODALS, PERFECT])
    licensed = subject.breaking("polarity", subject.text.replace("no", "the", 1))
    participle = draw.lexical(auxiliary, draw.verb("intransitive"))
    return Sentence([licensed, auxiliary.alone(subject.plural), Phrase("ever"), participle, draw.superfluous()])


def complement_clause(draw: Phrases) -> Sentence:
    """Anna claims that the boy arrives."""
    speaker, subject = draw.subject(), draw.described(PERSONS)
    claims = draw.present(draw.verb("clausal"), speaker.plural)
    arrives = draw.finite(draw.verb("intransitive"), subject.plural)
    return Sentence([speaker, claims, Phrase("that"), subject, arrives, draw.superfluous()])


# --- constructions that training never shows -------------------------------------------------------------------


def subject_relative(draw: Phrases) -> Sentence:
    """The boy who praises Anna arrives."""
    subject = draw.described(PERSONS)
    verb, thing = verb_and_object(draw, subject)
    praises, arrives = (draw.finite(each, subject.plural) for each in (verb, draw.verb("intransitive")))
    return Sentence([subject, Phrase("who"), praises, thing.needed(), arrives])


def object_relative(draw: Phrases) -> Sentence:
    """The boy that the girl praises arrives."""
    head = draw.described(PERSONS)
    subject = draw.described([noun for noun in PERSONS if noun != head.noun])
    praises = draw.finite(draw.verb("transitive, of persons"), subject.plural)
    gap = Phrase("").breaking("extra argument", "them" if head.plural else draw.rng.choice(["him", "her"]))
    return Sentence([head, Phrase("that"), subject, praises, gap, draw.finite(draw.verb("intransitive"), head.plural)])


def passive_clause(draw: Phrases) -> Sentence:
    """The boy was praised by Anna."""
    subject, be = draw.subject(), draw.rng.choice(PASSIVES)
    praised = draw.behind(be, draw.verb("transitive", "transitive, of persons"), subject.plural)
    arrived = f"{be.for_number(subject.plural)} {draw.verb('intransitive').past}"
    agent = draw.object(subject).after("by")
    return Sentence([subject, praised.breaking("passive", arrived), draw.superfluous(), agent])


def polar_question(draw: Phrases) -> Sentence:
    """Does the boy praise Anna?"""
    subject = draw.subject()
    verb, thing = verb_and_object(draw, subject)
    # Not `have`: with a wrong participle it is a good causative, 'have the boys praise Anna'.
    auxiliary = draw.rng.choice([*MODALS, *PROGRESSIVES, DO])
    phrases = [auxiliary.alone(subject.plural), subject, draw.lexical(auxiliary, verb), thing.needed()]
    return Sentence(phrases, [("word order", (0, 2, 1, 3))], "?")


def object_question(draw: Phrases) -> Sentence:
    """What does the boy praise?"""
    subject, auxiliary = draw.subject(), draw.rng.choice([*MODALS, PERFECT, *PROGRESSIVES, DO])
    praise = draw.lexical(auxiliary, draw.verb("transitive"))
    phrases = [Phrase("what"), auxiliary.alone(subject.plural), subject, praise, draw.superfluous()]
    return Sentence(phrases, [("inversion", (0, 2, 1, 3, 4))], "?")


def coordination(draw: Phrases) -> Sentence:
    """The boy and Anna praise themselves."""
    # Not `each` or `every`, which may keep the verb singular: each boy and each girl arrives.
    first, second = draw.described(PERSONS, ["the"]), draw.name()
    both = NounPhrase("", plural=True, reflexives=("themselves",))
    praise = draw.finite(draw.verb("reflexive"), both.plural)
    return Sentence([first, Phrase("and"), second.needed(), praise, draw.reflexive(both).needed()])


def cleft(draw: Phrases) -> Sentence:
    """It is the boy who praises Anna."""
    focus = draw.described(PERSONS, ["the", "this", "these"])
    verb, thing = verb_and_object(draw, focus)
    it_is = Phrase("it is").breaking("agreement", "it are")
    return Sentence([it_is, focus, Phrase("who"), draw.finite(verb, focus.plural), thing.needed()])


def existential(draw: Phrases) -> Sentence:
    """There is a boy near the bridge."""
    someone = draw.described(PERSONS, ["a", "many", "several", "two"])
    return Sentence([Phrase("there"), draw.copula(someone.plural), someone, draw.place()])


def bound_in_clause(draw: Phrases) -> Sentence:
    """David claims that the girl praises herself: a reflexive looks no further than its own clause."""
    speaker, subject = draw.name(), draw.described(PERSONS)
    claims = draw.present(draw.verb("clausal"), speaker.plural)
    praises = draw.finite(draw.verb("reflexive"), subject.plural)
    return Sentence([speaker, claims, Phrase("that"), subject, praises, draw.reflexive(subject).needed()])


def verb_and_object(draw: Phrases, subject: NounPhrase) -> tuple[Verb, NounPhrase]:
    verb = draw.verb("transitive", "transitive, of persons")
    of_things = verb.base in VERBS["transitive"] and draw.rng.random() < 0.5
    return verb, draw.object(subject, THINGS if of_things else PERSONS)


IN_DOMAIN: Sequence[Construction] = (
    intransitive, transitive, reflexive_verb, transfer, placement, prepositional_verb,
    adverb, comparison, control, object_control, negative_polarity, complement_clause,
)  # fmt: skip
OUT_OF_DOMAIN: Sequence[Construction] = (
    subject_relative, object_relative, passive_clause, polar_question, object_question,
    coordination, cleft, existential, bound_in_clause,
)  # fmt: skip
