import math
from pathlib import Path
from typing import Any, Literal

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel

from rnnpipe.config.dump import dump_config
from rnnpipe.config.nodes import FaultList
from rnnpipe.config.reader import read_tree


class Anything(BaseModel):
    task: Literal["any"] = "any"
    value: Any
    number: float = 0.0


def read_back(value):
    text = dump_config(Anything(value=value))
    faults = FaultList()
    tree = read_tree(text, "f", faults)
    assert not faults.found
    return tree.plain()["value"], yaml.safe_load(text)["value"]


scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=8
)


@given(values)
def test_dumped_yaml_is_read_alike_by_any_reader(value):
    ours, theirs = read_back(value)
    assert ours == value
    assert theirs == value


LOOKALIKES = "1e-3 1E5 .5e3 no 010 0o10 1_000 1:30 2020-12-31 << ~ - true null = *a &a !a { % é"


@pytest.mark.parametrize("text", [*LOOKALIKES.split(), "", "a: b", "# x", " x ", "x\n", "\u2028"])
def test_quoted_numbers_and_dates_are_strings(text):
    assert read_back(text) == (text, text)
    assert read_back({text: 1}) == ({text: 1}, {text: 1})


@pytest.mark.parametrize("number", [1e-05, 1e22, 1e-300, -0.0, math.inf, -math.inf])
def test_extreme_numbers_survive_the_round_trip(number):
    text = dump_config(Anything(value=1, number=number))
    assert read_tree(text, "f", FaultList()).plain()["number"] == number
    assert yaml.safe_load(text)["number"] == number


def test_nan_survives_the_round_trip():
    text = dump_config(Anything(value=1, number=math.nan))
    assert text.endswith("number: .nan\n")
    assert math.isnan(read_tree(text, "f", FaultList()).plain()["number"])


def test_a_whole_configuration_reads_back_in_the_order_of_its_schema(load):
    config = load(
        "task: run\ndata: {path: ./a b, title: 'no', names: {b: 1}}\n"
        "encoder: {kind: lstm, units: 8, inner: {kind: cnn, channels: [1]}}\n"
        "train: {rate: 1e-7, limit: [1, 2]}"
    )
    text = dump_config(config)
    assert load(text) == config
    assert text == (
        "task: run\n"
        "encoder:\n"
        "  kind: lstm\n"
        "  units: 8\n"
        "  inner:\n"
        "    kind: cnn\n"
        "    channels: [1]\n"
        "    kernel: [3, 3]\n"
        "data:\n"
        "  path: a b\n"
        "  sizes: [1]\n"
        "  colour: red\n"
        "  names:\n"
        "    b: 1\n"
        "  title: 'no'\n"
        "  image_size: 64\n"
        "train:\n"
        "  epochs: 20\n"
        "  batch_size: 64\n"
        "  rate: 1.0e-07\n"
        "  keep: 0.5\n"
        "  shuffle: true\n"
        "  limit: [1, 2]\n"
        "  both: null\n"
        "seed: null\n"
    )


def test_the_same_list_twice_makes_no_alias():
    shared = [1, 2]
    text = dump_config(Anything(value={"a": shared, "b": shared, "path": str(Path("x"))}))
    assert "&" not in text
    assert "*" not in text
