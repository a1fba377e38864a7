"""A configuration file, and values given on the command line, as trees of nodes."""

import difflib
from collections.abc import Callable
from pathlib import Path

import yaml

from rnnpipe.config.nodes import Composer, FaultList, Node, Place, TreeBuilder, shown
from rnnpipe.config.nodes import Path as KeyPath
from rnnpipe.errors import UserError

_HINTS = {
    "\\t": "indent with spaces instead of tabs",
    "mapping values are not allowed": "indent keys alike, and quote text that holds ': '",
    "a single document": "keep one document: one file is one run",
    "could not find expected ':'": "write `key: value`, or quote text that spans lines",
    "while scanning a quoted scalar": "close the quotes, and indent what follows the first line",
    "while scanning a double-quoted scalar": "double the backslashes, or use single quotes",
    "special characters are not allowed": "remove the character, or write its escape in quotes",
    "cannot start any token": "put the text in quotes",
}

_MAX_BYTES = 1 << 18  # a hundred times the longest config; PyYAML reads some 100 KB a second


def read_text(path: Path) -> str:
    """The text of a configuration file.

    Raises:
        UserError: it is missing, a folder, too large, unreadable or not UTF-8.
    """
    where, expected = str(path), "a YAML file"
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise UserError(where, expected, "a pipe or a device", "name a file")  # it may never end
    try:
        with path.open("rb") as file:
            data = file.read(_MAX_BYTES + 1)
    except FileNotFoundError:
        raise UserError(where, expected, "no such file", _similar_file(path)) from None
    except IsADirectoryError:
        fix = "name a file inside it"
        raise UserError(where, expected, "a folder", fix) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        fix = "check the path and its permissions"
        raise UserError(where, "a readable YAML file", reason.lower(), fix) from None
    if len(data) > _MAX_BYTES:
        fix = "name the file of a config"
        raise UserError(where, f"at most {_MAX_BYTES:,} bytes of YAML", "more", fix)
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        got = f"the byte 0x{data[error.start]:02x}"
        raise UserError(f"{where}:{line}", "UTF-8 text", got, "save the file as UTF-8") from None


def read_tree(text: str, name: str, faults: FaultList) -> Node | None:
    """The tree of a file's text; None if it holds nothing but comments.

    Args:
        text: what the file holds.
        name: how the file is called in messages.
        faults: where faults go that let the reading go on.

    Raises:
        UserError: it is not well-formed YAML.
    """

    def locate(node: yaml.Node) -> Place:
        line = node.start_mark.line + 1
        return Place(f"{name}:{line}", (0, line))

    return _read(text, name, locate, (), faults)


def read_value(text: str, place: Place, path: KeyPath, faults: FaultList) -> Node:
    """The tree of a value that was given on the command line; `read_tree` has the arguments.

    Raises:
        UserError: it is not well-formed YAML, or has a comment, which would be lost.
    """
    if comment := _find_comment(text):
        got = f"a comment of YAML ({shown(comment)})"
        raise UserError(place.source, "a value", got, "put the value in quotes: '\"…\"'")
    try:
        tree = _read(text, place.source, lambda _: place, path, faults)
    except UserError as fault:
        # Lines and columns do not help with a value of the command line.
        raise UserError(place.source, fault.expected, fault.got, fault.fix) from None
    return Node(None, place) if tree is None else tree


def _find_comment(text: str) -> str | None:
    """The first comment: what stands between two tokens and is no blank."""
    end = 0
    try:
        for token in yaml.scan(text):
            if between := text[end : token.start_mark.index].strip():
                return between
            end = token.end_mark.index
    except yaml.YAMLError:
        return None  # what is wrong is reported when it is parsed
    return None


def _read(
    text: str, name: str, locate: Callable[[yaml.Node], Place], path: KeyPath, faults: FaultList
) -> Node | None:
    # Composing recurses: so many levels are a mistake, not a configuration.
    try:
        composer = Composer(text)
        root = composer.get_single_node()
        if root is None:
            return None
        return TreeBuilder(composer.banned, locate, faults).build(root, path)
    except yaml.MarkedYAMLError as error:
        raise _ill_formed(error, name) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        got = f"the character U+{ord(text[error.position]):04X}"
        fix = _HINTS["special characters are not allowed"]
        raise UserError(f"{name}:{line}", "printable text", got, fix) from None
    except RecursionError:
        raise UserError(name, "a few levels of nesting", "hundreds", "flatten it") from None
    except (ValueError, OverflowError) as error:
        # PyYAML turns impossible escapes such as "\UFFFFFFFF" into numbers without a check.
        fix = "look for impossible escapes or directives"
        raise UserError(name, "well-formed YAML", shown(str(error)), fix) from None


def _ill_formed(error: yaml.MarkedYAMLError, name: str) -> UserError:
    mark = error.problem_mark or error.context_mark
    where = f"{name}:{mark.line + 1}:{mark.column + 1}" if mark else name
    problem = ", ".join(part for part in (error.problem, error.context) if part)
    fix = next((hint for sign, hint in _HINTS.items() if sign in problem), None)
    fix = fix or "check the indentation, brackets and quotes just before this place"
    return UserError(where, "well-formed YAML", shown(problem, 120), fix)


def _similar_file(path: Path) -> str:
    try:
        names = [found.name for found in path.parent.iterdir() if found.is_file()]
    except OSError:
        return f"there is no folder {path.parent}: check the path"
    close = difflib.get_close_matches(path.name, names, 1)
    return f"did you mean {path.with_name(close[0])}?" if close else "check the path"
