from pathlib import Path

import pytest

from rnnpipe.errors import UserError
from rnnpipe.sources.splits import (
    find_splits,
    left_out_notices,
    name_of,
    split_files,
    split_of_name,
)


@pytest.mark.parametrize(
    ("name", "split"),
    [
        ("train", "train"),
        ("TREC.train", "train"),
        ("train_5500", "train"),
        ("val.csv", "validation"),
        ("valid", "validation"),
        ("dev-2012", "validation"),
        ("test_2016_flickr", "test"),
        ("newstest2014", "test"),
        ("europarl-v7", None),
        ("latest", None),
        ("retrain", None),
        ("testimonials.csv", None),
        ("developers.csv", None),
        ("values.tsv", None),
        ("trainers", None),
        ("Training", "train"),
        ("TEST", "test"),
        ("testset", "test"),
        ("trainA", "train"),
        ("developers.test.csv", "test"),
        ("wiki.valid.tokens", "validation"),
        ("newstest2014-deen-src.de", "test"),
    ],
)
def test_names_determine_their_split(name, split):
    assert split_of_name(name) == split


def test_each_split_has_one_name():
    found = find_splits(Path("raw"), ["train", "val", "notes", "test"], "files")
    assert found == {"train": "train", "validation": "val", "test": "test"}
    assert find_splits(Path("raw"), ["europarl-v7"], "files") == {"train": "europarl-v7"}


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["train", "test_a", "test_b"], "one of files for the split test, got test_a, test_b"),
        ([], "expected files, one of them for training, got none"),
        (["one", "two"], "one of them for training, got one, two; name one file for each split"),
    ],
)
def test_ambiguous_names_are_reported(names, message):
    with pytest.raises(UserError) as fault:
        find_splits(Path("raw"), names, "files")
    assert message in str(fault.value)


def test_unread_files_are_named_up_to_a_limit():
    assert left_out_notices([], "correct it") == []
    assert left_out_notices("cba", "correct it") == [
        "data.source: a, b, c are not read; correct it"
    ]
    [message] = left_out_notices(map(str, range(10, 30)), "correct it")
    assert message.startswith("data.source: 10, 11, ")
    assert ", 17 and 12 more are not read" in message


def test_named_files_take_precedence():
    assert split_files(Path("raw"), {"train": "b"}, ["a", "b"], "files") == {"train": Path("raw/b")}
    with pytest.raises(UserError, match="a file for the split train, got test"):
        split_files(Path("raw"), {"test": "b"}, ["a", "b"], "files")


def test_files_of_one_name_in_two_folders_are_distinguished():
    folder = Path("/raw")
    assert name_of(folder / "a" / "rows.csv", folder) == "a/rows.csv"
    assert name_of(Path("/other/rows.csv"), folder) == "../other/rows.csv"
