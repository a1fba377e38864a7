import random
import re
from collections import Counter

import pytest

from rnnpipe.sources.generated.shapes.annotators import Answer, most_common, ten_answers
from rnnpipe.sources.generated.shapes.questions import COLOUR, COUNT, PRESENCE, SHAPE, Question
from rnnpipe.sources.generated.shapes.scene import COLOURS, KINDS

QUESTIONS = {
    "presence": Question(PRESENCE, "", "Is there a circle?", "yes", ("yes", "no")),
    "count": Question(COUNT, "", "How many circles are there?", "2", ("0", "1", "2", "3")),
    "colour": Question(COLOUR, "", "What color is the circle?", "red", tuple(COLOURS)),
    "shape": Question(SHAPE, "", "What shape is the red object?", "square", KINDS),
}
DIGITS = {"zero": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5"}


def normalised(answer: str) -> str:
    """What VQA's evaluation makes of these answers."""
    words = re.sub(r"\.", "", answer.lower()).split()
    return " ".join(DIGITS.get(word, word) for word in words if word not in ("a", "an", "the"))


def many(name: str, disagreement: float) -> list[Answer]:
    rng = random.Random(5)
    return [
        answer for _ in range(400) for answer in ten_answers(QUESTIONS[name], disagreement, rng)
    ]


@pytest.mark.parametrize("name", QUESTIONS)
@pytest.mark.parametrize("disagreement", [0.1, 0.3])
def test_the_share_of_wrong_answers_is_as_set(name: str, disagreement: float) -> None:
    answers = many(name, disagreement)
    wrong = [a.meaning for a in answers if a.meaning != QUESTIONS[name].answer]
    assert len(wrong) / len(answers) == pytest.approx(disagreement, abs=0.025)
    assert set(wrong) <= set(QUESTIONS[name].choices)


def test_annotators_agree_where_the_noise_is_zero() -> None:
    assert {answer.meaning for answer in many("shape", 0.0)} == {"square"}


def test_miscounting_annotators_are_off_by_one() -> None:
    assert {answer.meaning for answer in many("count", 0.5)} == {"1", "2", "3"}


@pytest.mark.parametrize("name", QUESTIONS)
def test_spellings_vary_and_normalise_to_one_meaning(name: str) -> None:
    answers = many(name, 0.2)
    assert all(normalised(answer.text) == answer.meaning for answer in answers)
    careless = sum(answer.text != answer.meaning for answer in answers)
    assert careless / len(answers) == pytest.approx(0.1, abs=0.025)


def test_confidences_are_those_of_vqa() -> None:
    confidences = Counter(answer.confidence for answer in many("count", 0.1))
    assert set(confidences) == {"yes", "maybe", "no"}
    assert confidences["yes"] > 0.7 * confidences.total()


def test_the_most_common_answer_is_counted_by_meaning() -> None:
    answers = [Answer("2", "two", "yes"), Answer("3", "3", "yes"), Answer("2", "2", "yes")]
    assert most_common(answers) == "2"
    assert most_common(answers[1:]) == "3"
