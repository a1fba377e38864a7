import json
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from rnnpipe.inputs.augmentation import AugmentationOptions
from rnnpipe.records.codec import encode_example
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.layout import FINGERPRINT, STATS, shard_name
from rnnpipe.records.specs import CAPTION
from rnnpipe.records.tfrecord import write_tfrecord
from rnnpipe.tasks.captioning.batches import make_caption_batches, make_reference_batches

TOKENS = {0: [[4], [5, 6]], 1: [[7, 8, 9]], 2: [[10], [11], [12, 13]]}
"""The captions of each image, whose pixels all have its number."""


@pytest.fixture
def records(tmp_path):
    rows = []
    for number, tokens in TOKENS.items():
        file = BytesIO()
        Image.new("RGB", (8, 8), (40 * number,) * 3).save(file, "JPEG", quality=95)
        rows.append(
            {
                "image_id": number,
                "image_jpeg": file.getvalue(),
                "captions": ["words"] * len(tokens),
                "caption_tokens": tokens,
                "scene": "",
            }
        )
    path = tmp_path / shard_name("caption", "train", 0, 1)
    write_tfrecord(path, [encode_example(CAPTION, row) for row in rows])
    split = {"records": 3, "shard_records": [3], "histograms": {}}
    stats = {"kind": "caption", "dead_letters": {}, "splits": {"train": split}}
    (tmp_path / STATS).write_text(json.dumps(stats))
    (tmp_path / FINGERPRINT).write_text(json.dumps({"fingerprint": "handmade"}))
    return RecordsDirectory(tmp_path)


def options(**more):
    return {"image_field": "image_jpeg", "image_shape": (8, 8, 3), "batch_size": 2, **more}


def number_of(image):
    return round(float(np.mean(image)) / 40)


def test_all_captions_of_an_image_share_it(records):
    batches = make_caption_batches(records, "train", **options(captions="all"))
    first, last = batches.as_numpy_iterator()
    inputs, says = first
    assert inputs["image"].shape == (2, 8, 8, 3)
    assert inputs["image_index"].tolist() == [0, 0, 1]
    reads = [[2, 4, 0, 0, 0], [2, 5, 6, 0, 0], [2, 7, 8, 9, 0]]
    assert inputs["caption"].tolist() == reads
    assert says.tolist() == [[4, 3, 0, 0, 0], [5, 6, 3, 0, 0], [7, 8, 9, 3, 0]]
    assert last[0]["image_index"].tolist() == [0, 0, 0]


def test_one_caption_is_drawn_anew_in_every_epoch(records):
    def epochs(count):
        batches = make_caption_batches(
            records, "train", **options(captions="one", shuffle_seed=5, batch_size=3)
        )
        assert len(batches) == 1
        found = []
        for _ in range(count):
            ((inputs, says),) = batches.as_numpy_iterator()
            numbers = [number_of(image) for image in inputs["image"]]
            said = [[int(t) for t in row if t not in (0, 3)] for row in says]
            assert inputs["image_index"].tolist() == [0, 1, 2]
            assert all(each in TOKENS[number] for each, number in zip(said, numbers, strict=True))
            found.append(sorted(said))
        return found

    several = epochs(12)
    assert {json.dumps(each) for said in several for each in said} == {
        json.dumps(each) for tokens in TOKENS.values() for each in tokens
    }
    assert epochs(3) == several[:3]


def test_references_come_with_their_image(records):
    batches = make_reference_batches(records, "train", **options(shuffle_seed=1))
    for inputs, tokens in batches.as_numpy_iterator():
        for image, rows in zip(inputs["image"], tokens, strict=True):
            known = [[int(t) for t in row if t] for row in rows if row[0]]
            assert known == TOKENS[number_of(image)]


@pytest.mark.parametrize("make", [make_caption_batches, make_reference_batches])
def test_pixels_of_training_change_anew_in_every_epoch_and_the_same_for_a_seed(records, make):
    more = {"captions": "all"} if make is make_caption_batches else {}
    augmentation = AugmentationOptions(brightness=0.2)

    def epochs(seed):
        arguments = options(**more, batch_size=3, shuffle_seed=seed, augmentation=augmentation)
        batches = make(records, "train", **arguments)
        return [sorted(inputs["image"][:, 0, 0, 0].numpy()) for _ in "12" for inputs, _ in batches]

    first, second = epochs(5)
    assert first != second
    assert epochs(5) == [first, second]


def test_pixels_are_unchanged_where_nothing_is_shuffled(records):
    batches = make_caption_batches(
        records,
        "train",
        **options(captions="all", augmentation=AugmentationOptions(brightness=0.9)),
    )
    assert [number_of(image) for inputs, _ in batches for image in inputs["image"]] == [0, 1, 2]
