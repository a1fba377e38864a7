import numpy as np
import pytest
import tensorflow_datasets as tfds

from rnnpipe.errors import DeadLetter, UserError
from rnnpipe.sources.text.tfds import ClassTfds, PairTfds
from tests.sources.reading import ignore_progress, send_to_worker
from tests.tfds_store import store_tfds


def ignore(done: int, total: int) -> None: ...


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch):
    """Where data sets are exported to."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """Tiny data sets: reviews with classes and stars, splits by year, Latin-1, and pairs."""
    folder = tmp_path_factory.mktemp("tensorflow_datasets")
    text = tfds.features.Text()
    classes = tfds.features.ClassLabel(names=["neg", "pos"])
    reviews = {
        split: [(i, {"text": f"{split} fünf {i}", "label": i % 2, "stars": i}) for i in range(n)]
        for split, n in (("train", 10), ("test", 4))
    }
    unlabelled = [(i, {"text": "?", "label": -1, "stars": -1}) for i in range(3)]
    store_tfds(
        folder,
        "tiny_reviews",
        {"text": text, "label": classes, "stars": tfds.features.Scalar(np.int64)},
        reviews | {"unsupervised": unlabelled},
    )
    years = ("dev_matched", "newstest2014", "newstest2015", "train", "validation")
    splits = {split: [(0, {"text": split, "label": "a"})] for split in years}
    store_tfds(folder, "tiny_years", {"text": text, "label": text}, splits)
    latin = [("a", "x"), ("b", b"caf\xe9"), (b"\xe9", "x")]
    rows = [(i, {"text": text, "label": label}) for i, (text, label) in enumerate(latin)]
    store_tfds(folder, "tiny_latin", {"text": text, "label": text}, {"train": rows})
    pairs = [(i, {"translation": {"de": f"ja {i}", "en": f"yes {i}"}}) for i in range(3)]
    languages = tfds.features.Translation(languages=["de", "en"])
    store_tfds(folder, "tiny_pairs", {"translation": languages}, {"train": pairs}, config="de-en")
    return folder


def read_all(source):
    source, partitions = send_to_worker(source)
    assert "_builder" not in vars(source)  # workers need no TensorFlow
    return {partition.split: list(source.read(partition)) for partition in partitions}


def test_classes_by_name(data_dir):
    source = ClassTfds(name="tiny_reviews", path=data_dir)
    read = read_all(source)
    assert source.split_names == {"train", "test"} == set(read)
    assert [r.fields for r in read["test"]] == [
        {"text": f"test fünf {i}", "label": ("neg", "pos")[i % 2]} for i in range(4)
    ]
    assert len(read["train"]) == 10
    assert {r.split for r in read["train"]} == {"train"}


@pytest.mark.parametrize(
    ("label", "found"), [("label", {"not the name of a class: None"}), ("stars", {"-1"})]
)
def test_minus_one_is_a_number_and_no_label(data_dir, label, found):
    splits = {"train": "train", "test": "unsupervised"}
    source = ClassTfds(label=label, name="tiny_reviews", path=data_dir, splits=splits)
    read = read_all(source)["test"]
    assert len(read) == 3
    assert {r.reason if isinstance(r, DeadLetter) else r.fields["label"] for r in read} == found


def test_undecodable_bytes_are_dead_letters(data_dir):
    first, label, text = read_all(ClassTfds(name="tiny_latin", path=data_dir))["train"]
    assert first.fields == {"text": "a", "label": "x"}
    assert (label.key, label.step) == ("train.jsonl:2", "read label")
    assert label.reason.startswith("the name is not Unicode text: ")
    assert (text.key, text.reason) == ("train.jsonl:3", "the text is not Unicode text")


def test_unread_splits_are_reported(data_dir):
    def tell(**options):
        source = ClassTfds(path=data_dir, **options)
        source.prepare(ignore_progress)
        return source.instructions, source.notices

    assert tell(name="tiny_reviews")[1] == [
        "data.source: unsupervised is not read; name what is to be read in "
        "data.source.splits, e.g. {train: train, test: test}"
    ]
    instructions, [notice] = tell(name="tiny_years")
    assert instructions == {"train": "train", "test": "newstest2014", "validation": "validation"}
    assert notice.startswith("data.source: dev_matched, newstest2015 are not read; name what")
    chosen = {"train": "train", "test": "newstest2015"}
    assert tell(name="tiny_years", splits=chosen) == (chosen, [])


def test_it_is_exported_once_for_each_choice(data_dir):
    def export(**options):
        source = ClassTfds(name="tiny_reviews", path=data_dir, **options)
        source.prepare(ignore_progress)
        return source.folder

    first = export()
    changed = {path: path.stat().st_mtime_ns for path in first.iterdir()}
    assert export() == first
    assert {path: path.stat().st_mtime_ns for path in first.iterdir()} == changed
    assert export(splits={"train": "test"}) != first


def test_parts_of_splits_and_labels_that_are_numbers(data_dir):
    source = ClassTfds(
        label="stars",
        name="tiny_reviews",
        path=data_dir,
        splits={"train": "train[:70%]", "validation": "train[70%:]", "test": "test"},
    )
    read = read_all(source)
    assert {split: len(references) for split, references in read.items()} == {
        "train": 7,
        "validation": 3,
        "test": 4,
    }
    assert [r.fields["label"] for r in read["validation"]] == ["7", "8", "9"]


def test_pairs_are_read_and_a_folder_needs_no_name(data_dir):
    fields = {"source": "translation/de", "target": "translation/en"}
    named = PairTfds(**fields, name="tiny_pairs/de-en", path=data_dir)
    folder = data_dir / "tiny_pairs" / "de-en" / "1.0.0"
    [pairs], [again] = (
        read_all(source).values() for source in (named, PairTfds(**fields, path=folder))
    )
    assert [r.fields for r in pairs] == [
        {"source": f"ja {i}", "target": f"yes {i}"} for i in range(3)
    ]
    assert again == pairs


@pytest.mark.parametrize(
    ("options", "fields", "message"),
    [
        ({"name": "no_such"}, {}, "tfds:no_such: expected a data set that TensorFlow Dat"),
        (
            {"name": "tiny_reviews"},
            {"text": "review"},
            "expected a feature called review, got label, stars, text; name the right one as "
            "data.source.text",
        ),
        (
            {"name": "tiny_reviews", "splits": {"train": "dev"}},
            {},
            "expected a split dev, got train, test, unsupervised; correct data.source.splits",
        ),
        (
            {"name": "tiny_reviews", "splits": {"test": "test"}},
            {},
            "expected a split for training",
        ),
    ],
)
def test_mistakes_are_reported(data_dir, options, fields, message):
    with pytest.raises(UserError) as fault:
        ClassTfds(**fields, path=data_dir, **options).prepare(ignore_progress)
    assert message in str(fault.value)


def test_a_source_without_name_and_folder_is_refused():
    with pytest.raises(UserError, match=r"expected the name or the path of a data set"):
        ClassTfds()
