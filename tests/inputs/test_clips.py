import json
from io import BytesIO

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from rnnpipe.inputs.clip_augmentation import (
    NO_CLIP_AUGMENTATION,
    ClipAugmentationOptions,
    change_speed,
)
from rnnpipe.inputs.clips import make_clips
from rnnpipe.records.codec import encode_example
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.layout import shard_name
from rnnpipe.records.specs import VIDEO_FEATURES
from rnnpipe.records.tfrecord import write_tfrecord

IMAGES = {"frame_field": "frames_jpeg", "frame_shape": (8, 8, 3)}
FEATURES = {"frame_field": "frame_features", "frame_shape": (2,)}


def jpeg(level):
    buffer = BytesIO()
    Image.new("RGB", (8, 8), (level, level, level)).save(buffer, "JPEG")
    return buffer.getvalue()


def record(number, frames):
    return {
        "video_id": str(number),
        "frames_jpeg": [jpeg(100 * number + 10 * frame) for frame in range(frames)],
        "frame_times": [0.1 * frame for frame in range(frames)],
        "frame_labels": [0, -1, 2, 1][:frames],
        "clip_label": number - 1,
        "frame_features": [[number, frame / 8] for frame in range(frames)],
    }


def write_records(folder, clips):
    path = folder / shard_name("video_features", "train", 0, 1)
    write_tfrecord(path, [encode_example(VIDEO_FEATURES, clip) for clip in clips])
    count = len(clips)
    train = {"records": count, "shard_records": [count], "num_bytes": 1, "histograms": {}}
    stats = {"kind": "video_features", "splits": {"train": train}}
    (folder / "stats.json").write_text(json.dumps(stats))


@pytest.fixture
def records(tmp_path):
    write_records(tmp_path, [record(0, 2), record(1, 4), record(2, 1)])
    return RecordsDirectory(tmp_path)


def test_frames_are_concatenated_and_indexed_by_clip(records):
    outputs = ("frame", "clip")
    first, second = make_clips(records, "train", outputs=outputs, **IMAGES, batch_size=2)
    inputs, labels = first
    assert inputs["frames"].shape == (6, 8, 8, 3)
    levels = inputs["frames"].numpy()[:, 0, 0, 0]
    np.testing.assert_allclose(levels, [0, 10, 100, 110, 120, 130], atol=1)
    none = [-1] * 4
    assert inputs["frame_index"].numpy().tolist() == [
        [0, 1, -1, -1, *none],
        [2, 3, 4, 5, *none],
    ]
    assert labels["frame"].numpy().tolist() == [[0, -1, -1, -1, *none], [0, -1, 2, 1, *none]]
    assert labels["clip"].numpy().tolist() == [-1, 0]
    assert second[0]["frame_index"].numpy().tolist() == [[0, *[-1] * 7]]


def test_features_lie_as_frames_do(records):
    batches = make_clips(records, "train", outputs=("frame", "clip"), **FEATURES, batch_size=2)
    assert batches.element_spec[0]["frames"].shape.as_list() == [None, 2]
    images = make_clips(records, "train", outputs=("frame", "clip"), **IMAGES, batch_size=2)
    expected = [[[0, 0], [0, 0.125], [1, 0], [1, 0.125], [1, 0.25], [1, 0.375]], [[2, 0]]]
    for (inputs, labels), (others, same), rows in zip(batches, images, expected, strict=True):
        assert inputs["frames"].dtype == tf.float32
        assert inputs["frames"].numpy().tolist() == rows
        np.testing.assert_array_equal(inputs["frame_index"], others["frame_index"])
        np.testing.assert_array_equal(labels["frame"], same["frame"])


def test_images_are_not_decoded_where_features_are_read(tmp_path):
    clip = {**record(0, 2), "frames_jpeg": [b"no image", b"neither"]}
    write_records(tmp_path, [clip])
    records = RecordsDirectory(tmp_path)
    ((inputs, _),) = make_clips(records, "train", outputs=("clip",), **FEATURES, batch_size=1)
    assert inputs["frames"].shape == (2, 2)


def test_only_the_requested_outputs_are_labelled(records):
    ((_, labels),) = make_clips(records, "train", outputs=("clip",), **IMAGES, batch_size=3)
    assert list(labels) == ["clip"]


def test_all_frames_of_a_clip_change_alike(tmp_path):
    write_records(tmp_path, [record(1, 3), record(1, 2)])  # grey: nothing is cut off
    records = RecordsDirectory(tmp_path)

    def frames(augmentation):
        options = {"outputs": ("clip",), **IMAGES, "batch_size": 2, "shuffle_seed": 1}
        ((inputs, _),) = make_clips(records, "train", **options, augmentation=augmentation)
        return inputs["frames"].numpy().astype(int), inputs["frame_index"].numpy()

    (plain, index), (lit, _) = (
        frames(NO_CLIP_AUGMENTATION),
        frames(ClipAugmentationOptions(brightness=0.2)),
    )
    changes = [(lit - plain)[row[row >= 0]] for row in index]
    assert all(np.ptp(change) <= 1 for change in changes)
    assert changes[0].mean() != changes[1].mean()


def test_augmented_batches_are_the_same_for_a_seed_and_change_every_epoch(records):
    def epochs(seed):
        options = {"outputs": ("clip",), **IMAGES, "batch_size": 3, "shuffle_seed": seed}
        augmentation = ClipAugmentationOptions(brightness=0.5)
        batches = make_clips(records, "train", **options, augmentation=augmentation)
        return [
            sorted(inputs["frames"].numpy()[:, 0, 0, 0]) for _ in range(2) for inputs, _ in batches
        ]

    first, again = epochs(1), epochs(1)
    assert first == again
    assert first[0] != first[1]


def test_clips_are_played_faster_and_slower_within_the_share():
    lengths = np.array([40, 10, 1, 0])
    times = np.arange(40)
    index = tf.constant(np.where(times < lengths[:, None], times, -1), tf.int32)
    seen = set()
    for seed in range(20):
        rows, tenfold = change_speed(
            [index, 10 * index], tf.constant(lengths, tf.int32), 0.25, (seed, 1)
        )
        rows, tenfold = rows.numpy(), tenfold.numpy()
        after = (rows >= 0).sum(1)
        np.testing.assert_array_equal(rows >= 0, np.arange(rows.shape[1]) < after[:, None])
        np.testing.assert_array_equal(tenfold, np.where(rows >= 0, 10 * rows, -1))
        assert (after[2], after[3]) == (1, 0)
        for number in (0, 1):
            count = after[number]
            expected = (2 * np.arange(count) + 1) * lengths[number] // (2 * count)
            np.testing.assert_array_equal(rows[number, :count], expected)
            assert lengths[number] / 1.25 - 1 < count < lengths[number] / 0.75 + 1
        seen.add(after[0])
    assert min(seen) < 36
    assert max(seen) > 44


@pytest.mark.parametrize("outputs", [("frame", "clip"), ("clip",), ("frame",)])
def test_labels_follow_their_frames_at_another_speed(records, outputs):
    batches = make_clips(
        records,
        "train",
        outputs=outputs,
        **FEATURES,
        batch_size=3,
        shuffle_seed=1,
        augmentation=ClipAugmentationOptions(speed=0.5),
    )
    shown = set()
    for inputs, labels in [pair for _ in range(4) for pair in batches]:
        assert labels.keys() == set(outputs)
        index = inputs["frame_index"].numpy()
        assert index.shape[1] % 8 == 0
        shown.add((index >= 0).sum())
        frames = (8 * inputs["frames"].numpy()[:, 1]).astype(int)  # of each clip from 0
        if "frame" in outputs:
            expected = np.where(index < 0, -1, np.array([0, -1, 2, 1])[frames[index]])
            np.testing.assert_array_equal(labels["frame"], expected)
    assert len(shown) > 1
