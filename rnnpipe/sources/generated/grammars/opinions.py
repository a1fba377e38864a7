"""Opinions whose polarity lies in how words stand together, not in which words there are."""

import random
from dataclasses import dataclass
from typing import Literal

Label = Literal["neg", "pos"]

POSITIVE = (
    "good",
    "great",
    "brilliant",
    "funny",
    "moving",
    "clever",
    "charming",
    "fresh",
    "gripping",
    "honest",
    "lovely",
    "thrilling",
    "warm",
    "witty",
    "beautiful",
    "convincing",
)
NEGATIVE = (
    "bad",
    "dull",
    "boring",
    "weak",
    "silly",
    "clumsy",
    "predictable",
    "empty",
    "shallow",
    "stale",
    "tedious",
    "awful",
    "cold",
    "messy",
    "ugly",
    "forced",
)
STRENGTH = {"": 2, "very": 3, "truly": 3, "extremely": 3, "slightly": 1, "somewhat": 1}
VERBS = ("was", "felt", "seemed", "looked", "became")
NEGATIONS = ("was not", "never felt", "hardly seemed", "was far from", "did not look")
SUBJECTS = (
    "plot",
    "acting",
    "music",
    "dialogue",
    "ending",
    "cast",
    "script",
    "camera",
    "pacing",
    "humour",
    "story",
    "direction",
    "opening",
    "soundtrack",
    "lighting",
    "hero",
)
DETERMINERS = ("the", "its", "this")
OPENINGS = ("", "honestly ,", "in my opinion ,", "all in all ,", "for me ,", "to be fair ,")
CONCESSIONS = ("although", "even though", "while")

_NEGATED = 0.25
_SHAPES = {"plain": 0.3, "but": 0.2, "although first": 0.15, "although last": 0.15, "and": 0.2}


@dataclass(frozen=True, slots=True)
class Clause:
    """One statement about one thing.

    Args:
        text: its words.
        value: from -3 to 3 and never 0: how much it says for the film.
    """

    text: str
    value: int


def sample_opinion(rng: random.Random) -> tuple[str, Label]:
    """A sentence and its polarity, which follows from these rules alone.

    - An adjective is worth 2 or -2; 3 when it is strengthened (*very*), 1 when weakened
      (*slightly*). A negation (*was not*, *hardly seemed*) turns the sign.
    - What follows *but* decides, and of *although a, b* and *b although a* it is b.
    - Clauses joined by *and* add up; they never add up to 0.

    Example:
        >>> sample_opinion(random.Random(2))
        ('for me , its cast hardly seemed shallow and this cast looked slightly cold .', 'pos')
    """
    clause = _sample_sentence(rng)
    words = [rng.choice(OPENINGS), clause.text, "."]
    return " ".join(filter(None, words)), "pos" if clause.value > 0 else "neg"


def _sample_sentence(rng: random.Random) -> Clause:
    shape = rng.choices([*_SHAPES], [*_SHAPES.values()])[0]
    first, second = _sample_clause(rng), _sample_clause(rng)
    concession = rng.choice(CONCESSIONS)
    match shape:
        case "but":
            return Clause(f"{first.text} , but {second.text}", second.value)
        case "although first":
            return Clause(f"{concession} {first.text} , {second.text}", second.value)
        case "although last":
            return Clause(f"{first.text} , {concession} {second.text}", first.value)
        case "and":
            while first.value + second.value == 0:
                second = _sample_clause(rng)
            return Clause(f"{first.text} and {second.text}", first.value + second.value)
        case _:
            return first


def _sample_clause(rng: random.Random) -> Clause:
    positive, negated = rng.random() < 0.5, rng.random() < _NEGATED
    intensifier = rng.choice([*STRENGTH])
    subject = f"{rng.choice(DETERMINERS)} {rng.choice(SUBJECTS)}"
    verb = rng.choice(NEGATIONS if negated else VERBS)
    adjective = rng.choice(POSITIVE if positive else NEGATIVE)
    sign = 1 if positive != negated else -1
    words = [subject, verb, intensifier, adjective]
    return Clause(" ".join(filter(None, words)), sign * STRENGTH[intensifier])
