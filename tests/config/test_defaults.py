from typing import Literal

import pytest

from rnnpipe.config.defaults import fill_defaults
from rnnpipe.settings import Kinds, Settings


class Cell(Settings):
    kinds = Kinds("rnnpipe.test_cells", {"gru": f"{__name__}:Gru", "lstm": f"{__name__}:Lstm"})


class Gru(Cell):
    kind: Literal["gru"] = "gru"
    units: int = 256
    reset: bool = True


class Lstm(Cell):
    kind: Literal["lstm"] = "lstm"
    units: int = 256
    bias: float = 1.0


class Layers(Settings):
    cell: Cell = Lstm()
    depth: int = 1


class Model(Settings):
    encoder: Layers = Layers(cell=Gru(units=64), depth=2)
    decoder: Layers | None = Layers(cell=Gru(units=8))
    files: dict[str, int] | None = None
    stack: tuple[Layers, ...] = ()


def fill(value):
    return fill_defaults(value, Model)


def test_a_key_keeps_the_defaults_of_the_keys_beside_it():
    filled = fill({"encoder": {"cell": {"reset": False}}})
    assert filled == {"encoder": {"cell": {"kind": "gru", "units": 64, "reset": False}, "depth": 2}}


def test_another_kind_has_its_own_defaults():
    filled = fill({"encoder": {"cell": {"kind": "lstm", "bias": 2.0}}})
    assert filled == {"encoder": {"cell": {"kind": "lstm", "bias": 2.0}, "depth": 2}}


def test_the_default_kind_may_be_explicit():
    filled = fill({"decoder": {"cell": {"kind": "gru"}}})
    assert filled["decoder"] == {"cell": {"kind": "gru", "units": 8, "reset": True}, "depth": 1}


def test_sections_in_lists_have_the_defaults_of_their_class():
    filled = fill({"stack": [{"depth": 3}, {"cell": {"bias": 0.0}}]})
    assert filled["stack"] == [
        {"depth": 3},
        {"cell": {"kind": "lstm", "units": 256, "bias": 0.0}},
    ]


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"encoder": None, "decoder": None, "files": {"train": 1}},
        {"encoder": 3, "unknown": {"cell": {"units": 2}}},
        {"encoder": [], "files": []},
    ],
)
def test_values_that_are_no_section_are_unchanged(value):
    assert fill(value) == value
