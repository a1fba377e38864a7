"""Every answer against an oracle that reads the English of the question."""

import random
import re

import pytest

from rnnpipe.sources.generated.shapes.questions import MARGIN, MIDDLE, QUESTION_TYPES, Question, ask
from rnnpipe.sources.generated.shapes.scene import COLOURS, KINDS, SIZES, Scene, Shape, sample_scene

_OPPOSITE_ENDS = {"left": ("x", 0), "right": ("x", 1), "above": ("y", 0), "below": ("y", 1)}
_SAME_AS = {"higher": "above", "lower": "below"}
_HALVES = {"left": "left", "right": "right", "top": "above", "upper": "above"}
_HALVES |= {"bottom": "below", "lower": "below"}


def meant(phrase: str, scene: Scene) -> list[Shape]:
    """The shapes that have every property named in a phrase."""
    words = {word.removesuffix("s") for word in re.findall("[a-z]+", phrase.lower())}
    left = list(scene.shapes)
    for word in words & {*KINDS, *COLOURS, *SIZES}:
        left = [shape for shape in left if word in (shape.kind, shape.colour, shape.size)]
    return left


def the_only(phrase: str, scene: Scene) -> Shape:
    (shape,) = meant(phrase, scene)
    return shape


def where(text: str, scene: Scene) -> str:
    """The true answer to a question about the place of one shape, or of one beside another."""
    if placed := re.fullmatch(r"Is the (.+?) (?:on|at|in) the (\w+)(?: half)?\?", text):
        axis, end = _OPPOSITE_ENDS[_HALVES[placed[2]]]
        centre = place(the_only(placed[1], scene))[axis]
        assert abs(centre - 0.5) >= MIDDLE
        return "yes" if (centre > 0.5) == bool(end) else "no"
    related = re.fullmatch(r"Is the (.+?) (?:to the )?(\w+)(?: of| than)? the (.+)\?", text)
    assert related, text
    one, relation, other = related.groups()
    axis, end = _OPPOSITE_ENDS[_SAME_AS.get(relation, relation)]
    places = sorted((the_only(one, scene), the_only(other, scene)), key=lambda s: place(s)[axis])
    assert place(places[1])[axis] - place(places[0])[axis] >= MARGIN
    assert places[0] is not places[1]
    return "yes" if places[end] is the_only(one, scene) else "no"


def oracle(text: str, scene: Scene) -> str:
    """The true answer to a question, from its words alone."""
    if re.match("Is the ", text):
        return where(text, scene)
    if re.match("How many|What number", text):
        return str(len(meant(text, scene)))
    if re.match("Is there|Can you see", text):
        return "yes" if meant(text, scene) else "no"
    shape = the_only(text, scene)
    asked = {"color": shape.colour, "shape": shape.kind, "size": shape.size, "big": shape.size}
    (answer,) = {asked[word] for word in re.findall("[a-z]+", text) if word in asked}
    return answer


def place(shape: Shape) -> dict[str, float]:
    return {"x": shape.x, "y": shape.y}


def questions_of(seed: int) -> tuple[Scene, list[Question]]:
    rng = random.Random(seed)
    scene = sample_scene(rng)
    return scene, [question for pool in ask(scene, rng).values() for question in pool]


def test_every_answer_is_true() -> None:
    checked = 0
    for seed in range(300):
        scene, questions = questions_of(seed)
        for question in questions:
            assert oracle(question.text, scene) == question.answer, (question, scene)
            checked += 1
    assert checked > 10_000


def test_the_oracle_understands_every_relation() -> None:
    def shape(colour: str, x: float, y: float) -> Shape:
        return Shape("circle", colour, "small", x, y, 0.1, 0.0, COLOURS[colour])

    scene = Scene((shape("red", 0.2, 0.8), shape("blue", 0.8, 0.2)), (0, 0, 0))
    for words in ("left of", "to the left of", "below", "lower than"):
        assert oracle(f"Is the red circle {words} the blue circle?", scene) == "yes"
    for words in ("right of", "to the right of", "above", "higher than"):
        assert oracle(f"Is the red circle {words} the blue circle?", scene) == "no"


def test_answers_are_among_the_choices_of_the_text() -> None:
    choices: dict[str, tuple[str, ...]] = {}
    for seed in range(200):
        for question in questions_of(seed)[1]:
            assert question.answer in question.choices
            assert choices.setdefault(question.text, question.choices) == question.choices


def test_questions_read_like_english() -> None:
    words: set[str] = set()
    for seed in range(300):
        for question in questions_of(seed)[1]:
            assert re.fullmatch(r"[A-Z][a-z ]+\?", question.text)
            assert not re.search(r"\ba [aeiou]|\ban [^aeiou]|  ", question.text)
            words.update(question.text.lower().rstrip("?").split())
    assert 40 <= len(words) <= 60


@pytest.mark.parametrize("kind", QUESTION_TYPES)
def test_every_type_is_asked_in_several_wordings(kind: str) -> None:
    wordings = {
        question.wording
        for seed in range(100)
        for question in questions_of(seed)[1]
        if question.type == kind
    }
    assert len(wordings) >= 3
