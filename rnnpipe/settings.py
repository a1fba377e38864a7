"""Settings: each declared once, with name, type, bounds, default and help, beside what uses it.

From the one declaration come the argument of the Python class, the key of the YAML file with its
check, its line in the JSON schema, and the flag of the Beam job.
"""

import json
import math
from collections.abc import Callable, Container, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import MISSING, Field, dataclass, field, fields
from importlib import import_module
from pathlib import Path
from typing import Annotated, Any, ClassVar, TypeVar, dataclass_transform, get_args

from rnnpipe.errors import UserError
from rnnpipe.plugins import find_plugins, load_plugin
from rnnpipe.storage.paths import as_path, find_impossible, has_scheme

T = TypeVar("T")
S = TypeVar("S", bound="Settings")

_BOUNDS: dict[str, tuple[str, Callable[[Any, Any], bool]]] = {
    "ge": ("of at least", lambda value, bound: value >= bound),
    "gt": ("above", lambda value, bound: value > bound),
    "le": ("of at most", lambda value, bound: value <= bound),
    "lt": ("below", lambda value, bound: value < bound),
    "multiple_of": ("that is a multiple of", lambda value, bound: value % bound == 0),
    "min_length": ("with a length of at least", lambda value, bound: len(value) >= bound),
    "max_length": ("with a length of at most", lambda value, bound: len(value) <= bound),
}

_MAX_INTEGER = 2**31 - 1  # of settings without a bound of their own


def setting(default: Any = MISSING, help: str = "", **bounds: float) -> Any:  # noqa: A002  # as argparse has it
    """A setting of a `Settings` class.

    Args:
        default: its default; without one it must be given.
        help: one line, for the JSON schema and the command line.
        **bounds: `ge`, `gt`, `le`, `lt` and `multiple_of` of a number, `min_length` and
            `max_length` of a text or sequence; `None` is within all bounds.

    Example:
        >>> class Dropout(Settings):
        ...     rate: float = setting(0.1, "share of the features dropped in training", ge=0, lt=1)
        >>> Dropout(rate=2.0)
        Traceback (most recent call last):
            ...
        rnnpipe.errors.UserError: Dropout.rate: expected a value below 1, got 2.0; write e.g. 0.1
    """
    # pydantic reads these names from the metadata of a dataclass' field.
    metadata = {"description": help or None, **bounds}
    if isinstance(default, dict | list):
        return field(default_factory=default.copy, metadata=metadata)
    return field(default=default, metadata=metadata)


def fraction(default: float = 0.0, help: str = "") -> Any:  # noqa: A002  # as above
    """A setting from 0, included, to 1, excluded: a share that is dropped, held out or mixed in."""
    return setting(default, help, ge=0, lt=1)


@dataclass(frozen=True)
class Kinds:
    """The kinds that a family of settings has: ours, and those of other packages.

    Another package adds one by an entry point of the group, which leads to its class.

    Args:
        group: the group of entry points.
        ours: `module:Class` of each of our own, by its `kind`; imported when it is needed.
    """

    group: str
    ours: Mapping[str, str]

    def load(self, only: Container[str] | None = None) -> dict[str, type["Settings"]]:
        """The class of each kind.

        Args:
            only: the kinds to import, those of them that the family has; None: all.

        Raises:
            UserError: two packages claim one kind, or what an entry point names is no such class.
        """
        kinds = {
            kind: _import(target)
            for kind, target in self.ours.items()
            if only is None or kind in only
        }
        for kind, entry in find_plugins(self.group, self.ours).items():
            if only is not None and kind not in only:
                continue
            loaded = load_plugin(entry)
            if not (isinstance(loaded, type) and issubclass(loaded, Settings)):
                where, fix = f"entry point {kind} of {self.group}", "correct the entry point"
                raise UserError(where, "a subclass of rnnpipe.settings.Settings", repr(loaded), fix)
            kinds[kind] = loaded
        return kinds


_read_kinds: ContextVar[Container[str] | None] = ContextVar("read kinds", default=None)


@contextmanager
def reading_kinds(kinds: Container[str] | None) -> Iterator[None]:
    """Schemas that pydantic makes in this context read these kinds of each family; None: all.

    To import and describe all kinds takes many times as long as those that a config names.
    """
    token = _read_kinds.set(kinds)
    try:
        yield
    finally:
        _read_kinds.reset(token)


def _import(target: str) -> Any:
    module, name = target.split(":")
    return getattr(import_module(module), name)


# No field specifiers: type checkers would take defaults by the keyword `default` alone.
@dataclass_transform(frozen_default=True, kw_only_default=True)
class Settings:
    """A group of settings: a frozen dataclass with keyword arguments.

    A subclass is made a dataclass of itself. One that has `kinds` is a family: wherever a setting
    is annotated with it, YAML picks one of its kinds by the key `kind`.

    Raises:
        UserError: a setting is out of its bounds, or `check` refuses the settings.

    Example:
        >>> class Encoder(Settings):
        ...     units: int = setting(256, "units of each direction", ge=1)
        ...     depth: int = setting(1, "layers", ge=1)
        >>> Encoder(units=8)
        Encoder(units=8, depth=1)
    """

    # What pydantic does with the class; a plain dict, so that nothing here imports pydantic.
    __pydantic_config__: ClassVar[dict[str, Any]] = {
        "extra": "forbid",
        "strict": True,
        "allow_inf_nan": False,
    }
    kinds: ClassVar[Kinds | None] = None
    # Of the subclasses; without it type checkers take none of them for a dataclass.
    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        dataclass(frozen=True, kw_only=True)(cls)

    def __post_init__(self) -> None:
        for declared in fields(self):
            value = getattr(self, declared.name)
            _check_bounds(type(self).__name__, declared, value)
            if not declared.metadata.keys() & {"le", "lt"}:
                _check_size(declared.name, value)
        self.check()

    def check(self) -> None:
        """Checks what must hold between settings; subclasses override it.

        Raises:
            UserError: it does not hold; its `where` is the key at fault, from here on.
        """

    def require_default(self, name: str, reason: str, *others: "Settings") -> None:
        """Refuses a value of a setting that has no effect, as it would be ignored.

        Args:
            name: the setting.
            reason: why it has none, e.g. `with one layer`.
            *others: sections whose value of it is as good as the default.

        Raises:
            UserError: the setting has another value than its default; `where` is its name.
        """
        default, value = getattr(type(self), name), getattr(self, name)
        if value != default and not any(value == getattr(other, name) for other in others):
            expected = f"{value_text(default)} {reason}, where it has no effect"
            raise UserError(name, expected, value_text(value), "leave it out")

    def require_unique(self, *names: str) -> None:
        """Refuses lists that have an item twice.

        Raises:
            UserError: one has; `where` is its name.
        """
        for name in names:
            items = list(getattr(self, name))
            if twice := [item for item in items if items.count(item) > 1]:
                expected, got = "each item once", f"{value_text(twice[0])} {len(twice)} times"
                raise UserError(name, expected, got, "remove what is repeated")

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        family = cls.__dict__.get("kinds")
        if family is None:
            return handler(source)
        from pydantic_core import core_schema  # noqa: PLC0415  # only the YAML engine needs it

        kinds = family.load(_read_kinds.get())
        members = {kind: handler.generate_schema(member) for kind, member in kinds.items()}
        if not members:
            return core_schema.is_instance_schema(cls)  # which no text becomes
        return core_schema.tagged_union_schema(members, discriminator="kind")

    @classmethod
    def __get_pydantic_json_schema__(cls, core_schema: Any, handler: Any) -> Any:
        described = handler(core_schema)
        if "kinds" not in cls.__dict__:
            properties = handler.resolve_ref_schema(described)["properties"]
            for declared in fields(cls):
                # pydantic describes no default that is made anew for each section.
                if declared.default_factory is not MISSING:
                    properties[declared.name]["default"] = declared.default_factory()
        return described


def _check_bounds(owner: str, declared: Field[Any], value: Any) -> None:
    if isinstance(value, float) and not math.isfinite(value):
        raise UserError(f"{owner}.{declared.name}", "a finite number", repr(value), "correct it")
    for bound, limit in declared.metadata.items():
        if bound not in _BOUNDS or value is None:
            continue
        words, holds = _BOUNDS[bound]
        if not holds(value, limit):
            where, default = f"{owner}.{declared.name}", declared.default
            fix = "correct it" if default is MISSING else f"write e.g. {default!r}"
            raise UserError(where, f"a value {words} {value_text(limit)}", repr(value), fix)


def _check_size(name: str, value: Any) -> None:
    """Refuses integers that no library takes, which would fail in the midst of the work."""
    for item in value if isinstance(value, tuple | list) else (value,):
        if isinstance(item, int) and abs(item) > _MAX_INTEGER:
            got = str(item) if item.bit_length() <= 64 else f"one of {item.bit_length()} bits"
            expected = f"an integer of at most {_MAX_INTEGER} in size"
            raise UserError(name, expected, got, "write a smaller one")


def value_text(value: Any) -> str:
    """A value as YAML spells it; a whole number with all its digits.

    Example:
        >>> value_text(2**32 - 1), value_text(5.0), value_text(1e-7), value_text(None)
        ('4294967295', '5', '1e-07', 'null')
    """
    if isinstance(value, Settings):
        return "settings"
    if isinstance(value, int | float) and not isinstance(value, bool):
        return f"{value:g}" if isinstance(value, float) else str(value)
    return json.dumps(value) if value is None or isinstance(value, bool) else str(value)


class _PathSchema:
    """How YAML gives a path: `~` is the home folder, and an object store has a scheme."""

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        from pydantic_core import core_schema  # noqa: PLC0415  # only the YAML engine needs it

        return core_schema.no_info_wrap_validator_function(_read_path, handler(Path))


def _read_path(path: Any, read: Any) -> Path:
    if isinstance(path, str):
        if what := find_impossible(path):
            raise UserError("", "a path", f"{path:.40} with {what}", "correct it")
        if has_scheme(path):
            return as_path(path)
    return expand_user(Path(read(path)))


def expand_user(path: Path) -> Path:
    """The path with `~` replaced by the home folder.

    Raises:
        UserError: it is the home folder of an unknown user.
    """
    try:
        return path.expanduser()
    except RuntimeError:
        raise UserError("", "a path", f'"{path}", of an unknown user', "write it out") from None


class _AtLeast:
    """A bound of the items of a sequence."""

    def __init__(self, least: int) -> None:
        self.least = least

    def __get_pydantic_core_schema__(self, source: Any, handler: Any) -> Any:
        schema = handler(source)
        schema["ge"] = self.least
        return schema


Positive = Annotated[int, _AtLeast(1)]
"""A whole number of at least 1, as the item of a sequence."""

FilePath = Annotated[Path, _PathSchema()]
"""A file or folder; relative to where the command runs, `~` is the home folder.

Where raw data is read and records are written it may be one of an object store, `s3://…`.
"""


class _Inner:
    """Marks paths that are relative to another one."""


InnerPath = Annotated[Path, _PathSchema(), _Inner()]
"""A file or folder of raw data, relative to the `path` of its source; or an absolute one."""


def is_inner(annotation: Any) -> bool:
    """Whether paths of a setting are relative to another one.

    Args:
        annotation: of the setting, resolved.

    Example:
        >>> is_inner(dict[str, InnerPath] | None), is_inner(FilePath)
        (True, False)
    """
    if isinstance(annotation, _Inner):
        return True
    parts = (*get_args(annotation), *getattr(annotation, "__metadata__", ()))
    return any(map(is_inner, parts))
