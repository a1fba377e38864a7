"""A question alone must not give its answer away."""

import random
from collections import Counter, defaultdict

import pytest

from rnnpipe.sources.generated.shapes.balance import Balance
from rnnpipe.sources.generated.shapes.questions import COUNT, QUESTION_TYPES, Question, ask
from rnnpipe.sources.generated.shapes.scene import sample_scene

IMAGES, HELD_OUT, PER_IMAGE = 800, 250, 8


@pytest.fixture(scope="module")
def asked() -> list[list[Question]]:
    """The questions of every scene."""
    balance, questions = Balance(), []
    for seed in range(IMAGES):
        rng = random.Random(seed)
        questions.append(balance.pick(ask(sample_scene(rng), rng), PER_IMAGE, rng))
    return questions


def answers_by(key: str, questions: list[list[Question]]) -> dict[str, Counter[str]]:
    answers: dict[str, Counter[str]] = defaultdict(Counter)
    for question in (question for scene in questions for question in scene):
        answers[getattr(question, key)][question.answer] += 1
    return answers


def test_every_scene_gets_its_number_of_different_questions(asked: list[list[Question]]) -> None:
    for questions in asked:
        assert len(questions) == len({question.text for question in questions}) == PER_IMAGE


def test_types_have_equal_shares(asked: list[list[Question]]) -> None:
    counts = Counter(question.type for scene in asked for question in scene)
    assert set(counts) == set(QUESTION_TYPES)
    assert max(counts.values()) - min(counts.values()) <= 0.01 * IMAGES * PER_IMAGE


def test_answers_of_every_wording_are_near_uniform(asked: list[list[Question]]) -> None:
    choices = {q.wording: q.choices for scene in asked for q in scene if q.type != COUNT}
    for wording, answers in answers_by("wording", asked).items():
        if wording in choices:
            shares = [answers[choice] / answers.total() for choice in choices[wording]]
            assert max(shares) < 1.4 / len(shares), (wording, answers)


def test_answers_of_every_common_text_are_near_uniform(asked: list[list[Question]]) -> None:
    choices = {question.text: question.choices for scene in asked for question in scene}
    common = {t: a for t, a in answers_by("text", asked).items() if a.total() >= 30}
    assert len(common) > 40
    for text, answers in common.items():
        fair = answers.total() / len(choices[text])
        assert max(answers.values()) <= 1.3 * fair + 5, (text, answers)


def test_the_best_answer_to_a_text_is_mostly_wrong_on_other_images(
    asked: list[list[Question]],
) -> None:
    """The best that can be done without the image, each type on its own and all together."""
    learnt = answers_by("text", asked[:-HELD_OUT])
    fallback = answers_by("type", asked[:-HELD_OUT])
    right: Counter[str] = Counter()
    held_out = [question for scene in asked[-HELD_OUT:] for question in scene]
    for question in held_out:
        known = learnt.get(question.text, fallback[question.type])
        right[question.type] += known.most_common(1)[0][0] == question.answer
    counts = Counter(question.type for question in held_out)
    assert right.total() / len(held_out) < 0.45
    assert max(right[kind] / counts[kind] for kind in counts) < 0.6


def test_questions_depend_on_earlier_scenes_only(asked: list[list[Question]]) -> None:
    balance = Balance()
    for seed in range(40):
        rng = random.Random(seed)
        assert balance.pick(ask(sample_scene(rng), rng), PER_IMAGE, rng) == asked[seed]


def test_a_scene_has_at_most_its_own_questions() -> None:
    rng = random.Random(0)
    questions = ask(sample_scene(rng), rng)
    picked = Balance().pick(questions, 10_000, rng)
    assert Counter(picked) == Counter(question for pool in questions.values() for question in pool)
