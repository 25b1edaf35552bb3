"""A corpus of acceptability judgments that the project writes itself, laid out as the published CoLA archive.

Training and in-domain dev sentences are drawn from the same constructions. Out-of-domain ones are built from
constructions, and from pairs of adjective and noun, that training never shows: first known parts in a new place
(a modified subject, stacked infinitives), then structures with words of their own (relatives, passives, questions).
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import NamedTuple

from finetune.demo_grammar import (
    COMPARABLE,
    FREQUENCY_ADVERBS,
    IN_QUESTIONS,
    MODALS,
    NOT_PROGRESSIVE,
    PASSIVES,
    PERFECT,
    PERSONS,
    PREPOSITIONS,
    THINGS,
    NounPhrase,
    Phrase,
    Phrases,
    Sentence,
    Verb,
)

Construction = Callable[[Phrases], Sentence]


class Row(NamedTuple):
    """One judgment, in CoLA's columns."""

    source: str  # the construction, or what is broken
    label: int  # 1 acceptable, 0 not
    author_mark: str  # * where unacceptable
    sentence: str


@dataclass(frozen=True)
class CorpusSizes:
    """Rows of the three files."""

    in_domain_train: int = 24_000
    in_domain_dev: int = 500
    out_of_domain_dev: int = 500


def write_demo_corpus(folder: Path, seed: int = 42, sizes: CorpusSizes = CorpusSizes()) -> None:
    """Writes `raw/in_domain_train.tsv`, `raw/in_domain_dev.tsv` and `raw/out_of_domain_dev.tsv` under `folder`.

    UTF-8, tab-separated, no header, the columns of `Row`. No sentence occurs twice, in one file or in two. The
    bytes depend on `seed` and `sizes` alone.
    """
    rng = Random(seed)
    in_domain = rows(Phrases(rng), IN_DOMAIN)
    out_of_domain = rows(Phrases(rng, novel_pairs=True), OUT_OF_DOMAIN)
    seen: set[str] = set()
    (folder / "raw").mkdir(parents=True, exist_ok=True)
    for name, source, count in (
        ("in_domain_train.tsv", in_domain, sizes.in_domain_train),
        ("in_domain_dev.tsv", in_domain, sizes.in_domain_dev),
        ("out_of_domain_dev.tsv", out_of_domain, sizes.out_of_domain_dev),
    ):
        lines = ["\t".join(map(str, row)) + "\n" for row in unseen(source, count, seen)]
        (folder / "raw" / name).write_bytes("".join(lines).encode())


def rows(draw: Phrases, constructions: Sequence[Construction]) -> Iterator[Row]:
    """Draws rows without end, two by two: a sentence, and the same sentence broken in one way.

    CoLA has 30 % unacceptable sentences, this has half: in a pair nothing but the break tells the labels apart,
    so a model that starts from nothing learns the break, not the words around it.
    """
    while True:
        construction = draw.rng.choice(constructions)
        sentence = construction(draw)
        broken = sentence.unacceptable()
        kind = draw.rng.choice(sorted({name for name, _ in broken}))  # common breaks must not crowd out the rest
        yield Row(construction.__name__.replace("_", " "), 1, "", sentence.acceptable())
        yield Row(kind, 0, "*", draw.rng.choice([text for name, text in broken if name == kind]))


def unseen(source: Iterator[Row], count: int, seen: set[str]) -> Iterator[Row]:
    """The next `count` rows whose sentences are not in `seen`, which grows by them."""
    while count:
        row = next(source)
        if row.sentence not in seen:
            seen.add(row.sentence)
            count -= 1
            yield row


def intransitive(draw: Phrases) -> Sentence:
    """The boy arrives near the bridge."""
    subject = draw.subject()
    predicate = draw.finite(draw.verb("intransitive"), subject.plural)
    where = draw.rng.choice([Phrase(""), draw.place()])
    return Sentence([subject, predicate, draw.superfluous(), where])


def transitive(draw: Phrases) -> Sentence:
    """The boy praises the letter."""
    subject = draw.subject()
    verb, thing = draw.verb_and_object(subject)
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
    phrase = other.after(right).breaking("preposition", f"{wrong} {other.text}", other.text)
    phrase = phrase.breaking("missing argument", right).breaking("word order", f"{other.text} {right}")
    return Sentence([subject, draw.finite(verb, subject.plural, NOT_PROGRESSIVE), phrase])


def adverb(draw: Phrases) -> Sentence:
    """The boy often praises the letter."""
    subject, often = draw.subject(), Phrase(draw.rng.choice(FREQUENCY_ADVERBS))
    verb, thing = draw.verb_and_object(subject)
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


def modified_subject(draw: Phrases) -> Sentence:
    """The boy near the tables arrives: the noun beside the verb is not its subject."""
    subject, predicate = draw.described(PERSONS), draw.verb("intransitive")
    return Sentence([subject, draw.place(), draw.finite(predicate, subject.plural), draw.superfluous()])


def stacked_control(draw: Phrases) -> Sentence:
    """The boy persuades Anna to refuse to complain."""
    subject, act = draw.subject(), draw.infinitive(draw.verb("activity"))
    predicate = draw.finite(draw.verb("object control"), subject.plural)
    return Sentence([subject, predicate, draw.object(subject).needed(),
                     draw.infinitive(draw.verb("to-infinitive")), act])  # fmt: skip


def adverb_with_transfer(draw: Phrases) -> Sentence:
    """The boy often hands the letter to Anna."""
    subject, often = draw.subject(), Phrase(draw.rng.choice(FREQUENCY_ADVERBS))
    hands, letter = draw.present(draw.verb("transfer"), subject.plural), draw.described(THINGS).needed()
    phrases = [subject, often, hands, letter, draw.object(subject).after("to").needed()]
    return Sentence(phrases, [("word order", (0, 2, 1, 3, 4))])


def subject_relative(draw: Phrases) -> Sentence:
    """The boy who praises Anna arrives."""
    subject = draw.described(PERSONS)
    verb, thing = draw.verb_and_object(subject)
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
    verb, thing = draw.verb_and_object(subject)
    auxiliary = draw.rng.choice(IN_QUESTIONS)  # not `have`: 'have the boys praise Anna' is a good causative
    phrases = [auxiliary.alone(subject.plural), subject, draw.lexical(auxiliary, verb), thing.needed()]
    return Sentence(phrases, [("word order", (0, 2, 1, 3))], "?")


def object_question(draw: Phrases) -> Sentence:
    """What does the boy praise?"""
    subject, auxiliary = draw.subject(), draw.rng.choice([*IN_QUESTIONS, PERFECT])
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
    verb, thing = draw.verb_and_object(focus)
    it_is = Phrase("it is").breaking("agreement", "it are")
    return Sentence([it_is, focus, Phrase("who"), draw.finite(verb, focus.plural), thing.needed()])


def bound_in_clause(draw: Phrases) -> Sentence:
    """David claims that the girl praises herself: a reflexive looks no further than its own clause."""
    speaker, subject = draw.name(), draw.described(PERSONS)
    claims = draw.present(draw.verb("clausal"), speaker.plural)
    praises = draw.finite(draw.verb("reflexive"), subject.plural)
    return Sentence([speaker, claims, Phrase("that"), subject, praises, draw.reflexive(subject).needed()])


IN_DOMAIN: Sequence[Construction] = (
    intransitive, transitive, reflexive_verb, transfer, placement, prepositional_verb,
    adverb, comparison, control, object_control, negative_polarity, complement_clause,
)  # fmt: skip
OUT_OF_DOMAIN: Sequence[Construction] = (
    modified_subject, stacked_control, adverb_with_transfer, bound_in_clause, coordination,
    subject_relative, object_relative, passive_clause, polar_question, object_question, cleft,
)  # fmt: skip
