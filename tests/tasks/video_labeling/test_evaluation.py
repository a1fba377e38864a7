import io

import numpy as np
import pytest
from PIL import Image

from rnnpipe.errors import UserError
from rnnpipe.tasks.video_labeling.drawing import draw_timeline
from rnnpipe.tasks.video_labeling.evaluation import score
from rnnpipe.tasks.video_labeling.labels import (
    LabelProbabilities,
    find_segments,
    guess_majority,
    pick_evenly,
)

NAMES = {"frame": ["down", "up"], "clip": ["a", "b"]}
ROWS = [
    {"frame_labels": [0, 1, -1], "clip_label": 1},
    {"frame_labels": [1], "clip_label": -1},
]


def sure(labels, classes=2):
    return np.eye(classes)[labels] * 0.8 + 0.1


def test_unlabelled_frames_and_clips_are_not_scored():
    said = LabelProbabilities([sure([0, 0, 1]), sure([1])], sure([1, 0]))
    scores = score(said, ROWS, NAMES)
    assert scores["frame_accuracy"] == pytest.approx(2 / 3)
    assert scores["frame_macro_f1"] == pytest.approx(2 / 3)
    assert scores["frame_map"] == pytest.approx((1 / 2 + (1 + 2 / 3) / 2) / 2, abs=0.13)
    assert (scores["clip_accuracy"], scores["clip_map"]) == (1, 1)
    assert scores["frame_recall/up"] == 0.5
    assert "clip_top5" not in scores
    only_frames = score(LabelProbabilities(said.frames, None), ROWS, {"frame": NAMES["frame"]})
    assert only_frames == {name: v for name, v in scores.items() if name.startswith("frame_")}


def test_a_split_without_labels_is_reported():
    rows = [{"frame_labels": [-1], "clip_label": -1}]
    with pytest.raises(UserError, match="expected videos with a label for the frame, got none"):
        score(LabelProbabilities([sure([0])], None), rows, {"frame": NAMES["frame"]})


def test_the_top_five_of_many_classes_are_counted():
    names = {"clip": list("abcdefg")}
    rows = [{"frame_labels": [], "clip_label": 5}]
    said = LabelProbabilities([], np.array([[0.3, 0.2, 0.15, 0.12, 0.1, 0.08, 0.05]]))
    assert score(said, rows, names)["clip_top5"] == 0


def test_the_majority_is_that_of_training():
    training = [
        {"frame_labels": [0, 0, 1, -1, 0], "clip_label": 0},
        {"frame_labels": [], "clip_label": 1},
    ]
    said = guess_majority(training, ROWS, NAMES)
    assert [frames.shape for frames in said.frames] == [(3, 2), (1, 2)]
    np.testing.assert_allclose(said.frames[1], [[0.75, 0.25]])
    np.testing.assert_allclose(said.clips, [[0.5, 0.5]] * 2)
    assert guess_majority(training, ROWS, {"frame": NAMES["frame"]}).clips is None


def test_segments_cover_all_frames():
    labels = np.random.default_rng(0).integers(-1, 3, 60)
    rebuilt = [label for start, end, label in find_segments(labels) for _ in range(start, end)]
    assert rebuilt == labels.tolist()


def test_a_timeline_has_the_frames_above_and_a_bar_for_each_row():
    frames = [np.full((20, 20, 3), level, "uint8") for level in (0, 120, 240)]
    times = [0.25 + 0.5 * n for n in range(6)]
    rows = {"true": [0, 0, 0, 1, 1, -1], "model": [0] * 6}
    png = draw_timeline(frames, times, rows, ["down", "$up"])
    picture = np.asarray(Image.open(io.BytesIO(png)).convert("RGB")).astype(int)
    height, width, _ = picture.shape
    inner = picture[:, int(width / 12) : int(width * 11.8 / 12)]
    strip = inner[60, [50, inner.shape[1] // 2, -50]].mean(axis=1)
    np.testing.assert_allclose(strip, [0, 120, 240], atol=12)
    true = inner[int(height - (0.5 + 0.42 * 1.75) * 150)]
    model = inner[int(height - (0.5 + 0.42 * 0.75) * 150)]
    third = inner.shape[1] // 6
    assert (true[third] != true[4 * third]).any()
    assert (true[third] == model[4 * third]).all()


def test_a_strip_is_drawn_without_labels():
    frames = [np.zeros((20, 20, 3), "uint8")] * 10
    height = Image.open(io.BytesIO(draw_timeline(frames, [0.5], {}, []))).height
    assert height < Image.open(io.BytesIO(draw_timeline(frames, [0.5], {"a": [0]}, ["x"]))).height


def test_frames_of_a_strip_are_spread_evenly():
    assert pick_evenly(3, 14) == [0, 1, 2]
    assert pick_evenly(100, 4) == [12, 37, 62, 87]
