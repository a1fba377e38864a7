"""The accuracy of visual question answering, by the rules of the official evaluation.

Source: Antol et al., "VQA: Visual Question Answering" (2015), section 5, and the evaluation code
that the data set's authors publish (github.com/GT-Vision-Lab/VQA, state of March 2021).
"""

import re
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any

from rnnpipe.errors import UserError
from rnnpipe.metrics.contractions import CONTRACTIONS

_ENOUGH = 3
"""An answer that this many of the other people gave is right in full."""

_PUNCTUATION = ';/[]"{}()=+\\_-><@`,?!'
_TO_SPACES = str.maketrans(dict.fromkeys(_PUNCTUATION, " "))
_TO_NOTHING = str.maketrans(dict.fromkeys(_PUNCTUATION))
_HAS_PUNCTUATION = re.compile(f"[{re.escape(_PUNCTUATION)}.]")
_BESIDE_A_SPACE = re.compile(f"(?<= )[{re.escape(_PUNCTUATION)}]|[{re.escape(_PUNCTUATION)}](?= )")
_COMMA_IN_NUMBER = re.compile(r"\d,\d")
_PERIOD = re.compile(r"\.(?!\d)")

_NUMBERS = "zero one two three four five six seven eight nine ten"
_WORDS = {word: str(number) for number, word in enumerate(_NUMBERS.split())} | {"none": "0"}
_ARTICLES = {"a", "an", "the"}


@lru_cache(maxsize=1 << 17)
def normalize_answer(text: str) -> str:
    """The form in which answers are compared.

    - Lower case; words with single spaces between them.
    - Punctuation other than apostrophes, colons and periods becomes a space. A mark that stands
      beside a space somewhere in the answer is dropped instead, and so are all marks of an answer
      that has a comma between digits (`1,000-2,000` becomes `10002000`).
    - Periods are dropped unless a digit follows.
    - `none` and the number words up to ten become digits; articles are dropped.
    - Contractions get an apostrophe that they lack (`dont` becomes `don't`).

    Example:
        >>> normalize_answer("Two  t-shirts, I dont know the 1,000.")
        "2 tshirts i don't know 1000"
    """
    text = _tidy(text)
    if _HAS_PUNCTUATION.search(text):
        text = _PERIOD.sub("", _without_punctuation(text))
    words = (_WORDS.get(word, word) for word in text.lower().split())
    return " ".join(CONTRACTIONS.get(word, word) for word in words if word not in _ARTICLES)


def vqa_accuracy(prediction: str, answers: Sequence[str]) -> float:
    """How right an answer is, given what several people answered.

    For every person in turn: how many of the *other* people gave the predicted answer, divided
    by three and at most 1. The accuracy is the mean of that over the people; with ten of them,
    n of whom agree, it is min(0.3 n, 1).

    Prediction and answers are compared in the form that `normalize_answer` gives them. As in the
    official code that holds only where people disagree: where all gave the very same answer, the
    prediction has to be spelt like it, so that `dog` scores 0 against ten times `a dog`.

    Args:
        prediction: the answer to judge.
        answers: what people answered; at least one answer, usually ten.

    Returns:
        A fraction in 0..1.

    Raises:
        UserError: there are no answers.

    Example:
        >>> vqa_accuracy("two", ["2"] * 2 + ["3"] * 8)
        0.6
    """
    return _score(prediction, answers)[0]


def answer_scores(answers: Sequence[str]) -> dict[str, float]:
    """The accuracy of every answer that scores above 0, the most frequent first.

    Args:
        answers: what people answered; at least one answer.

    Returns:
        Accuracies by normalised answer, or, where all people gave the very same answer, by that
        answer as it is spelt (see `vqa_accuracy`). An answer of which nothing is left, such as
        `the`, is the empty text.

    Raises:
        UserError: there are no answers.

    Example:
        >>> answer_scores(["Red"] * 7 + ["dark-red"] * 2 + ["a pink"])
        {'red': 1.0, 'dark red': 0.6, 'pink': 0.3}
    """
    _, counts = _count(answers)
    scores = {a: _accuracy(count, len(answers)) for a, count in counts.most_common()}
    return {answer: score for answer, score in scores.items() if score > 0}


def score_vqa(
    predictions: Sequence[str], references: Sequence[Mapping[str, Any]]
) -> dict[str, float]:
    """The mean accuracy over many questions, as a whole and by kind.

    Args:
        predictions: the predicted answers.
        references: for each prediction `answers`, `answer_type` and `question_type`.

    Returns:
        Fractions in 0..1: `vqa_accuracy`, `vqa_accuracy_ceiling` (that of the best answer to
        every question), and `vqa_accuracy/answer_type/<t>`, `vqa_accuracy/question_type/<t>` in
        the order of the alphabet. Unlike the official code, whose scores by type leave out nine
        of the ten people, all of them are means of the same accuracies.

    Raises:
        UserError: there are no questions, or not as many predictions as questions.
    """
    if not references or len(predictions) != len(references):
        expected = "one prediction for each of one or more questions"
        got = f"{len(predictions)} predictions for {len(references)} questions"
        raise UserError("score_vqa", expected, got, "predict the answer of every question")
    groups: dict[str, list[float]] = defaultdict(list)
    for prediction, reference in zip(predictions, references, strict=True):
        accuracy, ceiling = _score(prediction, reference["answers"])
        groups["vqa_accuracy"].append(accuracy)
        groups["vqa_accuracy_ceiling"].append(ceiling)
        for kind in ("answer_type", "question_type"):
            groups[f"vqa_accuracy/{kind}/{reference[kind]}"].append(accuracy)
    return {name: sum(scores) / len(scores) for name, scores in sorted(groups.items())}


def _tidy(text: str) -> str:
    return text.replace("\n", " ").replace("\t", " ").strip()


def _without_punctuation(text: str) -> str:
    if _COMMA_IN_NUMBER.search(text):
        return text.translate(_TO_NOTHING)
    for mark in set(_BESIDE_A_SPACE.findall(text)):
        text = text.replace(mark, "")
    return text.translate(_TO_SPACES)


def _score(prediction: str, answers: Sequence[str]) -> tuple[float, float]:
    """The accuracy of a prediction, and that of the best one."""
    unanimous, counts = _count(answers)
    agreeing = counts[_tidy(prediction) if unanimous else normalize_answer(prediction)]
    return _accuracy(agreeing, len(answers)), _accuracy(max(counts.values()), len(answers))


def _count(answers: Sequence[str]) -> tuple[bool, Counter[str]]:
    """Whether all answers are the very same, and how often each one was given."""
    if not answers:
        raise UserError("answers", "at least one answer", "none", "leave the question out")
    as_given = Counter(answers)
    tidied = {_tidy(answer) for answer in as_given}
    unanimous = len(tidied) == 1
    counts: Counter[str] = Counter()
    for answer, count in as_given.items():
        counts[_tidy(answer) if unanimous else normalize_answer(answer)] += count
    return unanimous, counts


def _accuracy(agreeing: int, people: int) -> float:
    """The mean over the people of min(1, agreeing others / 3)."""
    if not agreeing:
        return 0.0
    of_those = agreeing * min(_ENOUGH, agreeing - 1)
    of_the_rest = (people - agreeing) * min(_ENOUGH, agreeing)
    return (of_those + of_the_rest) / (_ENOUGH * people)
