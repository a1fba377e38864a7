"""The flags of a command line, from declared settings."""

import argparse
import json
from collections.abc import Iterable
from dataclasses import MISSING
from pathlib import Path
from types import NoneType
from typing import Any, Literal, get_args, get_origin

from rnnpipe.config.leaves import Leaf, walk_leaves
from rnnpipe.settings import Settings

_VALUES = {"int": "N", "float": "X", "bool": "true|false", "str": "TEXT", "Path": "PATH"}
_EPILOG = "Values are YAML: a list is '[a, b]', a mapping '{a: b}', nothing is null."


def make_parser(
    program: str, description: str | None, settings: type[Settings]
) -> argparse.ArgumentParser:
    """A parser with a flag for each setting, in a group for each section.

    A flag that several kinds of a section have is described for each of them. The parser checks no
    values: all mistakes are reported together when the flags are read.

    Args:
        program: the pipeline's module.
        description: what it does, with examples.
        settings: the settings.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m {program}",
        usage=f"python -m {program} [--FLAG VALUE ...] [-- BEAM OPTIONS]",
        description=description,
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        argument_default=argparse.SUPPRESS,
        allow_abbrev=False,
    )
    flags: dict[str, list[Leaf]] = {}
    for leaf in walk_leaves(settings):
        flags.setdefault(leaf.name, []).append(leaf)
    groups: dict[str, Any] = {"": parser.add_argument_group("settings")}
    for name, leaves in flags.items():
        section = leaves[0].path[0] if len(leaves[0].path) > 1 else ""
        if section not in groups:
            groups[section] = parser.add_argument_group(section)
        groups[section].add_argument(
            f"--{name}", dest=name, metavar=_metavar(leaves), help=_describe(leaves)
        )
    return parser


def read_flags(parser: argparse.ArgumentParser, arguments: list[str]) -> list[str]:
    """The flags of a command line as `name=value`, unknown ones too, whose names are checked later.

    Args:
        parser: of `make_parser`.
        arguments: the command line.
    """
    known, unknown = parser.parse_known_args(arguments)
    flags = [f"{name}={value}" for name, value in vars(known).items()]
    words = iter(unknown)
    for word in words:
        if not word.startswith("--"):
            parser.error(f"expected flags, each with one value, got {word}")
        name, equals, value = word.removeprefix("--").partition("=")
        flags.append(f"{name}={value if equals else next(words, '')}")
    return flags


def _is_kind(leaf: Leaf) -> bool:
    return leaf.path[-1] == "kind" and bool(leaf.kinds)


def _metavar(leaves: Iterable[Leaf]) -> str:
    values = dict.fromkeys(_value_name(leaf.hint) for leaf in leaves)
    return "|".join(values)


def _value_name(hint: Any) -> str:
    """What a value is called, e.g. `N`, `PATH` or `a|b`."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Literal:
        return "|".join(map(_as_yaml, arguments))
    if origin in (tuple, list):
        return "LIST"
    if origin is dict:
        return "MAPPING"
    members = [member for member in arguments if member is not NoneType]
    if members:
        return "|".join(dict.fromkeys(_value_name(member) for member in members))
    return _VALUES.get(getattr(hint, "__name__", ""), "VALUE")


def _describe(leaves: list[Leaf]) -> str:
    """The help of a flag; where kinds differ, that of each."""
    if _is_kind(leaves[0]):
        return f"the kind of {'.'.join(leaves[0].path[:-1])}"
    texts: dict[str, list[str]] = {}
    for leaf in leaves:
        kind = leaf.kinds[-1] if leaf.kinds else ""
        texts.setdefault(f"{leaf.help}{_describe_default(leaf.default)}", []).append(kind)
    lines = [f"{', '.join(kinds)}: {text}" if any(kinds) else text for text, kinds in texts.items()]
    return "; ".join(lines).replace("%", "%%")


def _describe_default(default: Any) -> str:
    if default is MISSING:
        return " (required)"
    return "" if default is None else f" (default: {_as_yaml(default)})"


def _as_yaml(value: Any) -> str:
    if isinstance(value, str | Path):
        return str(value) or "''"
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(_as_yaml, value))}]"
    return json.dumps(value, default=str)
