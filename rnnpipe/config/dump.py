"""A configuration as YAML that the loader reads back to an equal one."""

from typing import Any

import yaml
from pydantic_core import to_jsonable_python

from rnnpipe.config.scalars import read_scalar

_TEXT = "tag:yaml.org,2002:str"


def dump_config(config: Any) -> str:
    """The configuration with all its defaults, in the order of its schema.

    Text that any reader of YAML could take for something else is quoted, so that not only
    `load_config` reads the same values.

    Args:
        config: the settings.

    Example:
        >>> from rnnpipe.settings import Settings
        >>> class Training(Settings):
        ...     learning_rate: float = 1e-3
        ...     answer: str = "no"
        ...     channels: tuple[int, ...] = (32, 64)
        >>> print(dump_config(Training()), end="")
        learning_rate: 0.001
        answer: 'no'
        channels: [32, 64]
    """
    values = dump_settings(config)
    return yaml.dump(
        values, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=float("inf")
    )


def dump_settings(settings: Any) -> dict[str, Any]:
    """All values of settings as nested mappings and lists, as YAML has them."""
    values: dict[str, Any] = to_jsonable_python(settings)
    return values


class _Dumper(yaml.SafeDumper):
    def ignore_aliases(self, data: Any) -> bool:
        return True

    def resolve(self, kind: type[yaml.Node], value: Any, implicit: tuple[bool, bool]) -> Any:
        # The emitter quotes text for which this does not answer "text".
        tag = super().resolve(kind, value, implicit)  # type: ignore[no-untyped-call]  # PyYAML
        if kind is yaml.ScalarNode and tag == _TEXT and implicit[0]:
            return _TEXT if read_scalar(value) == value else ""
        return tag

    def represent_str(self, data: str) -> yaml.ScalarNode:
        # Only double quotes keep line breaks of every kind.
        return self.represent_scalar(_TEXT, data, style=None if data.isprintable() else '"')

    def represent_section(self, data: Any) -> yaml.MappingNode:
        # Which kind it is says what the other keys mean.
        kind = {"kind": data["kind"]} if "kind" in data else {}
        return self.represent_dict({**kind, **data})

    def represent_list(self, data: Any) -> yaml.SequenceNode:
        flat = not any(isinstance(item, dict | list) for item in data)
        return self.represent_sequence("tag:yaml.org,2002:seq", data, flow_style=flat)


_Dumper.add_representer(str, _Dumper.represent_str)
_Dumper.add_representer(list, _Dumper.represent_list)
_Dumper.add_representer(dict, _Dumper.represent_section)
