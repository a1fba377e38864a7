"""Configuration files: one YAML is one run, and all its faults are reported at once."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import fields
from pathlib import Path
from typing import Any, Literal, TypeVar

from pydantic import TypeAdapter, ValidationError

from rnnpipe.config.defaults import fill_defaults
from rnnpipe.config.describe import either
from rnnpipe.config.dump import dump_settings
from rnnpipe.config.explain import translate
from rnnpipe.config.json_schema import Schema, adapter_of
from rnnpipe.config.nodes import FaultList, Node, Place, make_tree
from rnnpipe.config.overrides import Overrides, apply_overrides
from rnnpipe.config.placed_defaults import place_defaults
from rnnpipe.config.reader import read_text, read_tree
from rnnpipe.config.suggest import choice, got
from rnnpipe.errors import Faults, UserError

T = TypeVar("T")


def load_config(path: Path, schemas: Mapping[str, type[T]], overrides: Overrides = ()) -> T:
    """Reads a configuration file and checks it.

    Numbers are decimal (`1e-3`, `.5`), only `true` and `false` are booleans, and all other plain
    words are text; anchors, tags, merge keys and second documents are refused. Values are checked
    strictly: `"5"` is no number and `1` is no boolean.

    A model is given its values as JSON has them, so that a path is text and a tuple a list, and
    its validators that run before pydantic's own return such values too. A validator that raises
    a `UserError` is reported as it is; its `where` may name keys below the validator's place.

    Args:
        path: the YAML file.
        schemas: the settings of each task; the key `task` of the file picks one. Every
            class declares that key, as a literal.
        overrides: `a.b=c`, written over the file's values in order, with the same rules, or
            Python values by key, `{"a.b": c}`. Keys that the file lacks are made; items of lists
            are named by their index (`a.0.b=c`).

    Returns:
        The checked configuration.

    Raises:
        UserError: the file cannot be read as YAML, or, as `Faults`, everything that is wrong
            with its mistakes, in the order of its lines: `file:line: key.path: expected …, got
            …; what to do`.

    Example:
        >>> import tempfile
        >>> from typing import Literal
        >>> from rnnpipe.settings import Settings
        >>> class Greeting(Settings):
        ...     task: Literal["greet"]
        ...     times: int
        >>> file = Path(tempfile.mkdtemp()) / "greet.yaml"
        >>> _ = file.write_text("{task: greet, times: 2}")
        >>> load_config(file, {"greet": Greeting}, ["times=3"])
        Greeting(task='greet', times=3)
    """
    faults = FaultList()
    root = _read_root(path, f"task: {next(iter(schemas))}", faults)
    apply_overrides(root, overrides, faults)
    config = _check(root, schemas, faults)
    if config is None or faults.found:
        raise Faults(faults.in_order())
    return config


def load_file(model: type[T], path: Path) -> T:
    """Reads settings that are no config from a YAML file, with the rules and messages of configs.

    Args:
        model: the settings.
        path: the file.

    Raises:
        UserError: as `load_config`.

    Example:
        >>> import tempfile
        >>> from rnnpipe.settings import Settings
        >>> class Greeting(Settings):
        ...     times: int
        >>> file = Path(tempfile.mkdtemp()) / "greeting.yaml"
        >>> _ = file.write_text("{times: 2}")
        >>> load_file(Greeting, file)
        Greeting(times=2)
    """
    faults = FaultList()
    first: str = next(iter(fields(model))).name  # type: ignore[arg-type]  # they are dataclasses
    root = _read_root(path, f"{first}:", faults)
    settings = _validate(root, model, faults)
    if settings is None or faults.found:
        raise Faults(faults.in_order())
    return settings


def load_flags(model: type[T], flags: Sequence[str]) -> T:
    """Reads settings from flags of a command line, with the rules and messages of a file.

    Args:
        model: the settings.
        flags: `a.b=c`, as `load_config` takes them as overrides.

    Raises:
        UserError: as `Faults`, everything that is wrong with them.

    Example:
        >>> from rnnpipe.settings import Settings
        >>> class Greeting(Settings):
        ...     times: int
        >>> load_flags(Greeting, ["times=3"])
        Greeting(times=3)
    """
    faults = FaultList()
    root = Node({}, Place("command line", (0, 0), prefix="--"))
    apply_overrides(root, flags, faults, flags=True)
    settings = _validate(root, model, faults)
    if settings is None or faults.found:
        raise Faults(faults.in_order())
    return settings


def load_settings(model: type[T], values: Mapping[str, Any]) -> T:
    """Reads settings from nested mappings, with the rules and messages of a file.

    Args:
        model: the settings.
        values: by key, as YAML has them; a path may be a `Path`, a list a tuple.

    Raises:
        UserError: as `Faults`, everything that is wrong with them: `settings: key.path: …`.

    Example:
        >>> from rnnpipe.settings import Settings
        >>> class Greeting(Settings):
        ...     times: int
        >>> load_settings(Greeting, {"times": 3})
        Greeting(times=3)
    """
    faults = FaultList()
    settings = _validate(make_tree(values, Place("settings", (0, 0))), model, faults)
    if settings is None or faults.found:
        raise Faults(faults.in_order())
    return settings


def change_settings(settings: T, overrides: Overrides) -> T:
    """The settings with others written over them, with the rules and messages of a file.

    Args:
        settings: any settings, e.g. the config of a run.
        overrides: as `load_config` takes them.

    Raises:
        UserError: as `Faults`, everything that is wrong with them.

    Example:
        >>> from rnnpipe.settings import Settings
        >>> class Greeting(Settings):
        ...     times: int
        >>> change_settings(Greeting(times=3), {"times": 4})
        Greeting(times=4)
    """
    faults = FaultList()
    root = make_tree(dump_settings(settings), Place("settings", (0, 0)))
    apply_overrides(root, overrides, faults)
    changed = _validate(root, type(settings), faults)
    if changed is None or faults.found:
        raise Faults(faults.in_order())
    return changed


def json_schema(schemas: Mapping[str, type]) -> dict[str, Any]:
    """The JSON schema of all tasks as one document, for editors that check while one types.

    Args:
        schemas: the settings of each task; in the document, the key `task` picks one.
    """
    models: list[tuple[str, Literal["validation"], TypeAdapter[Any]]] = [
        (task, "validation", adapter_of(model)) for task, model in schemas.items()
    ]
    references, document = TypeAdapter.json_schemas(models)
    document = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "A run of rnnpipe",
        "type": "object",
        "required": ["task"],
        "properties": {"task": {"enum": list(schemas)}},
        "allOf": [
            {
                "if": {"properties": {"task": {"const": task}}, "required": ["task"]},
                "then": references[(task, "validation")],
            }
            for task in schemas
        ],
        **document,
    }
    return place_defaults(document)


def _read_root(path: Path, beginning: str, faults: FaultList) -> Node:
    """The tree of a file, a mapping; `beginning` is what such a file may begin with."""
    root = read_tree(read_text(path), str(path), faults)
    expected = "a mapping of keys to values"
    if root is None:
        raise UserError(str(path), expected, "an empty file", f"begin it with {beginning}")
    if not isinstance(root.value, dict):
        if root.sound:
            fix = f"write `key: value` lines, beginning with {beginning}"
            faults.add(root.place, (), expected, got(root), fix)
        raise Faults(faults.in_order())
    return root


def _check(root: Node, schemas: Mapping[str, type[T]], faults: FaultList) -> T | None:
    task = root.child("task")
    model = schemas.get(task.value) if task and isinstance(task.value, str) else None
    if model is None:
        _tell_task(root, task, list(schemas), faults)
        return None
    return _validate(root, model, faults)


def _validate(root: Node, model: type[T], faults: FaultList) -> T | None:
    values = fill_defaults(root.plain(), model)
    # As JSON, since pydantic's strict mode then takes lists for tuples and text for paths.
    text = json.dumps(values)
    try:
        try:
            kinds = frozenset(_find_kinds(values))
            checked: T = adapter_of(model, kinds).validate_json(text, strict=True)
        except ValidationError:
            # What is wrong is explained by all that would be right, which takes longer to describe.
            checked = adapter_of(model).validate_json(text, strict=True)
    except ValidationError as error:
        translate(error, Schema(model), root, faults)
        return None
    return checked


def _find_kinds(values: Any) -> Iterator[str]:
    """The kinds that values name, at whatever place."""
    if isinstance(values, dict):
        if isinstance(kind := values.get("kind"), str):
            yield kind
        values = list(values.values())
    if isinstance(values, list):
        for item in values:
            yield from _find_kinds(item)


def _tell_task(root: Node, task: Node | None, tasks: list[str], faults: FaultList) -> None:
    if task is None:
        fix = f"add task: {tasks[0]}"
        faults.add(root.place, ("task",), either(tasks), "nothing", fix)
    elif task.sound:
        faults.add(task.place, ("task",), either(tasks), got(task), choice(task.written, tasks))
