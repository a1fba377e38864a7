"""What other packages add, by entry points."""

from collections.abc import Container
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from rnnpipe.errors import UserError
from rnnpipe.requirements import explain


def find_plugins(group: str, ours: Container[str] = ()) -> dict[str, EntryPoint]:
    """The entry points of a group by name, nothing imported.

    Args:
        group: the group, e.g. `rnnpipe.metrics`.
        ours: names that are taken.

    Raises:
        UserError: two packages claim one name.

    Example:
        >>> find_plugins("rnnpipe.no_such_group")
        {}
    """
    plugins: dict[str, EntryPoint] = {}
    for entry in _entry_points().select(group=group):
        if entry.name in plugins or entry.name in ours:
            where, fix = _where(entry), f"uninstall one of the packages, or rename {entry.value}"
            raise UserError(where, "one owner of the name", "two", fix)
        plugins[entry.name] = entry
    return plugins


@cache
def _entry_points() -> Any:  # Python 3.12 has another type than 3.11, with the same method
    # It reads a file of every package that is installed, and a config asks for dozens of groups.
    try:
        return entry_points()
    except Exception as fault:  # of a file that no installer has written
        expected, fix = "packages whose entry points can be read", "reinstall the damaged package"
        got = f"{type(fault).__name__}: {fault}"
        raise UserError("entry points", expected, got, fix) from fault


def load_plugin(entry: EntryPoint) -> Any:
    """What an entry point leads to.

    Raises:
        UserError: it cannot be imported.
    """
    try:
        return entry.load()
    except Exception as fault:  # whatever its module raises
        missing = explain(fault, _where(entry)) if isinstance(fault, ModuleNotFoundError) else None
        if missing is not None:
            raise missing from fault
        fix = "reinstall the package that has it, or correct its entry point"
        known = isinstance(fault, ImportError | AttributeError)
        got = str(fault) if known else f"{type(fault).__name__}: {fault}"
        raise UserError(_where(entry), f"{entry.value} to import", got, fix) from fault


def _where(entry: EntryPoint) -> str:
    return f"entry point {entry.name} of {entry.group}"
