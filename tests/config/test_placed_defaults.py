"""Every setting has one default: in classes, JSON schema, messages and in what a file becomes."""

import json
from dataclasses import MISSING
from typing import Literal

import pytest
from pydantic_core import to_jsonable_python

from rnnpipe.config.defaults import fill_defaults
from rnnpipe.config.describe import expected
from rnnpipe.config.json_schema import Schema
from rnnpipe.config.leaves import walk_leaves
from rnnpipe.config.loader import json_schema, load_settings
from rnnpipe.config.nodes import Place, make_tree
from rnnpipe.config.suggest import hint
from rnnpipe.errors import UserError
from rnnpipe.settings import Kinds, Settings, setting
from rnnpipe.tasks import find_schemas

SCHEMAS = find_schemas()


class Cell(Settings):
    kinds = Kinds("rnnpipe.test_cells", {"gru": f"{__name__}:Gru", "lstm": f"{__name__}:Lstm"})


class Gru(Cell):
    kind: Literal["gru"] = "gru"
    units: int = setting(256, "units", ge=1)


class Lstm(Cell):
    kind: Literal["lstm"] = "lstm"
    units: int = setting(256, "units", ge=1)
    file: str = setting(help="which has no default")


class Layers(Settings):
    cell: Cell = Lstm(file="a")
    depth: int = setting(1, "layers", ge=1)


class Run(Settings):
    encoder: Layers = Layers(cell=Gru(units=64), depth=2)
    decoder: Layers | None = Layers()
    other: Layers | None = None


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"encoder": {"depth": 0}}, "encoder.depth: expected a positive integer, got 0; the d.* 2"),
        ({"decoder": {"depth": 0}}, "the default is 1"),
        ({"other": {"depth": 0}}, "the default is 1"),
        ({"encoder": {"cell": {"units": 0}}}, "the default is 64"),
        ({"encoder": {"cell": {"kind": "gru", "units": 0}}}, "the default is 64"),
        ({"encoder": {"cell": {"kind": "lstm", "file": "a", "units": 0}}}, "the default is 256"),
        ({"encoder": {"cell": {"kind": "lstm", "file": 3}}}, 'put it in quotes: "3"'),
        ({"decoder": {"cell": {"units": 0}}}, "the default is 256"),
        ({"decoder": {"cell": {"file": []}}}, 'got an empty list; the default is "a"'),
        ({"encoder": {"cell": {"kind": "lstm"}}}, "encoder.cell.file: expected text, got nothing"),
    ],
)
def test_messages_name_the_default_of_the_place(values, message):
    with pytest.raises(UserError, match=message):
        load_settings(Run, values)


def test_only_kinds_that_are_no_default_have_to_be_written():
    schema = Schema(Run)
    shape = schema.under(schema.root, "encoder")
    gru, lstm = schema.variants(schema.under(shape, "cell")).values()
    assert "required" not in gru
    assert lstm["required"] == ["file", "kind"]
    shape = schema.under(schema.root, "decoder")
    gru, lstm = schema.variants(schema.under(shape, "cell")).values()
    assert gru["required"] == ["kind"]
    assert "required" not in lstm
    assert lstm["properties"]["file"]["default"] == "a"


def find_shape(schema, leaf):
    """The schema of a leaf, by its keys and the kinds on the way."""
    shape, kinds = schema.root, iter(leaf.kinds)
    for key in leaf.path:
        if variants := schema.variants(shape):
            shape = variants[next(kinds)]
        shape = schema.under(shape, key)
    return schema.resolve(shape)


def find_filled(leaf, families, settings):
    """What a file has for the leaf when it names no more than the kinds on the way to it."""
    kinds = iter(leaf.kinds)
    written = {}
    inner = written
    for depth, key in enumerate(leaf.path[:-1], start=1):
        inner[key] = {"kind": next(kinds)} if leaf.path[:depth] in families else {}
        inner = inner[key]
    value = fill_defaults(written, settings)
    for key in leaf.path[:-1]:
        value = value[key]
    return value.get(leaf.path[-1], MISSING)


@pytest.mark.parametrize("task", SCHEMAS)
def test_every_setting_of_every_task_has_one_default(task):
    schema = Schema(SCHEMAS[task])
    nothing = make_tree([[]], Place("config.yaml:1", (0, 1)))
    seen = 0
    for leaf in walk_leaves(SCHEMAS[task]):
        shape = find_shape(schema, leaf)
        default = leaf.default if leaf.default is MISSING else to_jsonable_python(leaf.default)
        assert shape.get("default", MISSING) == default, leaf
        assert expected(schema, shape), leaf
        if shape.get("type") in ("integer", "number") and default is not MISSING:
            seen += 1
            assert hint(schema, shape, nothing) == f"the default is {json.dumps(default)}", leaf
    assert seen > 50


@pytest.mark.parametrize("task", SCHEMAS)
def test_a_file_becomes_the_defaults_that_the_schema_has(task):
    leaves = list(walk_leaves(SCHEMAS[task]))
    families = {leaf.path[:-1] for leaf in leaves if leaf.path[-1] == "kind"}
    differing = 0
    for leaf in leaves:
        filled = find_filled(leaf, families, SCHEMAS[task])
        if filled is not MISSING:
            assert filled == to_jsonable_python(leaf.default), leaf
            differing += filled != leaf.field.default
    assert differing


def test_the_document_of_all_tasks_has_the_defaults_of_each_place():
    document = json_schema({"run": Run})
    definitions = document["$defs"]

    def resolve(shape):
        return definitions[shape["$ref"].rsplit("/", 1)[1]]

    run = resolve(document["allOf"][0]["then"])
    encoder = resolve(run["properties"]["encoder"])
    assert encoder["properties"]["depth"]["default"] == 2
    gru, lstm = map(resolve, encoder["properties"]["cell"]["oneOf"])
    assert (gru["properties"]["units"]["default"], lstm["properties"]["units"]["default"]) == (
        64,
        256,
    )
