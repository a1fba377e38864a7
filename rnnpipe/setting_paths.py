"""The paths in settings, wherever they are."""

from collections.abc import Callable, Mapping
from dataclasses import fields, replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar, get_type_hints

from rnnpipe.settings import Settings, is_inner
from rnnpipe.storage.paths import as_path

S = TypeVar("S", bound=Settings)


def make_paths_absolute(settings: S) -> S:
    """The settings with their paths absolute, so that they hold in any folder.

    Those that are relative to a source's `path` stay as they are.

    Example:
        >>> from rnnpipe.settings import FilePath
        >>> class Raw(Settings):
        ...     path: FilePath
        >>> make_paths_absolute(Raw(path=Path("data"))).path.is_absolute()
        True
    """
    return replace_paths(settings, lambda path: as_path(path).absolute())


def replace_paths(settings: S, change: Callable[[Path], Path]) -> S:
    """The settings with what a function makes of each of their paths, but for `InnerPath`s."""

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

    inner = _find_inner(type(settings))  # type: ignore[arg-type]  # classes are hashable
    names = [field.name for field in fields(settings) if field.name not in inner]
    return replace(settings, **{name: convert(getattr(settings, name)) for name in names})


@cache
def _find_inner(kind: type[Settings]) -> frozenset[str]:
    """The settings whose paths are relative to another one."""
    hints = get_type_hints(kind, include_extras=True)
    return frozenset(name for name, hint in hints.items() if is_inner(hint))
