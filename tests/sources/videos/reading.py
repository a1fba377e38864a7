"""How tests read a source of videos, and what they compare."""

from rnnpipe.errors import DeadLetter
from rnnpipe.sources.videos.source import VideoWindows
from tests.sources.reading import read_all


def in_windows(videos, rate=10.0, max_frames=100):
    return VideoWindows(videos=videos, rate=rate, max_frames=max_frames)


def read_source(source):
    source = source if isinstance(source, VideoWindows) else in_windows(source)
    return read_all(source)


def reasons(found):
    return {each.key: (each.step, each.reason) for each in found if isinstance(each, DeadLetter)}
