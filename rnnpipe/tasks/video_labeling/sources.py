"""The source of a video config."""

from rnnpipe.sources.generated.moving_shapes import MovingShapes
from rnnpipe.sources.source import Source
from rnnpipe.sources.videos.clips import Sampling
from rnnpipe.sources.videos.decoding import Framing
from rnnpipe.sources.videos.grid import Grid
from rnnpipe.sources.videos.table import ClipTable
from rnnpipe.sources.videos.tfds import TfdsVideos
from rnnpipe.storage.cache import cache_folder
from rnnpipe.tasks.video_labeling.config import (
    ClipTableSource,
    Frames,
    GridSource,
    MovingShapesSource,
    TfdsVideoSource,
    VideoSource,
)


def open_source(config: VideoSource, frames: Frames) -> Source:
    """The source that a config's `data.source` describes.

    Args:
        config: the section.
        frames: which frames become records.
    """
    sampling = Sampling(frames.rate, frames.most)
    settings = config.model_dump(exclude={"kind", "path"})
    match config:
        case MovingShapesSource():
            return MovingShapes(
                config.path or cache_folder("raw") / config.kind, sampling, **settings
            )
        case ClipTableSource():
            return ClipTable(config.path, sampling, **settings)
        case GridSource():
            return Grid(config.path, sampling, **settings)
        case TfdsVideoSource():
            return TfdsVideos(
                cache_folder("raw") / "tfds_videos",
                sampling,
                {"video": config.video, "label": config.label},
                name=config.name,
                data_dir=config.path,
                splits=settings["splits"],
                frame_rate=config.frame_rate,
            )


def make_framing(frames: Frames) -> Framing:
    """How frames become squares, as `data.frames` has it."""
    box = None
    if frames.box is not None:
        left, top, right, bottom = frames.box
        box = left, top, right, bottom
    return Framing(frames.size, frames.fit, box)
