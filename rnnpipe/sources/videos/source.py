"""Sources of videos with labels."""

from abc import abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

from rnnpipe.errors import DeadLetter
from rnnpipe.settings import FilePath, Kinds, setting
from rnnpipe.sources.folder import absolute
from rnnpipe.sources.source import Progress, Reference, Source
from rnnpipe.sources.videos.clips import Clip, cut_windows, refer_clip
from rnnpipe.storage.paths import as_path

_CLIPS_PER_PARTITION = 50

Partition = tuple[Clip | DeadLetter, ...]
"""Clips that one worker reads; those that cannot be read as dead letters."""


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


class ClipFolder(VideoSource):
    """A folder of videos with labels; a subclass lists its clips."""

    path: FilePath = setting(help="the folder")

    def __getstate__(self) -> dict[str, Any]:
        """Workers get their clips in partitions, not all of them once more."""
        return {key: value for key, value in vars(self).items() if key not in ("_clips", "_files")}

    @abstractmethod
    def find_clips(self) -> Sequence[Clip | DeadLetter]:
        """All clips of the folder.

        Raises:
            UserError: the folder or a file of labels is not as it should be.
        """

    @abstractmethod
    def label_files(self) -> Iterable[Path]:
        """The files that labels come from."""

    @property
    def folder(self) -> Path:
        """The folder, as every worker can open it."""
        return absolute(self.path)

    @cached_property
    def _clips(self) -> Sequence[Clip | DeadLetter]:
        return self.find_clips()

    @property
    def split_names(self) -> frozenset[str]:
        """The splits that the raw data itself gives."""
        return frozenset(clip.split for clip in self._clips if isinstance(clip, Clip))

    def prepare(self, progress: Progress) -> None:
        """Checks that the clips and their labels are there; see `Source`."""
        progress(len(self._clips), len(self._clips))

    def partitions(self) -> list[Partition]:
        """Some clips each."""
        clips = self._clips
        starts = range(0, len(clips), _CLIPS_PER_PARTITION)
        return [tuple(clips[start : start + _CLIPS_PER_PARTITION]) for start in starts]

    def read(self, partition: Partition) -> Iterator[Reference | DeadLetter]:
        """The clips of a partition, see `refer_clip`."""
        for clip in partition:
            yield clip if isinstance(clip, DeadLetter) else refer_clip(clip)

    def raw_files(self) -> Iterator[Path]:
        """The files of labels, and the videos that are there."""
        yield from self.label_files()
        for clip in self._clips:
            if isinstance(clip, Clip) and (path := as_path(clip.path)).is_file():
                yield path


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
