from datetime import date
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, DirectoryPath, Field, create_model

from rnnpipe.config.describe import closest, either, expected, listed
from rnnpipe.config.json_schema import Schema


class Empty(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Pair(Empty):
    left: int
    right: "Pair | None" = None


Positive = Annotated[int, Field(ge=1)]


@pytest.mark.parametrize(
    ("kind", "words"),
    [
        (int, "an integer"),
        (Positive, "a positive integer"),
        (Annotated[float, Field(gt=0)], "a positive number"),
        (Annotated[int, Field(ge=0)], "an integer of at least 0"),
        (Annotated[int, Field(ge=1, le=9)], "an integer from 1 to 9"),
        (Annotated[float, Field(gt=0, lt=1)], "a number above 0 and below 1"),
        (Annotated[float, Field(ge=0, lt=1)], "a number of at least 0 and below 1"),
        (Annotated[float, Field(le=1.5)], "a number of at most 1.5"),
        (Annotated[int, Field(ge=1, multiple_of=8)], "a positive integer that is a multiple of 8"),
        (bool, "true or false"),
        (str, "text"),
        (Annotated[str, Field(min_length=1)], "text that is not empty"),
        (Annotated[str, Field(min_length=2)], "text of at least 2 characters"),
        (Annotated[str, Field(max_length=3)], "text of at most 3 characters"),
        (Annotated[str, Field(min_length=2, max_length=3)], "text of 2 to 3 characters"),
        (Annotated[str, Field(pattern="^a+$")], "text that matches ^a+$"),
        (Path, "a path"),
        (DirectoryPath, "the path of a folder"),
        (date, "a date such as 2020-12-31"),
        (Literal["a"], "a"),
        (Literal["a", True, 3, None], "a, true, 3 or null"),
        (int | None, "an integer or null"),
        (int | str | None, "an integer, text or null"),
        (list[Any], "a list"),
        (Annotated[list[Any], Field(min_length=1)], "a list of at least 1 item"),
        (list[Positive], "a list, each a positive integer"),
        (tuple[int, str], "a list of 2 items: an integer, text"),
        (dict[str, int], "a mapping, each value an integer"),
        (dict[str, Any], "a mapping"),
        (Pair, "a mapping with the keys left, right"),
        (Any, "a value"),
    ],
)
def test_expected_values_of_fields_are_described(kind, words):
    schema = Schema(create_model("Model", field=(kind, ...)))
    assert expected(schema, schema.root["properties"]["field"]) == words


def test_a_recursive_model_is_searched_once():
    schema = Schema(create_model("Model", pair=(Pair, ...)))
    assert schema.places_of("left") == ["pair.left"]
    assert schema.places_of("pair") == ["pair"]
    assert schema.places_of("middle") == []


def test_alternatives_and_lists_are_joined():
    assert either(["a"]) == "a"
    assert either(["a", "b"]) == "a or b"
    assert either(["a", "b", "c"]) == "a, b or c"
    assert listed("abcd", limit=3) == "a, b, c, …"


def test_the_closest_word_is_suggested():
    assert closest("BatchSize", ["batch_size", "size"]) == "batch_size"
    assert closest("Adam", ["adam", "sgd"]) == "adam"
    assert closest("xyz", ["adam", "sgd"]) is None
