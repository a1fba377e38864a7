"""Windows of videos, whatever their source is."""

import json
import pickle
from typing import Any

import pytest

from rnnpipe.config.loader import load_settings
from rnnpipe.sources.generated.moving_shapes import MovingShapes
from rnnpipe.sources.videos.grid import Grid
from rnnpipe.sources.videos.source import VideoSource
from rnnpipe.sources.videos.table import ClipTable
from tests.sources.reading import ignore_progress
from tests.sources.videos.reading import in_windows, read_source


def test_a_long_video_becomes_several_windows_of_one_group(folder):
    first, second, *_ = read_source(in_windows(ClipTable(path=folder), max_frames=3))
    assert [each.fields["first"] for each in (first, second)] == [0, 3]
    assert first.group == second.group
    assert first.key < second.key


@pytest.mark.parametrize("other", [{"rate": 5.0}, {"max_frames": 50}])
def test_other_windows_are_another_data_set(folder, grid, tmp_path, other):
    moving = MovingShapes(path=tmp_path / "moving", clips=3, size=16, seed=4)
    for videos in (ClipTable(path=folder), Grid(path=grid), moving):
        assert in_windows(videos).settings != in_windows(videos, **other).settings
        assert in_windows(videos).settings == in_windows(videos).settings
        json.dumps(in_windows(videos).settings)


def test_pickled_sources_contain_no_clips(folder):
    source = in_windows(ClipTable(path=folder))
    before = pickle.dumps(source)
    source.prepare(ignore_progress)
    assert pickle.dumps(source) == before


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"kind": "moving_shapes"}, True),
        ({"kind": "grid", "path": "x"}, True),
        ({"kind": "clips", "path": "x"}, False),
        ({"kind": "clips", "path": "x", "frame_labels": "y.csv"}, True),
        ({"kind": "tfds", "name": "ucf101"}, False),
    ],
)
def test_whether_frames_have_labels_is_known_before_the_data_is_read(settings, expected):
    family: Any = VideoSource  # of which a source is read by its kind
    assert load_settings(family, settings).labels_frames is expected
