from fractions import Fraction
from itertools import count as numbers

import numpy as np
import pytest

from rnnpipe.errors import BadRecord
from rnnpipe.sources.videos import decoding
from rnnpipe.sources.videos.decoding import read_video
from rnnpipe.sources.videos.framing import Framing
from rnnpipe.transforms.recipes.frame_windows import FrameWindowReader

LEVELS = [0, 60, 120, 180, 240]


def convert(shown):
    return round(float(np.asarray(Framing(16, "stretch", box=None)(shown)).mean()) / 60)


class EndlessVideo:
    """Counts how many of its frames were ever asked for."""

    def __init__(self, frame):
        self.frame, self.asked = frame, 0

    def __call__(self, path):
        for number in numbers():
            self.asked += 1
            yield self.frame(number)


def test_a_video_without_end_is_read_in_windows(monkeypatch, tmp_path, write_clip):
    picture = next(read_video(write_clip(tmp_path / "a.mp4", [100])))

    def frame(number):
        return type(picture)(number, number / 10, (number + 1) / 10, picture.frame)

    video = EndlessVideo(frame)
    monkeypatch.setattr(decoding, "read_video", video)
    reader = FrameWindowReader("endless.mp4", 10, convert)
    for first in (0, 50, 100):
        window = reader.read(first, 50)
        assert window.indices == list(range(first, first + 50))
        assert window.end is None
        assert video.asked <= first + 50 + 2  # hardly anything is read ahead, nothing twice
    assert reader.read(20, 5).indices == [20, 21, 22, 23, 24]  # back to the start


def test_windows_end_with_the_video_or_its_damage(tmp_path, write_clip, shared_data):
    reader = FrameWindowReader(str(write_clip(tmp_path / "a.mp4", LEVELS)), 10, convert)
    last = reader.read(3, 3)
    assert (last.indices, last.frames) == ([3, 4], [3, 4])
    assert last.end == (Fraction(1, 2), 5)
    assert reader.read(6, 3).indices == []
    damaged = FrameWindowReader(
        str(shared_data / "bad_inputs" / "video" / "corrupted.mp4"), 25, convert
    )
    assert len(damaged.read(0, 10).frames) == 10
    for first in (10, 500):
        with pytest.raises(BadRecord, match="Invalid data"):
            damaged.read(first, 100)


def test_a_repeated_frame_is_converted_once(tmp_path, write_clip):
    seen = []
    path = str(write_clip(tmp_path / "a.mp4", LEVELS, rate=5))
    window = FrameWindowReader(path, 10, lambda shown: seen.append(shown.index)).read(0, 9)
    assert window.indices == [0, 0, 1, 1, 2, 2, 3, 3, 4]
    assert seen == [0, 1, 2, 3, 4]
