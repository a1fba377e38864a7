"""Ten people who answer a question: most of them right, each in a spelling of their own."""

import random
from collections import Counter
from dataclasses import dataclass

from rnnpipe.sources.generated.shapes.questions import QUESTION_TYPES, Question

ANNOTATORS = 10

_CARELESS_SPELLING = 0.1
_NUMBER_WORDS = ("zero", "one", "two", "three", "four", "five", "six")


@dataclass(frozen=True, slots=True)
class Answer:
    """What one annotator said.

    Args:
        meaning: one of the question's choices.
        text: how it was written; the official normalisation leads back to `meaning`.
        confidence: `yes`, `maybe` or `no`, as in VQA.
    """

    meaning: str
    text: str
    confidence: str


def ten_answers(question: Question, disagreement: float, rng: random.Random) -> list[Answer]:
    """The answers of ten annotators.

    Args:
        question: what they are asked.
        disagreement: the probability, 0 to 1, with which each gives an answer that is not true.
        rng: draws them.
    """
    answers = []
    for _ in range(ANNOTATORS):
        wrong = rng.random() < disagreement
        meaning = rng.choice(_mistakes(question)) if wrong else question.answer
        sure = rng.random() < (0.4 if wrong else 0.9)
        text = meaning
        if rng.random() < _CARELESS_SPELLING:
            text = rng.choice(_spellings(question, meaning))
        answers.append(Answer(meaning, text, "yes" if sure else rng.choice(("maybe", "no"))))
    return answers


def most_common(answers: list[Answer]) -> str:
    """What most annotators meant; of several, what was said first."""
    return Counter(answer.meaning for answer in answers).most_common(1)[0][0]


def _mistakes(question: Question) -> list[str]:
    """The choices beside the true one; of numbers, only the nearest."""
    others = [choice for choice in question.choices if choice != question.answer]
    if QUESTION_TYPES[question.type] == "number":
        return [other for other in others if abs(int(other) - int(question.answer)) == 1]
    return others


def _spellings(question: Question, meaning: str) -> list[str]:
    """Other ways to write an answer that VQA's normalisation takes for the same."""
    if QUESTION_TYPES[question.type] == "number":
        return [_NUMBER_WORDS[int(meaning)], f"{meaning}."]
    if meaning in ("circle", "square", "triangle"):
        return [f"a {meaning}", meaning.capitalize(), f"{meaning}."]
    return [meaning.capitalize(), f"{meaning}."]
