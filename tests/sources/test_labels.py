import math
from collections import defaultdict

import pytest

from rnnpipe.errors import BadRecord
from rnnpipe.sources.labels import label_notices, read_label, read_optional_label
from rnnpipe.transforms.recipes.base import Tally
from rnnpipe.transforms.recipes.image_classes import ImageClassRecipe
from rnnpipe.transforms.recipes.text_classes import TextClassRecipe
from rnnpipe.transforms.recipes.video_frames import VideoRecipe


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("red", "red"),
        (" red\n", "red"),
        ("\ufeffred", "red"),
        ("\ufeff\u2028\ufeff red\x85\ufeff", "red"),
        (0, "0"),
        (-3, "-3"),
        ("1.5", "1.5"),
    ],
)
def test_labels_become_names(value, name):
    assert read_label(value) == name
    assert read_optional_label(value) == name


@pytest.mark.parametrize(
    "value",
    [
        False,
        True,
        1.5,
        1.0,
        math.nan,
        math.inf,
        ["x"],
        {},
        {"a": 1},
        "\ud83d",
        "\ufeff",
        "\ufeff \ufeff",
    ],
)
def test_other_values_are_not_converted_to_names(value):
    for read in (read_label, read_optional_label):
        with pytest.raises(BadRecord, match=r"^read label: "):
            read(value)


def test_a_number_that_python_cannot_print_is_no_name():
    with pytest.raises(BadRecord, match="a number of thousands of digits"):
        read_label(10**5000)


@pytest.mark.parametrize("value", [None, "", "  "])
def test_missing_labels_are_accepted_only_where_optional(value):
    assert read_optional_label(value) is None
    with pytest.raises(BadRecord, match="not the name of a class"):
        read_label(value)


def test_a_name_is_one_however_its_accents_are_written():
    assert read_label("cafe\u0301") == read_label("caf\u00e9") == "caf\u00e9"


@pytest.mark.parametrize(
    "alike", [("Pos", "pos"), ("a b", "a  b"), ("7", "007"), ("1", "1.0"), ("x", "x\u200b")]
)
def test_labels_that_are_nearly_the_same_are_told(alike):
    (told,) = label_notices(["other", *alike])
    first, second = sorted(alike)
    assert told == (
        f"data.source: labels that are nearly the same are a class each: {first!r} and {second!r}"
    )


@pytest.mark.parametrize("name", ["nan", "NaN", "None", "null", "N/A", "<NA>"])
def test_labels_that_stand_for_a_missing_value_are_told(name):
    (told,) = label_notices(["other", name])
    assert told.endswith(f"are a class each: {name!r}")


def test_of_many_labels_some_are_told():
    assert label_notices(["a", "b", "10", "1", "-1", "0.5", "none"]) == []
    (told,) = label_notices([letter for each in "abcdef" for letter in (each, each.upper())])
    assert told.endswith("'D' and 'd'; and 2 more")


@pytest.mark.parametrize(
    ("recipe", "names"),
    [
        (TextClassRecipe(), ["labels"]),
        (ImageClassRecipe(), ["labels"]),
        (VideoRecipe(), ["frame labels", "clip labels"]),
    ],
)
def test_every_kind_of_record_with_classes_tells_of_them(recipe, names):
    for name in names:
        counts = defaultdict(Tally, {name: Tally({"Pos": 1, "pos": 2})})
        (told,) = recipe.count_notices(counts)
        assert "'Pos' and 'pos'" in told
