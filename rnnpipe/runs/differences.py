"""Differences between groups of settings, in words."""

from collections.abc import Iterator, Mapping
from typing import Any


def compare_settings(before: Mapping[str, Any], now: Mapping[str, Any]) -> Iterator[str]:
    """What differs between two groups of settings, in words that begin with the key.

    Example:
        >>> list(compare_settings({"image": {"size": 32}}, {"image": {"size": 64}}))
        ['image.size 64, not 32']
    """
    old, new = (dict(flatten_settings(settings)) for settings in (before, now))
    for key in [*new, *(key for key in old if key not in new)]:
        if old.get(key) != new.get(key):
            yield f"{key} {new.get(key)}, not {old.get(key)}"


def flatten_settings(content: Any, start: str = "") -> Iterator[tuple[str, Any]]:
    """Each value that is no group of settings, by its dotted key.

    Example:
        >>> dict(flatten_settings({"image": {"size": 32}, "seed": 7}))
        {'image.size': 32, 'seed': 7}
    """
    if isinstance(content, Mapping):
        for key, value in content.items():
            yield from flatten_settings(value, f"{start}.{key}" if start else str(key))
    else:
        yield start, content
