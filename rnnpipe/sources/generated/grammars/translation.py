"""A synchronous grammar: English sentences, each with its one translation into made-up Velu."""

import random
from dataclasses import dataclass
from typing import Literal

from rnnpipe.sources.generated.grammars.lexicon import (
    ADJECTIVES,
    ARTICLE,
    ENDING,
    INDEFINITE,
    NOUNS,
    PREPOSITIONS,
    RELATIVE,
    THIS,
    VERBS,
    Noun,
    Verb,
)

Tense = Literal["present", "past", "future"]

_TENSES: tuple[Tense, ...] = ("present", "past", "future")
_TENSE_ENDING = {"present": "a", "past": "ira", "future": "esta"}
_DETERMINERS = {"the": ARTICLE, "a": INDEFINITE, "this": THIS}
_PLURAL_DETERMINERS = {"the": "the", "a": "some", "this": "these"}


@dataclass(frozen=True, slots=True)
class Phrase:
    """Words in both languages, and what agrees with them.

    Args:
        english: the English words.
        velu: the words of its translation.
        plural: whether verbs take their plural.
    """

    english: list[str]
    velu: list[str]
    plural: bool = False


class Grammar:
    """Draws sentences with their translation.

    Velu differs from English in ways that a translation must look around for:

    - verbs come last, also in relative clauses, and agree with their subject in number;
    - adjectives follow their noun; they, the determiners and relative pronouns agree with its
      gender, which its form does not show, and its number (`-n`);
    - the determiner of an object ends in `-k`;
    - prepositions come after what they go with.

    Every sentence branches to the right only, so that it can be read in one way.

    Args:
        rng: draws.
        depth: how many relative clauses and prepositional phrases may hang on each other.

    Example:
        >>> source, target = Grammar(random.Random(6), depth=1).sample()
    """

    def __init__(self, rng: random.Random, depth: int) -> None:
        self._rng, self._depth = rng, depth

    def sample(self) -> tuple[str, str]:
        """An English sentence and its translation."""
        subject = self._noun_phrase(self._depth, is_object=False)
        verb = self._verb_phrase(subject.plural, self._depth)
        english, velu = subject.english + verb.english, subject.velu + verb.velu
        return " ".join([*english, "."]), " ".join([*velu, "."])

    def _noun_phrase(self, depth: int, *, is_object: bool) -> Phrase:
        rng = self._rng
        noun, plural = rng.choice(NOUNS), rng.random() < 0.4
        determiner = rng.choice([*_DETERMINERS])
        head = _decline(noun, plural, determiner, self._adjectives(), is_object=is_object)
        if depth == 0:
            return head
        more = self._modifier(noun, plural, depth - 1)
        return Phrase(head.english + more.english, head.velu + more.velu, plural)

    def _adjectives(self) -> list[str]:
        return self._rng.sample([*ADJECTIVES], self._rng.choices([0, 1, 2], [5, 4, 1])[0])

    def _modifier(self, noun: Noun, plural: bool, depth: int) -> Phrase:
        """A prepositional phrase, a relative clause, or nothing."""
        kind = self._rng.choices(["nothing", "preposition", "relative"], [4, 3, 3])[0]
        if kind == "preposition":
            english = self._rng.choice([*PREPOSITIONS])
            inner = self._noun_phrase(depth, is_object=False)
            return Phrase([english, *inner.english], [*inner.velu, PREPOSITIONS[english]])
        if kind == "relative":
            clause = self._verb_phrase(plural, depth)
            pronoun = _agree(RELATIVE[noun.gender], plural)
            return Phrase(["that", *clause.english], [pronoun, *clause.velu])
        return Phrase([], [])

    def _verb_phrase(self, plural: bool, depth: int) -> Phrase:
        verb, tense = self._rng.choice(VERBS), self._rng.choice(_TENSES)
        negated = self._rng.random() < 0.2
        found = self._noun_phrase(depth, is_object=True)
        velu = [*found.velu, *(["nel"] if negated else [])]
        velu.append(_agree(verb.velu + _TENSE_ENDING[tense], plural))
        return Phrase([*_conjugate(verb, tense, plural, negated), *found.english], velu)


def _decline(
    noun: Noun, plural: bool, determiner: str, adjectives: list[str], *, is_object: bool
) -> Phrase:
    english = [_PLURAL_DETERMINERS[determiner] if plural else determiner, *adjectives]
    english.append(noun.many if plural else noun.one)
    if english[0] == "a" and english[1][0] in "aeiou":
        english[0] = "an"
    marked = _agree(_DETERMINERS[determiner][noun.gender], plural) + ("k" if is_object else "")
    qualities = [_agree(ADJECTIVES[word] + ENDING[noun.gender], plural) for word in adjectives]
    return Phrase(english, [marked, _agree(noun.velu, plural), *qualities], plural)


def _agree(word: str, plural: bool) -> str:
    if not plural:
        return word
    return word + ("n" if word[-1] in "aeiou" else "en")


def _conjugate(verb: Verb, tense: Tense, plural: bool, negated: bool) -> list[str]:
    if tense == "future":
        return ["will", *(["not"] if negated else []), verb.base]
    if negated:
        return ["did" if tense == "past" else "do" if plural else "does", "not", verb.base]
    if tense == "past":
        return [verb.past]
    return [verb.base if plural else verb.third]
