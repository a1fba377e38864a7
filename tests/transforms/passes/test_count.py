"""What the first pass counts, however many distinct words there are."""

from collections import Counter

import pytest

from rnnpipe.sources.text.table import ClassTable
from rnnpipe.storage import leftovers
from rnnpipe.transforms.passes import count as count_pass
from rnnpipe.transforms.passes.count import _COUNTS, CountReferences, read_counts
from rnnpipe.transforms.passes.read_progress import create_partitions
from rnnpipe.transforms.passes.scratch import write_lines
from rnnpipe.transforms.passes.shuffle import Shuffle
from rnnpipe.transforms.passes.splits import Splitter
from rnnpipe.transforms.recipes.base import Tally
from rnnpipe.transforms.recipes.text_classes import ClassTextOptions, TextClassRecipe
from rnnpipe.transforms.runners.runner import Runner

# A word occurs as often as its length says; the letters tell words of one length apart.
WORDS = [letter * length for letter in "abc" for length in range(1, 8) for _ in range(length)]


@pytest.fixture
def source(tmp_path):
    rows = "".join(f"{word},{number % 2}\n" for number, word in enumerate(WORDS))
    (tmp_path / "raw").mkdir()
    (tmp_path / "raw" / "train.csv").write_text(f"text,label\n{rows}")
    return ClassTable(path=tmp_path / "raw")


def count(source, folder, buckets):
    folder.mkdir()
    recipe = TextClassRecipe(text=ClassTextOptions(vocabulary=20))
    transform = CountReferences(
        source, recipe, Splitter({}, 0), folder, shuffle=Shuffle(None, buckets)
    )
    Runner().run(lambda pipeline: pipeline | create_partitions(source.partitions()) | transform)
    return read_counts(folder)


def test_counts_are_those_of_the_text_for_any_number_of_buckets(source, tmp_path, monkeypatch):
    for buckets in (1, 5, 100):
        found = count(source, tmp_path / f"whole-{buckets}", buckets)
        assert found.records == {"train": len(WORDS)}
        assert found.counts["words"] == Counter(WORDS)
        assert found.counts["labels"] == {"0": 42, "1": 42}
        assert found.dead_letters.total == 0
        assert found.duplicates["text"]["duplicates"] == {"train": len(WORDS) - 21}


def test_the_most_frequent_words_are_kept(source, tmp_path, monkeypatch):
    monkeypatch.setattr(count_pass, "MAX_ITEMS", 4)
    monkeypatch.setattr(count_pass, "_MAX_ITEMS_IN_WORKER", 3)
    for buckets in (1, 5, 100):
        words = count(source, tmp_path / str(buckets), buckets).counts["words"]
        assert dict(words) == {"a" * 7: 7, "b" * 7: 7, "c" * 7: 7, "a" * 6: 6}
        assert words.total() == len(WORDS)
        assert words.distinct == 21


def test_leftovers_of_a_killed_attempt_are_not_read(source, tmp_path, monkeypatch):
    def killed():
        yield '[["words", "a"], 1000]\n'
        yield '[["words", "cut sh'
        raise KeyboardInterrupt

    found = count(source, tmp_path / "records", 5)
    monkeypatch.setattr(leftovers, "_remove", lambda path: None)  # as if it were killed
    with pytest.raises(KeyboardInterrupt):
        write_lines(tmp_path / "records", _COUNTS, "3", killed())
    assert "cut sh" in "".join(p.read_text() for p in tmp_path.rglob("*") if p.is_file())
    assert read_counts(tmp_path / "records") == found


def test_a_tally_truncated_in_parts_equals_one_truncated_at_once():
    once, in_parts = Tally(WORDS), Tally()
    once.keep_most_frequent(5)
    for word, number in Counter(WORDS).items():
        in_parts[word] = number
        in_parts.keep_most_frequent(5)
    assert once == in_parts
    assert (once.total(), once.distinct) == (in_parts.total(), in_parts.distinct)
    assert (once.total(), once.distinct) == (len(WORDS), 21)
