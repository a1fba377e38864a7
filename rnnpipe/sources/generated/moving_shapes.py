"""Drawn clips of moving shapes: data that needs no download."""

from pathlib import Path
from typing import Literal

from rnnpipe.settings import setting
from rnnpipe.sources.folder import hash_code
from rnnpipe.sources.generated.source import GeneratedSource
from rnnpipe.sources.source import Progress
from rnnpipe.sources.videos.source import VideoSource
from rnnpipe.sources.videos.table import ClipTable

_CODE = [Path(__file__).with_name(name) for name in ("shapes", "moving")]


class MovingShapes(GeneratedSource, VideoSource):
    """Clips of a shape that moves; its motion is the label of a frame, its route that of a clip.

    A shape goes left, right, up or down or stands still, and keeps changing; its motion does not
    show in one frame alone. Nor does its route show in the motions of a clip without their order:
    clockwise and anticlockwise have the same ones.
    """

    kind: Literal["moving_shapes"] = "moving_shapes"
    clips: int = setting(1800, "how many are drawn", ge=1)
    size: int = setting(32, "height and width of the frames, in pixels", ge=16, multiple_of=2)
    seed: int = setting(1, "of everything random")

    @property
    def labels_frames(self) -> bool:
        """Always."""
        return True

    @property
    def folder_name(self) -> str:
        """For example `moving_shapes-1000-48px-seed1-c0ffee42`."""
        return f"{self.kind}-{self.clips}-{self.size}px-seed{self.seed}-{hash_code(*_CODE)}"

    def write(self, folder: Path, progress: Progress) -> None:
        """Draws the clips."""
        from rnnpipe.sources.generated.moving import write_moving

        write_moving(folder, self.clips, size=self.size, seed=self.seed, progress=progress)

    def open(self, folder: Path) -> ClipTable:
        """The reader of the clips."""
        from rnnpipe.sources.generated.moving.writer import FRAME_LABELS

        return ClipTable(path=folder, frame_labels=Path(FRAME_LABELS))
