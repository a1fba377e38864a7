"""The paths in settings, wherever they are."""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from pathlib import Path
from typing import Any, TypeVar

from rnnpipe.settings import Settings
from rnnpipe.storage.paths import as_path

S = TypeVar("S", bound=Settings)


def make_paths_absolute(settings: S) -> S:
    """The settings with all of their paths absolute, so that they hold in any folder.

    Example:
        >>> from rnnpipe.settings import FilePath
        >>> class Raw(Settings):
        ...     path: FilePath
        >>> make_paths_absolute(Raw(path=Path("data"))).path.is_absolute()
        True
    """
    return replace_paths(settings, lambda path: as_path(path).absolute())


def replace_paths(settings: S, change: Callable[[Path], Path]) -> S:
    """The settings with what a function makes of each of their paths."""

    def convert(value: Any) -> Any:
        if isinstance(value, Settings):
            return replace_paths(value, change)
        if isinstance(value, Path):
            return change(value)
        if isinstance(value, tuple | list):
            return type(value)(map(convert, value))
        if isinstance(value, Mapping):
            return {key: convert(item) for key, item in value.items()}
        return value

    changes = {field.name: convert(getattr(settings, field.name)) for field in fields(settings)}
    return replace(settings, **changes)
