"""Whether a caption is true of a drawn scene, and which of its words speak of which shape.

N-gram scores forgive a caption that says *red* of what is blue. Here a caption is read: what shapes
it names, in which places and relations. It is true if the scene has different shapes of which all
of that holds. A caption that cannot be read is not true.
"""

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import pairwise, permutations
from typing import Any

MARGIN = 0.1
"""How far apart centres are, as a fraction of the side, before one is left of or above another."""

_NAMES = {"big": "large", "little": "small"}
_SIZES = ("large", "small", *_NAMES)
_ARTICLES = ("a", "an", "the", "one")
_WORD = re.compile(r"[^\W_]+|[^\w\s]|_")
_MARKS = set(".,:;")

Shape = Mapping[str, Any]
Claim = Callable[[Sequence[Shape]], bool]


@dataclass(frozen=True, slots=True)
class Mention:
    """Words of a caption that name a shape.

    Args:
        start: the first of them, e.g. the article, counted from 0.
        stop: the first word after them.
        shape: which of the scene's shapes it is, counted from 0.
    """

    start: int
    stop: int
    shape: int


def caption_is_true(caption: str, scene: str | Mapping[str, Any]) -> bool:
    """Whether all that a caption says holds of a scene.

    Args:
        caption: what was said.
        scene: what is there, as JSON or read from it: `{"shapes": [{"kind", "colour", "size", "x",
            "y", …}]}`, where `x` and `y` are fractions of the picture's side from the top left.

    Example:
        >>> red = {"kind": "circle", "colour": "red", "size": "large", "x": 0.2, "y": 0.5}
        >>> blue = {"kind": "square", "colour": "blue", "size": "small", "x": 0.8, "y": 0.5}
        >>> scene = {"shapes": [red, blue]}
        >>> caption_is_true("A red circle to the left of a small square.", scene)
        True
        >>> caption_is_true("A red circle to the right of a small square.", scene)
        False
    """
    return find_mentions(_WORD.findall(caption.lower()), scene) is not None


def find_mentions(words: Sequence[str], scene: str | Mapping[str, Any]) -> list[Mention] | None:
    """The shapes that the words of a caption speak of, if it is true.

    Args:
        words: the caption's words in small letters; punctuation may be among them.
        scene: what is there, see `caption_is_true`.

    Returns:
        A mention for each shape that is named, in the order of the words; None if the caption is
        not true.

    Example:
        >>> shape = {"kind": "circle", "colour": "red", "size": "large", "x": 0.2, "y": 0.5}
        >>> find_mentions("there is a red circle".split(), {"shapes": [shape]})
        [Mention(start=2, stop=5, shape=0)]
    """
    content = json.loads(scene) if isinstance(scene, str) else scene
    shapes: Sequence[Shape] = content["shapes"]
    frame, phrases = _read(words, shapes)
    claim = _claim_of(frame)
    if claim is None:
        return None
    for choice in permutations(range(len(shapes)), len(phrases)):
        chosen = [shapes[index] for index in choice]
        fitting = all(p.fits(shape) for p, shape in zip(phrases, chosen, strict=True))
        if fitting and claim(chosen):
            return [Mention(p.start, p.stop, i) for p, i in zip(phrases, choice, strict=True)]
    return None


@dataclass(frozen=True, slots=True)
class _Phrase:
    """A noun phrase, and where it stands."""

    start: int
    stop: int
    said: Mapping[str, str]

    def fits(self, shape: Shape) -> bool:
        return all(shape[what] == value for what, value in self.said.items())


def _read(words: Sequence[str], shapes: Sequence[Shape]) -> tuple[str, list[_Phrase]]:
    """The caption with an `N` for each noun phrase, and these; punctuation is dropped."""
    frame, phrases, position = [], [], 0
    while position < len(words):
        phrase = _phrase_at(words, position)
        if phrase is not None:
            phrases.append(phrase)
            frame.append("N")
            position = phrase.stop
            continue
        if words[position] not in _MARKS:
            frame.append(words[position])
        position += 1
    return " ".join(frame), phrases


_VOCABULARY = {
    "colour": ("red", "orange", "yellow", "green", "blue", "purple"),
    "kind": ("circle", "square", "triangle"),
}


def _phrase_at(words: Sequence[str], start: int) -> _Phrase | None:
    """The noun phrase that begins there: an article, a size, a colour and a kind; some may lack."""
    if words[start] not in _ARTICLES:
        return None
    rest, said = start + 1, dict[str, str]()
    for what, known in (("size", _SIZES), *_VOCABULARY.items()):
        if rest < len(words) and words[rest] in known:
            said[what] = _NAMES.get(words[rest], words[rest])
            rest += 1
    return _Phrase(start, rest, said) if "kind" in said else None


def _claim_of(frame: str) -> Claim | None:
    """What a caption of this form says of the shapes it names, in their order."""
    for pattern, claim in _FORMS:
        if found := pattern.fullmatch(frame):
            return partial(_holds, claim, found.groups())
    return None


def _holds(claim: Callable[..., bool], said: Sequence[str], shapes: Sequence[Shape]) -> bool:
    return claim(shapes, *said)


def _less(low: float, high: float) -> bool:
    return high - low >= MARGIN


def _left_to_right(shapes: Sequence[Shape]) -> bool:
    return all(_less(one["x"], other["x"]) for one, other in pairwise(shapes))


def _between(shapes: Sequence[Shape]) -> bool:
    middle, one, other = shapes
    return _left_to_right([one, middle, other]) or _left_to_right([other, middle, one])


def _related(shapes: Sequence[Shape], relation: str) -> bool:
    axis, turned = _RELATIONS[relation]
    first, *others = (float(shape[axis]) for shape in shapes)
    return all(_less(other, first) if turned else _less(first, other) for other in others)


def _placed(shapes: Sequence[Shape], place: str) -> bool:
    x, y = (float(shapes[0][axis]) - 0.5 for axis in "xy")
    return {
        "left": x <= -MARGIN,
        "right": x >= MARGIN,
        "top": y <= -MARGIN,
        "bottom": y >= MARGIN,
        "middle": abs(x) <= 1.5 * MARGIN and abs(y) <= 1.5 * MARGIN,
    }[place]


_RELATIONS = {
    "left of": ("x", False),
    "right of": ("x", True),
    "above": ("y", False),
    "below": ("y", True),
}


def _forms() -> Iterator[tuple[re.Pattern[str], Callable[..., bool]]]:
    intro = r"(?:there (?:is|are) |the picture shows )?"
    end = r"(?: (?:of|in) the picture)?"
    several = r"N(?: (?:and )?N)*"
    place = r"(?:on|at|in) the (left|right|top|bottom|middle)"
    relation = rf"(?:to the )?({'|'.join(_RELATIONS)})"
    yield re.compile(rf"{intro}{several}{end}"), lambda shapes: True
    yield re.compile(rf"from left to right {several}"), _left_to_right
    yield re.compile(rf"{intro}N (?:is )?{place}{end}"), _placed
    yield re.compile(rf"{place}{end} (?:there )?is N"), _placed
    yield re.compile(rf"{intro}N (?:is )?{relation} {several}"), _related
    yield re.compile(rf"{intro}N (?:is )?between N and N"), _between


_FORMS = list(_forms())
