"""No regular expression takes hours for a text of 100,000 characters, whatever text it is.

One that takes the square of a text's length would: a line may have a million characters.
"""

import importlib
import inspect
import pkgutil
import re
from collections import deque

import pytest

from tests.fuzz.limits import limited

LENGTH = 100_000
PACKAGES = ("config", "metrics", "records", "sources", "storage", "text")
MODULES = ("rnnpipe.output", "rnnpipe.tasks.inputs", "rnnpipe.runs.begin", "rnnpipe.runs.predict")
PUMPS = (
    *("a", "A", "1", "_", ".", ",", "-", "'", " ", "#", "@", "<", "&", ":", "!", "/", "=", "\n"),
    *("a.", "a__", "1,", "1__", "a&", "A&", "<a", "#1", "n't", "a-", "a'", "N ", "N and ", "é"),
)
"""What texts consist of."""


def find_patterns():
    """The patterns that modules keep, by name."""
    names = list(MODULES)
    for package in PACKAGES:
        path = importlib.import_module(f"rnnpipe.{package}").__path__
        names += [found.name for found in pkgutil.walk_packages(path, f"rnnpipe.{package}.")]
    for name in names:
        module = importlib.import_module(name)
        for key, value in sorted(vars(module).items()):
            for number, pattern in enumerate(_patterns_in(value)):
                is_searched = _is_searched(key, inspect.getsource(module))
                yield f"{name.removeprefix('rnnpipe.')}.{key}.{number}", (pattern, is_searched)


def _is_searched(key, source):
    """Whether a pattern may begin anywhere in a text: not if it is only matched from its start."""
    methods = set(re.findall(rf"\b{key}\.(\w+)", source))
    return not methods or not methods <= {"match", "fullmatch"}


def _patterns_in(value):
    values = [value] if isinstance(value, re.Pattern) else []
    if isinstance(value, list | tuple | dict):
        items = [part for item in value for part in (item if isinstance(item, tuple) else (item,))]
        values = [item for item in items if isinstance(item, re.Pattern)]
    return [each for each in values if isinstance(each.pattern, str)]


PATTERNS = dict(find_patterns())


def test_the_patterns_are_found():
    assert "text.normalize._KEPT_OR_MARK.0" in PATTERNS
    assert "metrics.scene_captions._FORMS.0" in PATTERNS
    assert len(PATTERNS) > 35


@pytest.mark.parametrize("name", PATTERNS)
def test_a_pattern_is_searched_for_at_once(name, tmp_path):
    pattern, is_searched = PATTERNS[name]
    for pump in PUMPS:
        text = (pump * LENGTH)[:LENGTH] + "\0"
        with limited(tmp_path):
            pattern.fullmatch(text)
            if is_searched:
                deque(pattern.finditer(text), maxlen=0)
