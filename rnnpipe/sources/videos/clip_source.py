"""What the sources of videos have in common: clips that are read in handfuls."""

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from functools import cached_property
from pathlib import Path
from typing import Any

from rnnpipe.errors import DeadLetter
from rnnpipe.sources.folder import absolute
from rnnpipe.sources.source import Progress, Reference
from rnnpipe.sources.videos.clips import Clip, Sampling, refer_clip
from rnnpipe.storage.paths import as_path

_CLIPS_PER_PARTITION = 50

Partition = tuple[Clip | DeadLetter, ...]
"""Clips that one worker looks into; those that cannot be read as dead letters."""


class ClipSource(ABC):
    """A folder of videos with labels. Whoever subclasses it says which clips there are.

    Args:
        path: the folder.
        sampling: which frames become records.
    """

    kind: str

    def __init__(self, path: str | Path, sampling: Sampling) -> None:
        self._folder, self._sampling = absolute(path), sampling

    def __getstate__(self) -> dict[str, Any]:
        """Workers get their clips in partitions, not all of them once more."""
        return {key: value for key, value in vars(self).items() if key != "_clips"}

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
    @abstractmethod
    def choices(self) -> Mapping[str, Any]:
        """What of the folder is read, JSON values."""

    @property
    def settings(self) -> Mapping[str, Any]:
        """What of the folder is read, and which frames become records."""
        return {**self.choices, "sampling": asdict(self._sampling)}

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
        """Clips in handfuls."""
        clips = self._clips
        starts = range(0, len(clips), _CLIPS_PER_PARTITION)
        return [tuple(clips[start : start + _CLIPS_PER_PARTITION]) for start in starts]

    def read(self, partition: Partition) -> Iterator[Reference | DeadLetter]:
        """The frame windows of a partition's clips, see `refer_clip`."""
        for clip in partition:
            if isinstance(clip, DeadLetter):
                yield clip
            else:
                yield from refer_clip(clip, self._sampling)

    def raw_files(self) -> Iterator[Path]:
        """The files of labels, and the videos that are there."""
        yield from self.label_files()
        for clip in self._clips:
            if isinstance(clip, Clip) and (path := as_path(clip.path)).is_file():
                yield path
