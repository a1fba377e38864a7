"""Drawn clips of moving shapes: data that needs no download."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rnnpipe.sources.folder import hash_code
from rnnpipe.sources.generated import moving, shapes
from rnnpipe.sources.generated.moving import write_moving
from rnnpipe.sources.generated.moving.writer import FRAME_LABELS
from rnnpipe.sources.generated.source import GeneratedSource
from rnnpipe.sources.source import Progress
from rnnpipe.sources.videos.clips import Sampling
from rnnpipe.sources.videos.table import ClipTable


class MovingShapes(GeneratedSource):
    """Clips of a shape that moves; its motion is the label of a frame, its route that of a clip.

    A shape goes left, right, up or down or stands still, and keeps changing; one frame alone does
    not tell which it does. Nor do the motions of a clip tell its route without their order:
    clockwise and anticlockwise have the same ones.

    Args:
        path: where the data sets go, see `GeneratedSource`.
        sampling: which frames become records.
        clips: how many clips are drawn.
        size: height and width of their frames, in pixels, an even number.
        seed: of the clips.
    """

    kind = "moving_shapes"

    def __init__(
        self, path: str | Path, sampling: Sampling, *, clips: int, size: int, seed: int
    ) -> None:
        super().__init__(path, clips=clips, size=size, seed=seed)
        self._sampling = sampling

    @property
    def settings(self) -> Mapping[str, Any]:
        """What was drawn, and which frames become records."""
        return {**self._settings, "sampling": asdict(self._sampling)}

    @property
    def folder_name(self) -> str:
        """For example `moving_shapes-1000-48px-seed1-c0ffee42`."""
        s = self._settings
        code = hash_code(Path(shapes.__file__).parent, Path(moving.__file__).parent)
        return f"{self.kind}-{s['clips']}-{s['size']}px-seed{s['seed']}-{code}"

    def write(self, folder: Path, progress: Progress) -> None:
        """Draws the clips."""
        write_moving(folder, **self._settings, progress=progress)

    def open(self, folder: Path) -> ClipTable:
        """The reader of the clips."""
        return ClipTable(folder, self._sampling, frame_labels=FRAME_LABELS)
