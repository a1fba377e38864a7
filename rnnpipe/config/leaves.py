"""All settings of a section, its sections' and their kinds' included."""

from collections.abc import Iterator
from dataclasses import MISSING, Field, dataclass, fields
from typing import Any, get_args, get_type_hints

from rnnpipe.settings import Settings


@dataclass(frozen=True, slots=True)
class Leaf:
    """A setting that is no section.

    Args:
        path: its keys, e.g. `("source", "path")`.
        owner: the class that has it.
        kinds: the `kind` of each family on the way.
        field: its declaration.
        hint: its type.
        default: its default at this place; `dataclasses.MISSING` if it is required.
    """

    path: tuple[str, ...]
    owner: type[Settings]
    kinds: tuple[str, ...]
    field: Field[Any]
    hint: Any
    default: Any

    @property
    def name(self) -> str:
        """The keys, joined by dots."""
        return ".".join(self.path)

    @property
    def help(self) -> str:
        """One line of help."""
        return str(self.field.metadata.get("description") or "")


def walk_leaves(settings: type[Settings], default: Any = MISSING) -> Iterator[Leaf]:
    """The leaves of a section, in the order of their declaration.

    A family is walked once for each of its kinds, and not again within itself.

    Args:
        settings: the section's class.
        default: the section itself, where it is a default: its values are those of the leaves.

    Example:
        >>> from rnnpipe.settings import setting
        >>> class Encoder(Settings):
        ...     units: int = setting(256, "units", ge=1)
        >>> class Model(Settings):
        ...     encoder: Encoder = Encoder(units=8)
        >>> [(leaf.name, leaf.help, leaf.default) for leaf in walk_leaves(Model)]
        [('encoder.units', 'units', 8)]
    """
    yield from _walk(settings, default, (), (), frozenset())


def _walk(
    settings: type[Settings],
    default: Any,
    path: tuple[str, ...],
    kinds: tuple[str, ...],
    families: frozenset[type[Settings]],
) -> Iterator[Leaf]:
    hints = get_type_hints(settings)
    for declared in fields(settings):
        here = (*path, declared.name)
        value = default_at(declared, default)
        section = find_section(hints[declared.name])
        if section is None:
            yield Leaf(here, settings, kinds, declared, hints[declared.name], value)
        elif (family := section.__dict__.get("kinds")) is None:
            yield from _walk(section, value, here, kinds, families)
        elif section not in families:
            for kind, member in family.load().items():
                start = value if type(value) is member else MISSING
                yield from _walk(member, start, here, (*kinds, kind), families | {section})


def find_families(settings: type[Settings]) -> list[tuple[tuple[str, ...], type[Settings]]]:
    """The families of a section and the keys that take their kinds, in order.

    Args:
        settings: the section's class.

    Example:
        >>> from rnnpipe.parts.recurrence import RecurrenceOptions
        >>> [(path, family.__name__) for path, family in find_families(RecurrenceOptions)]
        [(('cell',), 'CellOptions')]
    """
    found: dict[tuple[tuple[str, ...], type[Settings]], None] = {}
    for leaf in walk_leaves(settings):
        if leaf.path[-1] == "kind" and leaf.kinds:
            family = next(base for base in leaf.owner.__mro__ if base.__dict__.get("kinds"))
            found.setdefault((leaf.path[:-1], family))
    return list(found)


def find_section(hint: Any) -> type[Settings] | None:
    """The class of a section, or None for another type: `X` of `X | None`."""
    members = [member for member in get_args(hint) or (hint,) if member is not type(None)]
    section = members[0] if len(members) == 1 else None
    is_section = isinstance(section, type) and issubclass(section, Settings)
    return section if is_section else None


def default_at(declared: Field[Any], section: Any = MISSING) -> Any:
    """The default of a setting.

    Args:
        declared: the setting.
        section: the section that has it, where that is a default itself, with values of its own.

    Returns:
        The default; `dataclasses.MISSING` if the setting is required.
    """
    value = getattr(section, declared.name, MISSING)
    if value is MISSING and declared.default_factory is not MISSING:
        return declared.default_factory()
    return declared.default if value is MISSING else value
