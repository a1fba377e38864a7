"""Sources of videos with labels."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from rnnpipe.errors import DeadLetter
from rnnpipe.settings import Kinds, setting
from rnnpipe.sources.listed_folder import ListedFolder
from rnnpipe.sources.source import Progress, Reference, Source
from rnnpipe.sources.videos.clips import Clip, cut_windows, refer_clip


class VideoSource(Source):
    """Videos with labels of their frames, of whole clips, or of both.

    A reference is a clip, with the fields of `ClipFields`; `VideoWindows` cuts it into records.
    Other packages add kinds by the entry point group `rnnpipe.video_sources`.
    """

    kinds = Kinds(
        "rnnpipe.video_sources",
        {
            "moving_shapes": "rnnpipe.sources.generated.moving_shapes:MovingShapes",
            "clips": "rnnpipe.sources.videos.table:ClipTable",
            "grid": "rnnpipe.sources.videos.grid:Grid",
            "tfds": "rnnpipe.sources.videos.tfds:TfdsVideos",
        },
    )

    @property
    @abstractmethod
    def labels_frames(self) -> bool:
        """Whether single frames have labels, and not only whole clips."""


class ClipFolder(ListedFolder, VideoSource):
    """A folder of videos with labels; a subclass lists its clips."""

    def refer(self, item: Clip) -> Reference:
        """See `refer_clip`."""
        return refer_clip(item)


class VideoWindows(Source):
    """The windows of a source's videos: as many frames as a record holds, sampled at one rate.

    Example:
        >>> from rnnpipe.sources.videos.table import ClipTable
        >>> clips = ClipTable(path="data/grid_s1", label="color")
        >>> source = VideoWindows(videos=clips, rate=25.0, max_frames=250)
        >>> source.prepare(lambda done, total: None)  # doctest: +SKIP
        >>> first = next(source.read(source.partitions()[0]))  # doctest: +SKIP
    """

    kind: Literal["video_windows"] = "video_windows"
    videos: VideoSource
    rate: float = setting(help="frames per second of video", gt=0)
    max_frames: int = setting(help="of a window; longer videos have several", ge=1)

    @property
    def split_names(self) -> frozenset[str]:
        """The splits of the videos."""
        return self.videos.split_names

    @property
    def settings(self) -> Mapping[str, Any]:
        """Which videos these are, and how they are sampled."""
        videos = {"kind": self.videos.kind, **self.videos.settings}
        return {"videos": videos, "rate": self.rate, "max_frames": self.max_frames}

    @property
    def notices(self) -> Sequence[str]:
        """Those of the videos."""
        return self.videos.notices

    def prepare(self, progress: Progress) -> None:
        """Prepares the videos."""
        self.videos.prepare(progress)

    def partitions(self) -> list[Any]:
        """Those of the videos."""
        return self.videos.partitions()

    def read(self, partition: Any) -> Iterator[Reference | DeadLetter]:
        """The windows of a partition's clips, see `cut_windows`."""
        for clip in self.videos.read(partition):
            if isinstance(clip, DeadLetter):
                yield clip
            else:
                yield from cut_windows(clip, self.rate, self.max_frames)

    def raw_files(self) -> Iterable[Path]:
        """Those of the videos."""
        return self.videos.raw_files()
