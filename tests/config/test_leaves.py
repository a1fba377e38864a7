"""What holds for the config of every task, key by key."""

from dataclasses import fields

import pytest

from rnnpipe.config.loader import load_settings
from rnnpipe.errors import UserError
from rnnpipe.parts.recurrence import RecurrenceOptions
from rnnpipe.settings import Settings
from rnnpipe.tasks import find_schemas
from tests.runs.test_checks import SOURCES

MAX_SEED = 2**32 - 1


def load(task, **sections):
    source = {"kind": SOURCES[task]}
    values = {"task": task, **sections}
    values["data"] = {"source": source, **values.get("data", {})}
    values["data"]["source"] = {**source, **values["data"]["source"]}
    return load_settings(find_schemas()[task], values)


def walk(settings, path=()):
    """Every value that is no section, and every section, by its keys."""
    if isinstance(settings, Settings):
        yield path, settings
        for declared in fields(settings):
            yield from walk(getattr(settings, declared.name), (*path, declared.name))
    else:
        yield path, settings


def nested(path, value):
    for key in reversed(path):
        value = {key: value}
    return value


@pytest.mark.parametrize("task", find_schemas())
def test_a_key_changes_no_other_default(task):
    default = load(task)
    leaves = {path: value for path, value in walk(default) if not isinstance(value, Settings)}
    written = set()
    for path, value in leaves.items():
        plain = isinstance(value, str | int | float) and path[-1] not in ("kind", "task")
        if plain and path[:-1] not in written and len(path) > 1:
            written.add(path[:-1])  # one key of each section
            assert load(task, **nested(path, value)) == default, path
    assert len(written) > 8


@pytest.mark.parametrize("task", find_schemas())
def test_a_seed_is_within_the_range_of_all_libraries(task):
    assert load(task, seed=MAX_SEED).seed == MAX_SEED
    for seed in (MAX_SEED + 1, 5_000_000_000, -1):
        with pytest.raises(UserError, match="seed"):
            load(task, seed=seed)


def test_the_seeds_of_all_members_are_ones_that_libraries_take():
    members = {"ensemble_size": 3}
    assert load("text_classification", seed=MAX_SEED - 2, train=members)
    with pytest.raises(UserError, match=r"seed: expected at most 4294967295 for the last member"):
        load("text_classification", seed=MAX_SEED - 1, train=members)


STACKS = [
    (task, path)
    for task in find_schemas()
    for path, value in walk(load(task))
    if isinstance(value, RecurrenceOptions)
]


@pytest.mark.parametrize(("task", "path"), STACKS)
@pytest.mark.parametrize(("name", "value"), [("dropout", 0.5), ("connection", "residual")])
def test_options_between_layers_need_two_layers(task, path, name, value):
    where = rf"{'.'.join(path)}\.{name}: expected \w+ with one layer"
    with pytest.raises(UserError, match=where):
        load(task, **nested(path, {"depth": 1, name: value}))
    load(task, **nested(path, {"depth": 2, name: value}))
