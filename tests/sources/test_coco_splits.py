import pytest

from rnnpipe.errors import UserError
from rnnpipe.sources.coco_splits import check_named, splits_of


def test_splits_of():
    assert splits_of(["a", "b", "c"]) == {"a": "train", "b": "validation", "c": "test"}
    assert splits_of(["a", "b"]) == {"a": "train", "b": "test"}
    assert splits_of(["c"]) == {"c": "train"}


def test_named_files_come_in_the_order_of_the_splits():
    assert check_named({"test": 1, "train": 2}) == [("train", 2), ("test", 1)]


@pytest.mark.parametrize("files", [{}, {"test": 1}, {"train": 1, "val": 2}])
def test_other_names_of_splits_are_refused(files):
    with pytest.raises(UserError, match="files for 'train', and for 'validation' and 'test'"):
        check_named(files)
