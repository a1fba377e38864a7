"""`--set a.b=c`: values given on the command line, written into the tree of the file."""

from collections.abc import Sequence

from rnnpipe.config.nodes import MAX_DEPTH, FaultList, Node, Path, Place, dotted, shown
from rnnpipe.config.reader import read_value
from rnnpipe.errors import UserError


def apply_overrides(
    root: Node, overrides: Sequence[str], faults: FaultList, *, flags: bool = False
) -> None:
    """Writes each override into the tree, in order; what cannot be written becomes a fault.

    Args:
        root: the tree of the file, a mapping.
        overrides: `a.b=c`: keys and list indices joined by dots, and a value in YAML.
        faults: where the faults go.
        flags: whether each is a flag of its own, `--a.b=c`, for messages.
    """
    option, prefix = ("--", "--") if flags else ("--set ", "")
    for number, override in enumerate(overrides):
        key, equals, text = override.partition("=")
        path: Path = tuple(part.strip() for part in key.split("."))
        place = Place(f"{option}{shown(override)}", (1, number), path, prefix)
        if not equals or not all(path) or len(path) > MAX_DEPTH:
            got = "no equals sign" if not equals else shown(key) or "no key"
            faults.add(place, (), "key.path=value", got, f"write e.g. {option}train.epochs=2")
            continue
        try:
            value = read_value(text, place, path, faults)
            _set(root, path, value)
        except UserError as fault:
            faults.found.append((place.order, fault))


def _set(root: Node, path: Path, value: Node) -> None:
    node = root
    for depth, part in enumerate(path):
        last = depth == len(path) - 1
        if node.value is None:
            # A key that the file leaves empty, or that an earlier fault emptied.
            node.value = {}
        if isinstance(node.value, dict):
            key = str(part)
            if last:
                node.value[key] = value
            node = node.value.setdefault(key, Node({}, value.place))
        elif isinstance(node.value, list):
            index = _index(str(part), len(node.value), path[:depth], value.place)
            if last:
                node.value[index] = value
            node = node.value[index]
        else:
            above = dotted(path[:depth])
            fix = f"set {above} itself, or correct the key"
            got = shown(node.written)
            raise UserError(value.place.source, f"a mapping or list at {above}", got, fix)


def _index(part: str, length: int, above: Path, place: Place) -> int:
    if part.isascii() and part.isdigit() and len(part) < 10 and int(part) < length:
        return int(part)
    known = f"an index from 0 to {length - 1}" if length else "a longer list"
    fix = f"set the whole list: --set '{dotted(above)}=[…]'"
    raise UserError(place.source, f"{known} in {dotted(above)}", shown(part), fix)
