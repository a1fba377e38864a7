"""How tests read a source of videos, and what they compare."""

import pickle

from rnnpipe.errors import DeadLetter
from rnnpipe.sources.videos.source import VideoWindows


def ignore_progress(done, total): ...


def in_windows(videos, rate=10.0, max_frames=100):
    return VideoWindows(videos=videos, rate=rate, max_frames=max_frames)


def read_source(source):
    source = source if isinstance(source, VideoWindows) else in_windows(source)
    source.prepare(ignore_progress)
    again = pickle.loads(pickle.dumps(source))
    return [found for partition in source.partitions() for found in again.read(partition)]


def reasons(found):
    return {each.key: (each.step, each.reason) for each in found if isinstance(each, DeadLetter)}
