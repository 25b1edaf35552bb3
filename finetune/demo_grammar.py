"""A small grammar of English that writes acceptable sentences and knows how each of them breaks.

A sentence is a row of phrases. Every phrase carries, beside its right wording, the wordings that would make
the sentence unacceptable, each under the name of what it violates; a broken sentence has exactly one of them.
All verbs are regular and strict about their objects, so that a break cannot be read as another good sentence:
no `eat`, which may drop its object, no `sneeze`, which may push one, no `comfort`, since `is comforting` is good.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

Wording = tuple[str, str]  # (the name of a break, the wording that commits it)

BREAKS: Mapping[str, str] = {
    "agreement": "the finite verb has the wrong number: The boys arrives.",
    "auxiliary": "two finite auxiliaries: The boy is will arrive.",
    "case": "a pronoun in the wrong case: Him arrives.",
    "comparative": "a comparative marked twice, or not at all: The boy is more taller than Anna.",
    "complement": "the wrong kind of verbal complement: The boy enjoys to complain.",
    "determiner": "determiner and noun differ in number: These boy arrives.",
    "extra argument": "one noun phrase more than the verb takes: The boy arrives the lamp.",
    "inversion": "a question without inversion, or with the wrong verb inverted: What the boy describes?",
    "missing argument": "one phrase less than the verb takes: The boy praises.",
    "passive": "a passive of a verb that has no object: The boy was arrived by Anna.",
    "polarity": "'ever' without a negative to license it: The boy has ever arrived.",
    "preposition": "the verb's own preposition is absent or another: The boy relies at Anna.",
    "reflexive": "a reflexive that does not match its antecedent: The boy praises herself.",
    "verb form": "the wrong form after an auxiliary or 'to': The boy has arrive.",
    "word order": "words in an order that English lacks: Boy the arrives.",
}

# Nouns and adjectives start with a consonant sound, so that `a` is always right.
MALE = ["boy", "man", "king"]
FEMALE = ["girl", "woman", "queen"]
PERSONS = [*MALE, *FEMALE, "doctor", "teacher", "pilot"]
THINGS = ["letter", "picture", "book", "lamp"]
PLACES = ["table", "bridge", "garden", "house"]
NAMES = {"David": "himself", "Peter": "himself", "Anna": "herself", "Maria": "herself"}
# None of them is a verb too: 'quiet the boys' would be good.
COMPARABLE = ["tall", "short", "young", "strong"]  # those that compare with -er
PERSON_ADJECTIVES = [*COMPARABLE, "proud", "famous"]
THING_ADJECTIVES = ["small", "new", "cheap", "strange", "dusty", "pretty"]
IRREGULAR_PLURALS = {"man": "men", "woman": "women"}

# No plural determiner goes with a singular noun, and no singular one with a plural noun.
SINGULAR_DETERMINERS = ["a", "this", "every", "each"]
PLURAL_DETERMINERS = ["these", "many", "several", "two"]
EITHER = ["the", "no"]
DETERMINERS = [*SINGULAR_DETERMINERS, *PLURAL_DETERMINERS, *["the"] * 4]
PRONOUNS = {"he": "him", "she": "her", "we": "us", "they": "them"}  # nominative: accusative
REFLEXIVES = {"he": "himself", "she": "herself", "we": "ourselves", "they": "themselves"}
PLACE_PREPOSITIONS = ["near", "behind", "by"]
FREQUENCY_ADVERBS = ["often", "always", "usually", "rarely"]

VERBS: Mapping[str, Sequence[str]] = {
    "intransitive": ["arrive", "vanish", "yawn", "snore", "blush", "shiver", "laugh", "doze"],
    "activity": ["apologize", "complain", "vanish", "behave"],  # no nouns: 'they force her laugh'
    "transitive": ["portray", "avoid", "describe", "mention", "praise"],
    "transitive, of persons": ["blame", "introduce", "greet", "thank"],
    "reflexive": ["portray", "describe", "praise", "blame", "introduce", "thank"],
    "transfer": ["hand", "entrust"],  # with 'to somebody', which cannot be left out
    "to-infinitive": ["refuse", "manage", "pretend"],  # not `hope`: 'they have hope to laugh'
    "gerund": ["enjoy", "consider", "risk"],
    "object control": ["persuade", "force", "urge"],
    "clausal": ["claim", "explain", "doubt"],  # not `insist`: 'insists that he arrive' is good
}
PREPOSITIONS = {"rely": ("on", "at"), "depend": ("on", "at"), "listen": ("to", "of")}


def plural_of(noun: str) -> str:
    return IRREGULAR_PLURALS.get(noun) or noun + ("es" if noun.endswith("s") else "s")


@dataclass(frozen=True)
class Verb:
    """A regular verb: its past is also its past participle."""

    base: str

    @property
    def third(self) -> str:
        if self.base.endswith("ly"):
            return self.base[:-1] + "ies"
        return self.base + ("es" if self.base.endswith(("sh", "ss")) else "s")

    @property
    def past(self) -> str:
        return (self.base[:-1] + "i" if self.base.endswith("ly") else self.base.removesuffix("e")) + "ed"

    @property
    def gerund(self) -> str:
        return self.base.removesuffix("e") + "ing"


@dataclass(frozen=True)
class Auxiliary:
    """What stands before the verb, the form it asks for, and the forms that cannot follow it.

    Not every other form is wrong: one that doubles as a noun may follow after all ('the boys are laughs').
    """

    singular: str
    plural: str
    form: str
    wrong: Sequence[str]

    def for_number(self, plural: bool) -> str:
        return self.plural if plural else self.singular

    def alone(self, plural: bool) -> "Phrase":
        right, wrong = self.for_number(plural), self.for_number(not plural)
        return Phrase(right) if right == wrong else Phrase(right).breaking("agreement", wrong)


MODALS = [Auxiliary(modal, modal, "base", ("third", "past", "gerund")) for modal in ("will", "must")]
PERFECT = Auxiliary("has", "have", "past", ("base", "gerund"))
PROGRESSIVES = [Auxiliary(*be, "gerund", ("base",)) for be in (("is", "are"), ("was", "were"))]
NEGATED = Auxiliary("does not", "do not", "base", ("third", "past"))
AUXILIARIES = [*MODALS, PERFECT, *PROGRESSIVES, NEGATED]
NOT_PROGRESSIVE = [*MODALS, PERFECT, NEGATED]
PASSIVES = [Auxiliary(*be, "past", ("base", "gerund")) for be in (("is", "are"), ("was", "were"))]
IN_QUESTIONS = [*MODALS, *PROGRESSIVES, Auxiliary("does", "do", "base", ("third", "past"))]


@dataclass(frozen=True)
class Phrase:
    text: str
    broken: tuple[Wording, ...] = ()

    def breaking(self, name: str, *texts: str) -> "Phrase":
        """The same phrase with further wordings that break it."""
        return Phrase(self.text, self.broken + tuple((name, text) for text in texts))

    def needed(self) -> "Phrase":
        return self.breaking("missing argument", "")

    def after(self, word: str) -> "Phrase":
        return Phrase(f"{word} {self.text}", tuple((name, f"{word} {text}") for name, text in self.broken))


@dataclass(frozen=True)
class NounPhrase(Phrase):
    plural: bool = False
    noun: str = ""
    reflexives: tuple[str, ...] = ()  # those that it may bind
    pronoun: bool = False


@dataclass(frozen=True)
class Sentence:
    phrases: Sequence[Phrase]
    wrong_orders: Sequence[tuple[str, Sequence[int]]] = ()
    mark: str = "."

    def acceptable(self) -> str:
        return self._written([phrase.text for phrase in self.phrases])

    def unacceptable(self) -> list[Wording]:
        """Every (break, sentence) in which exactly one thing is wrong."""
        texts = [phrase.text for phrase in self.phrases]
        broken = [
            (name, self._written([*texts[:at], wording, *texts[at + 1 :]]))
            for at, phrase in enumerate(self.phrases)
            for name, wording in phrase.broken
        ]
        orders = [(name, self._written([texts[at] for at in order])) for name, order in self.wrong_orders]
        return broken + orders

    def _written(self, texts: Sequence[str]) -> str:
        line = " ".join(text for text in texts if text)
        return line[0].upper() + line[1:] + self.mark


class Phrases:
    """Draws phrases from `rng`.

    A third of the pairs of adjective and noun is set apart: it occurs where `novel_pairs` is true, and only there.
    """

    def __init__(self, rng: Random, *, novel_pairs: bool = False) -> None:
        self.rng = rng
        self.novel_pairs = novel_pairs

    def verb(self, *classes: str) -> Verb:
        return Verb(self.rng.choice([base for name in classes for base in VERBS[name]]))

    def verb_and_object(self, subject: NounPhrase) -> tuple[Verb, NounPhrase]:
        verb = self.verb("transitive", "transitive, of persons")
        of_things = verb.base in VERBS["transitive"] and self.rng.random() < 0.5
        return verb, self.object(subject, THINGS if of_things else PERSONS)

    def subject(self) -> NounPhrase:
        """A person as a subject: a pronoun, a name or a noun with its determiner."""
        draw = self.rng.random()
        if draw < 0.2:
            return self.subject_pronoun()
        return self.name() if draw < 0.35 else self.described(PERSONS)

    def object(self, subject: NounPhrase, nouns: Sequence[str] = PERSONS) -> NounPhrase:
        """A noun phrase after a verb or preposition, never the subject over again.

        No pronoun follows a pronoun: 'we praise us' is out, 'she praises her' is dubious.
        """
        draw = self.rng.random()
        if nouns is PERSONS and not subject.pronoun and draw < 0.25:
            nominative = self.rng.choice(list(PRONOUNS))
            return NounPhrase(PRONOUNS[nominative], (("case", nominative),), pronoun=True)
        if nouns is PERSONS and draw < 0.35 and subject.noun not in NAMES:
            return self.name()
        return self.described([noun for noun in nouns if noun != subject.noun])

    def subject_pronoun(self) -> NounPhrase:
        word = self.rng.choice(list(PRONOUNS))
        plural = word in ("we", "they")
        return NounPhrase(word, (("case", PRONOUNS[word]),), plural, word, (REFLEXIVES[word],), pronoun=True)

    def name(self) -> NounPhrase:
        name = self.rng.choice(list(NAMES))
        return NounPhrase(name, (), False, name, (NAMES[name],))

    def described(self, nouns: Sequence[str], determiners: Sequence[str] = DETERMINERS) -> NounPhrase:
        """Determiner, perhaps an adjective, noun."""
        noun, determiner = self.rng.choice(nouns), self.rng.choice(determiners)
        plural = determiner in PLURAL_DETERMINERS or (determiner in EITHER and self.rng.random() < 0.5)
        words = [*self.adjective(noun), plural_of(noun) if plural else noun]
        # It is the determiner that moves. An adjective may stand after its noun: 'they found the boy proud'.
        broken = [("word order", " ".join([words[0], determiner, *words[1:]]))]
        if determiner not in EITHER:
            wrong = SINGULAR_DETERMINERS if plural else PLURAL_DETERMINERS
            broken.append(("determiner", " ".join([self.rng.choice(wrong), *words])))
        return NounPhrase(" ".join([determiner, *words]), tuple(broken), plural, noun, binds(noun, plural))

    def adjective(self, noun: str) -> list[str]:
        """None or one, on the noun's own side of the division into known and novel pairs."""
        if self.rng.random() >= (0.4 if self.novel_pairs else 0.2):
            return []
        person = noun in PERSONS
        nouns, adjectives = (PERSONS, PERSON_ADJECTIVES) if person else (THINGS + PLACES, THING_ADJECTIVES)
        shift = nouns.index(noun)
        fitting = [word for at, word in enumerate(adjectives) if ((at + shift) % 3 == 0) == self.novel_pairs]
        return [self.rng.choice(fitting)]

    def place(self) -> Phrase:
        preposition, place = self.rng.choice(PLACE_PREPOSITIONS), self.described(PLACES)
        return place.after(preposition).breaking("word order", f"{place.text} {preposition}")

    def superfluous(self) -> Phrase:
        """Nothing, where one noun phrase more would be one too many."""
        return Phrase("").breaking("extra argument", self.described(THINGS).text)

    def present(self, verb: Verb, plural: bool) -> Phrase:
        right, wrong = (verb.base, verb.third) if plural else (verb.third, verb.base)
        return Phrase(right).breaking("agreement", wrong)

    def finite(self, verb: Verb, plural: bool, auxiliaries: Sequence[Auxiliary] = AUXILIARIES) -> Phrase:
        """A finite verb: half of the time present or past, else behind an auxiliary."""
        draw = self.rng.random()
        if draw < 0.4:
            return self.present(verb, plural)
        return Phrase(verb.past) if draw < 0.5 else self.behind(self.rng.choice(auxiliaries), verb, plural)

    def behind(self, auxiliary: Auxiliary, verb: Verb, plural: bool) -> Phrase:
        """An auxiliary and its verb; one too many is always `be`, since 'must have' would be good."""
        first, form = auxiliary.for_number(plural), getattr(verb, auxiliary.form)
        phrase = (
            Phrase(f"{first} {form}")
            .breaking("verb form", f"{first} {getattr(verb, self.rng.choice(auxiliary.wrong))}")
            .breaking("word order", f"{form} {first}")
            .breaking("auxiliary", f"{'are' if plural else 'is'} {first} {form}")
        )
        other = auxiliary.for_number(not plural)
        return phrase if other == first else phrase.breaking("agreement", f"{other} {form}")

    def lexical(self, auxiliary: Auxiliary, verb: Verb) -> Phrase:
        """The verb that goes with an auxiliary which stands elsewhere."""
        wrong = getattr(verb, self.rng.choice(auxiliary.wrong))
        return Phrase(getattr(verb, auxiliary.form)).breaking("verb form", wrong)

    def infinitive(self, verb: Verb) -> Phrase:
        wrong = self.rng.choice([verb.third, verb.past])
        return Phrase(f"to {verb.base}").breaking("verb form", f"to {wrong}")

    def copula(self, plural: bool) -> Phrase:
        return self.rng.choice(PROGRESSIVES).alone(plural)

    def reflexive(self, antecedent: NounPhrase) -> Phrase:
        wrong = [word for word in REFLEXIVES.values() if word not in antecedent.reflexives]
        if not antecedent.plural:  # singular 'themselves' has its speakers
            wrong.remove("themselves")
        return Phrase(self.rng.choice(antecedent.reflexives), (("reflexive", self.rng.choice(wrong)),))


def binds(noun: str, plural: bool) -> tuple[str, ...]:
    """The reflexives that a noun can be the antecedent of."""
    if plural:
        return ("themselves",)
    return tuple(word for word, others in (("himself", FEMALE), ("herself", MALE)) if noun not in others)
