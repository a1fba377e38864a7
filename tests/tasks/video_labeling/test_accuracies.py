"""Accuracies of frames by segments, against frames counted one by one."""

from itertools import pairwise

import numpy as np
import pytest

from rnnpipe.tasks.video_labeling.accuracies import count_frames


def draw_segments(draw, frames):
    cuts = np.unique([0, *draw.integers(1, frames, draw.integers(0, 4)), frames])
    segments = [
        [int(start), int(end), draw.choice(["a", "b", ""]) or None] for start, end in pairwise(cuts)
    ]
    if draw.random() < 0.3:  # one without frames
        segments.insert(draw.integers(0, len(segments) + 1), [3, 3, "a"])
    return segments


def expand(segments):
    return [label for start, end, label in segments for _ in range(start, end)]


def test_segments_are_compared_as_their_frames_are():
    draw = np.random.default_rng(5)
    for _ in range(500):
        labels, predictions = (draw_segments(draw, 12) for _ in range(2))
        known = [
            label == predicted
            for label, predicted in zip(expand(labels), expand(predictions), strict=True)
            if label is not None
        ]
        row = {"frame_labels": labels, "frame_predictions": predictions}
        assert len(expand(labels)) == 12
        assert count_frames(row) == ((sum(known), len(known)) if known else None)


def test_the_time_does_not_grow_with_the_frames():
    row = {"frame_labels": [[0, 10**15, "a"]], "frame_predictions": [[0, 10**15, "a"]]}
    assert count_frames(row) == (10**15, 10**15)


def test_other_numbers_of_frames_are_an_error():
    with pytest.raises(ValueError, match="as many"):
        count_frames({"frame_labels": [[0, 2, "a"]], "frame_predictions": [[0, 3, "a"]]})
