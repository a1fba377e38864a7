"""Default sections: a key that is written never changes the defaults of the keys beside it."""

from dataclasses import MISSING, fields
from typing import Any, get_args, get_type_hints

from pydantic_core import to_jsonable_python

from rnnpipe.config.leaves import default_at, find_section
from rnnpipe.settings import Settings


def fill_defaults(value: Any, settings: type, default: Any = MISSING) -> Any:
    """A value whose sections have all the keys of the sections that are their defaults.

    A setting's default may be a section with values of its own, e.g. an attention of 64 units where
    its class has 256. Whoever writes one key of such a section keeps the others; whoever writes
    another `kind` gets that kind's own defaults.

    Args:
        value: what was written, as JSON has it.
        settings: the class of the section that it becomes; values of others stay as they are.
        default: the section that it has where nothing is written; `dataclasses.MISSING`: none.
    """
    if not isinstance(value, dict) or not issubclass(settings, Settings):
        return value
    if family := settings.__dict__.get("kinds"):
        kind = value.get("kind", getattr(default, "kind", None))
        members = family.load([kind]) if isinstance(kind, str) else {}
        if kind not in members:
            return value
        settings = members[kind]
    if type(default) is not settings:
        default = MISSING
    filled = {} if default is MISSING else dict(to_jsonable_python(default))
    hints = get_type_hints(settings)
    declared = {field.name: field for field in fields(settings)}
    for key, item in value.items():
        known = declared.get(key)
        section = MISSING if known is None else default_at(known, default)
        filled[key] = item if known is None else _fill_item(item, hints[key], section)
    return filled


def _fill_item(value: Any, hint: Any, default: Any) -> Any:
    """The value of a key: a section, a sequence of sections, or any other."""
    if section := find_section(hint):
        return fill_defaults(value, section, default)
    sections = [section for section in map(find_section, get_args(hint)) if section]
    if isinstance(value, list) and sections:
        return [fill_defaults(item, sections[0]) for item in value]
    return value
