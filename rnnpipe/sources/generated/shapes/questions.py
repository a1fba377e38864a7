"""What can be asked about a scene, in which words, and what is true.

Every question that is made here has one right answer: "the ..." is said of one shape only, and
places are compared only where they differ clearly.
"""

import random
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from itertools import permutations, product

from rnnpipe.sources.generated.shapes.scene import (
    COLOURS,
    KINDS,
    MAX_SHAPES,
    MIN_SHAPES,
    SIZES,
    Scene,
    Shape,
)

PRESENCE = "is there a"
RELATION = "is the ... left of or above"
PLACE = "is the ... on the left or at the top"
COUNT = "how many"
COLOUR = "what color is the"
SHAPE = "what shape is the"
SIZE = "what size is the"

QUESTION_TYPES = {
    PRESENCE: "yes/no",
    RELATION: "yes/no",
    PLACE: "yes/no",
    COUNT: "number",
    COLOUR: "other",
    SHAPE: "other",
    SIZE: "other",
}
"""Question type → answer type."""

MARGIN = 0.3
"""How far apart two shapes are, as a fraction of the side, before one is left of the other."""

MIDDLE = 0.12
"""How far from the middle a shape is, as a fraction of the side, before it is on the left."""

_YES_NO = ("yes", "no")
_MOST_COUNTED = 3

_WORDINGS = {
    PRESENCE: ("Is there {a}?", "Can you see {a}?", "Is there {a} in the picture?"),
    COUNT: (
        "How many {things} are there?",
        "How many {things} can you see?",
        "What number of {things} are in the picture?",
    ),
    COLOUR: ("What color is {the}?", "What is the color of {the}?", "Which color does {the} have?"),
    SHAPE: ("What shape is {the}?", "What is the shape of {the}?", "Which shape does {the} have?"),
    SIZE: ("What size is {the}?", "How big is {the}?", "What is the size of {the}?"),
}
_RELATION_WORDINGS = {
    ("x", -1): ("Is {the} left of {other}?", "Is {the} to the left of {other}?"),
    ("x", 1): ("Is {the} right of {other}?", "Is {the} to the right of {other}?"),
    ("y", -1): ("Is {the} above {other}?", "Is {the} higher than {other}?"),
    ("y", 1): ("Is {the} below {other}?", "Is {the} lower than {other}?"),
}
_PLACE_WORDINGS = {
    ("x", -1): ("Is {the} on the left?", "Is {the} in the left half?"),
    ("x", 1): ("Is {the} on the right?", "Is {the} in the right half?"),
    ("y", -1): ("Is {the} at the top?", "Is {the} in the upper half?"),
    ("y", 1): ("Is {the} at the bottom?", "Is {the} in the lower half?"),
}


@dataclass(frozen=True, slots=True)
class Question:
    """A question and its true answer.

    Args:
        type: one of `QUESTION_TYPES`.
        wording: the sentence with its things left open.
        text: the sentence.
        answer: what is true of the scene.
        choices: the answers that the same text can have on other scenes.
    """

    type: str
    wording: str
    text: str
    answer: str
    choices: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Description:
    """What is said of a shape; None where nothing is said."""

    size: str | None = None
    colour: str | None = None
    kind: str | None = None

    def fits(self, shape: Shape) -> bool:
        """Whether it is true of the shape."""
        return (
            self.size in (None, shape.size)
            and self.colour in (None, shape.colour)
            and self.kind in (None, shape.kind)
        )

    def count(self, scene: Scene) -> int:
        """The number of shapes that it is true of."""
        return sum(map(self.fits, scene.shapes))

    @property
    def words(self) -> str:
        """The description as a noun phrase without its article."""
        return " ".join(word for word in (self.size, self.colour, self.kind or "object") if word)


_BY_SIZE = [Description(size=size) for size in SIZES]
_BY_COLOUR = [Description(colour=colour) for colour in COLOURS]
_BY_KIND = [Description(kind=kind) for kind in KINDS]
_BY_COLOUR_KIND = [Description(colour=c, kind=k) for c, k in product(COLOURS, KINDS)]


def ask(scene: Scene, rng: random.Random) -> dict[str, list[Question]]:
    """All that can be asked about a scene, by question type, each in one wording drawn at random.

    Args:
        scene: what is asked about.
        rng: draws the wordings.
    """
    return {
        PRESENCE: list(_presence(scene, rng)),
        RELATION: list(_relations(scene, rng)),
        PLACE: list(_places(scene, rng)),
        COUNT: list(_counts(scene, rng)),
        COLOUR: list(_colours(scene, rng)),
        SHAPE: list(_kinds(scene, rng)),
        SIZE: list(_sizes(scene, rng)),
    }


def _presence(scene: Scene, rng: random.Random) -> Iterator[Question]:
    for description in _BY_COLOUR + _BY_KIND + _BY_COLOUR_KIND:
        answer = "yes" if description.count(scene) else "no"
        yield _question(PRESENCE, description, answer, _YES_NO, rng)


def _counts(scene: Scene, rng: random.Random) -> Iterator[Question]:
    for description in [Description(), *_BY_SIZE, *_BY_COLOUR, *_BY_KIND]:
        fewest, most = (
            (MIN_SHAPES, MAX_SHAPES) if description == Description() else (0, _MOST_COUNTED)
        )
        count = description.count(scene)
        if count <= most:
            choices = tuple(map(str, range(fewest, most + 1)))
            yield _question(COUNT, description, str(count), choices, rng)


def _colours(scene: Scene, rng: random.Random) -> Iterator[Question]:
    for description, shape in _unique(scene, _BY_KIND + _BY_SIZE):
        yield _question(COLOUR, description, shape.colour, tuple(COLOURS), rng)


def _kinds(scene: Scene, rng: random.Random) -> Iterator[Question]:
    for description, shape in _unique(scene, _BY_COLOUR + _BY_SIZE):
        yield _question(SHAPE, description, shape.kind, KINDS, rng)


def _sizes(scene: Scene, rng: random.Random) -> Iterator[Question]:
    for description, shape in _unique(scene, _BY_COLOUR + _BY_KIND):
        yield _question(SIZE, description, shape.size, SIZES, rng)


def _relations(scene: Scene, rng: random.Random) -> Iterator[Question]:
    described = _unique(scene, _BY_KIND + _BY_COLOUR)
    for (one, this), (other, that) in permutations(described, 2):
        if this is that:
            continue
        for (axis, sign), wordings in _RELATION_WORDINGS.items():
            distance = sign * (getattr(this, axis) - getattr(that, axis))
            if abs(distance) >= MARGIN:
                wording = rng.choice(wordings)
                answer = "yes" if distance > 0 else "no"
                yield Question(RELATION, wording, _say(wording, one, other), answer, _YES_NO)


def _places(scene: Scene, rng: random.Random) -> Iterator[Question]:
    for one, this in _unique(scene, _BY_KIND + _BY_COLOUR):
        for (axis, sign), wordings in _PLACE_WORDINGS.items():
            distance = sign * (getattr(this, axis) - 0.5)
            if abs(distance) >= MIDDLE:
                wording = rng.choice(wordings)
                answer = "yes" if distance > 0 else "no"
                yield Question(PLACE, wording, _say(wording, one), answer, _YES_NO)


def _unique(scene: Scene, descriptions: list[Description]) -> list[tuple[Description, Shape]]:
    """Those descriptions that are true of one shape only, and that shape."""
    return [
        (description, fitting[0])
        for description in descriptions
        if len(fitting := [shape for shape in scene.shapes if description.fits(shape)]) == 1
    ]


def _question(
    kind: str, description: Description, answer: str, choices: tuple[str, ...], rng: random.Random
) -> Question:
    wording = rng.choice(_WORDINGS[kind])
    return Question(kind, wording, _say(wording, description), answer, choices)


@cache
def _say(wording: str, one: Description, other: Description | None = None) -> str:
    article = "an" if one.words[0] in "aeiou" else "a"
    return wording.format(
        a=f"{article} {one.words}",
        the=f"the {one.words}",
        things=f"{one.words}s",
        other=f"the {other.words}" if other else "",
    )
