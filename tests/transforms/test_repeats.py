import pytest

from rnnpipe.transforms.repeats import (
    DUPLICATE,
    LEAK,
    Repeat,
    count_repeats,
    keys_to_drop,
    tell_repeats,
)

REPEATS = [
    Repeat("pair", [("train", "a"), ("train", "b"), ("train", "c")]),
    Repeat("source", [("train", "a"), ("train", "b"), ("train", "c")]),
    Repeat("source", [("test", "t"), ("test", "u"), ("train", "d")]),
    Repeat("source", [("test", "v"), ("validation", "w")]),
]


def test_counts():
    assert count_repeats(REPEATS) == {
        "pair": {"duplicates": {"train": 2}, "leaks": {}},
        "source": {
            "duplicates": {"train": 2, "test": 1},
            "leaks": {"test in train": 2, "test in validation": 1},
        },
    }
    assert count_repeats([]) == {}


@pytest.mark.parametrize(
    ("duplicates_of", "leaks_of", "dropped"),
    [
        (None, None, {}),
        ("pair", None, {"b": DUPLICATE, "c": DUPLICATE}),
        (None, "source", {"d": LEAK}),
        ("source", "source", {"b": DUPLICATE, "c": DUPLICATE, "d": LEAK}),
    ],
)
def test_only_training_records_are_dropped(duplicates_of, leaks_of, dropped):
    assert keys_to_drop(REPEATS, duplicates_of=duplicates_of, leaks_of=leaks_of) == dropped


def test_what_is_told():
    told = tell_repeats(count_repeats(REPEATS), {"train": 1000, "validation": 1, "test": 10})
    assert told == [
        "the pair of 2 of 1,000 train records occurs before in the same split",
        "the source of 2 of 10 test records is in train too",
        "the source of 1 of 10 test records is in validation too",
        "the source of 2 of 1,000 train and 1 of 10 test records occurs before in the same split",
    ]
