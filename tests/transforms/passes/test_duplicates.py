import apache_beam as beam
import pytest

from rnnpipe.sources.source import Reference
from rnnpipe.transforms.passes import external_sort
from rnnpipe.transforms.passes import shuffle as shuffle_module
from rnnpipe.transforms.passes.duplicates import (
    FindDuplicates,
    drop_files,
    duplicate_notices,
    read_drops,
    read_duplicates,
)
from rnnpipe.transforms.passes.shuffle import Shuffle
from rnnpipe.transforms.passes.splits import Splitter
from rnnpipe.transforms.recipes.base import Drops
from rnnpipe.transforms.recipes.text_pairs import TextPairRecipe
from rnnpipe.transforms.runners.runner import Runner
from tests.transforms.kinds import contents
from tests.transforms.passes.duplicated import DUPLICATED, check_duplicates

RECORDS = [  # key, split, source, pair
    ("a", "train", "x", "p"),
    ("b", "train", "x", "p"),
    ("c", "train", "x", "p"),
    ("d", "train", "y", "q"),
    ("t", "test", "y", "r"),
    ("u", "test", "y", "s"),
    ("v", "test", "z", "v"),
    ("w", "validation", "z", "w"),
]


class ByFields(TextPairRecipe):
    drops_given: Drops = Drops()

    def identities(self, reference):
        return reference.fields

    @property
    def drops(self):
        return self.drops_given


def find(folder, drops, shuffle=None):
    recipe = ByFields(drops_given=drops)
    records = [
        Reference(key, f"group {key}", split, {"source": source, "pair": pair})
        for key, split, source, pair in RECORDS
    ]
    folder.mkdir()
    duplicates = FindDuplicates(recipe, Splitter({}, 0), folder, shuffle or Shuffle())
    Runner().run(lambda pipeline: pipeline | beam.Create(records) | duplicates)
    marks = [mark for path in drop_files(folder) for mark in read_drops(path)]
    assert all(mark.record.group == f"group {mark.record.key}" for mark in marks)
    dropped = sorted((mark.record.key, mark.leak) for mark in marks)
    return read_duplicates(folder), dropped


def test_duplicates_and_leaks_are_counted(tmp_path):
    counts, dropped = find(tmp_path / "build", Drops())
    assert counts == {
        "pair": {"duplicates": {"train": 2}, "leaks": {}},
        "source": {
            "duplicates": {"train": 2, "test": 1},
            "leaks": {"test in train": 2, "test in validation": 1},
        },
    }
    assert dropped == []


@pytest.mark.parametrize(
    ("duplicates_of", "leaks_of", "expected"),
    [
        ("pair", None, [("b", False), ("c", False)]),
        (None, "source", [("d", True)]),
        ("source", "source", [("b", False), ("c", False), ("d", True)]),
    ],
)
def test_only_training_records_are_dropped(tmp_path, duplicates_of, leaks_of, expected):
    assert find(tmp_path / "build", Drops(duplicates_of, leaks_of))[1] == expected


def test_buckets_and_memory_do_not_change_the_duplicates(tmp_path, monkeypatch):
    drops = Drops("pair", "source")
    expected = find(tmp_path / "build", drops)
    monkeypatch.setattr(external_sort, "MAX_VALUES_IN_MEMORY", 2)
    monkeypatch.setattr(shuffle_module, "MAX_BATCH_BYTES", 200)
    (tmp_path / "shuffle").mkdir()
    for buckets in (1, 3, 1000):
        shuffle = Shuffle(tmp_path / "shuffle", buckets)
        assert find(tmp_path / str(buckets), drops, shuffle) == expected
    assert any((tmp_path / "shuffle").iterdir())


def test_duplicates_and_leaks_are_reported():
    counts = {
        "pair": {"duplicates": {"train": 2}, "leaks": {}},
        "source": {
            "duplicates": {"train": 2, "test": 1},
            "leaks": {"test in train": 2, "test in validation": 1},
        },
    }
    assert duplicate_notices(counts, {"train": 1000, "validation": 1, "test": 10}) == [
        "the pair of 2 of 1,000 train records occurs before in the same split",
        "the source of 2 of 10 test records is in train too",
        "the source of 1 of 10 test records is in validation too",
        "the source of 2 of 1,000 train and 1 of 10 test records occurs before in the same split",
    ]


@pytest.mark.parametrize("kind", DUPLICATED)
def test_any_number_of_workers_drops_the_same_duplicates(kind, tmp_path, read_counters):
    repeated = DUPLICATED[kind](tmp_path / "raw")
    one = repeated.build.run(tmp_path / "one")
    check_duplicates(repeated, one)
    counted = read_counters()
    assert counted == {
        "records_read": one.stats["read"],
        "records_written": one.stats["written"],
        "dead_letters": 0,
    }
    two = repeated.build.run(tmp_path / "two", runner=Runner(2))
    assert contents(one.path) == contents(two.path)
    assert read_counters() == counted
