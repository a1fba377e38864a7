import json
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from rnnpipe.inputs.clips import make_clips
from rnnpipe.records.codec import encode_example
from rnnpipe.records.directory import RecordsDirectory
from rnnpipe.records.layout import shard_name
from rnnpipe.records.specs import VIDEO
from rnnpipe.records.tfrecord import write_tfrecord


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
    }


@pytest.fixture
def records(tmp_path):
    clips = [record(0, 2), record(1, 4), record(2, 1)]
    path = tmp_path / shard_name("video", "train", 0, 1)
    write_tfrecord(path, [encode_example(VIDEO, clip) for clip in clips])
    train = {"records": 3, "shard_records": [3], "num_bytes": 1, "histograms": {}}
    (tmp_path / "stats.json").write_text(json.dumps({"kind": "video", "splits": {"train": train}}))
    return RecordsDirectory(tmp_path)


def test_frames_lie_in_a_row_and_the_index_says_whose_they_are(records):
    first, second = make_clips(records, "train", outputs=("frame", "clip"), size=8, batch_size=2)
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


def test_only_what_is_asked_for_is_labelled(records):
    ((_, labels),) = make_clips(records, "train", outputs=("clip",), size=8, batch_size=3)
    assert list(labels) == ["clip"]
