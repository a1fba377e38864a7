import numpy as np
import pytest
import tensorflow_datasets as tfds

from rnnpipe.errors import DeadLetter, UserError
from rnnpipe.sources.captions.tfds import TfdsCaptions
from rnnpipe.sources.ids import hash_id
from rnnpipe.sources.images.decoding import read_image
from tests.sources.reading import ignore_progress, read_all
from tests.tfds_store import store_tfds

NUMBER = {"number": "image/id"}


def example(number, captions):
    return {
        "image": np.full((4, 6, 3), 20 * number, np.uint8),
        "image/id": number,
        "captions": [{"id": i, "text": text} for i, text in enumerate(captions)],
        "title": f"Number {number}",
        "width": 6,
    }


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    """A tiny data set of the features of coco_captions, and a title of each image."""
    folder, text = tmp_path_factory.mktemp("tensorflow_datasets"), tfds.features.Text()
    features = {
        "image": tfds.features.Image(shape=(None, None, 3), encoding_format="png"),
        "image/id": np.int64,
        "captions": tfds.features.Sequence({"id": np.int64, "text": text}),
        "title": text,
        "width": np.int64,
    }
    splits = {
        "train": [(0, example(7, ["Dark.", "Fünf."])), (1, example(9, ["Bright."]))],
        "val": [(0, example(3, ["Black."]))],
        "restval": [(0, example(5, ["Grey."]))],
        "odd": [(0, example(4, ["First."])), (1, example(4, ["Second."]))],
    }
    store_tfds(folder, "tiny_captions", features, splits)
    return folder


def test_images_and_captions_become_files(data_dir):
    source = TfdsCaptions(name="tiny_captions", path=data_dir, **NUMBER)
    read = {reference.key: reference for reference in read_all(source)}
    assert source.split_names == {"train", "validation"}
    assert {key: r.split for key, r in read.items()} == {
        "train/7": "train",
        "train/9": "train",
        "train/5": "train",  # of the split restval
        "validation/3": "validation",
    }
    fields = read["train/7"].fields
    assert (fields["image_id"], fields["captions"]) == (7, ["Dark.", "Fünf."])
    assert read_image(fields["image"], 4, "stretch").getpixel((0, 0)) == (140, 140, 140)


def test_splits_may_be_named(data_dir):
    named = {"train": "restval", "validation": "train[:1]", "test": "val"}
    source = TfdsCaptions(name="tiny_captions", path=data_dir, **NUMBER, splits=named)
    assert [r.key for r in read_all(source)] == ["train/5", "validation/7", "test/3"]


def test_the_first_of_two_images_with_one_number_is_unchanged(data_dir):
    named = {"train": "odd"}
    source = TfdsCaptions(name="tiny_captions", path=data_dir, **NUMBER, splits=named)
    first, second = read_all(source)
    assert first.fields["captions"] == ["First."]
    assert len(list((source.folder / "train").iterdir())) == 1
    assert second == DeadLetter(
        "train/4", "captions_train.json", "read image", "it is listed before"
    )


def test_numbers_may_be_names(data_dir):
    source = TfdsCaptions(name="tiny_captions", path=data_dir, number="title")
    assert [r.fields["image_id"] for r in read_all(source)] == [
        hash_id(f"Number {number}") for number in (7, 9, 5, 3)
    ]


def test_images_may_be_counted_and_have_one_caption(data_dir):
    fields = {"image": "image", "captions": "title"}
    source = TfdsCaptions(name="tiny_captions", path=data_dir, **fields)
    read = [(r.key, r.fields["captions"]) for r in read_all(source)]
    assert read == [
        ("train/1", ["Number 7"]),
        ("train/2", ["Number 9"]),
        ("train/3", ["Number 5"]),
        ("validation/1", ["Number 3"]),
    ]


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"image": "picture", "captions": "title"}, "a feature called picture, got captions/id"),
        ({"image": "title", "captions": "title"}, None),
        ({"image": "width", "captions": "title"}, "an image, got another value in width"),
    ],
)
def test_user_errors_are_raised(data_dir, fields, message):
    source = TfdsCaptions(name="tiny_captions", path=data_dir, **fields)
    if message is None:  # bytes that are no image: the build tells of each of them
        assert len(read_all(source)) == 4
        return
    with pytest.raises(UserError, match=message):
        source.prepare(ignore_progress)
