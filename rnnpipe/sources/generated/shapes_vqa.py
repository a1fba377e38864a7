"""Drawn scenes of coloured shapes with questions: data that needs no download."""

from pathlib import Path
from typing import Literal

from rnnpipe.settings import fraction, setting
from rnnpipe.sources.folder import hash_code
from rnnpipe.sources.generated.source import GeneratedSource
from rnnpipe.sources.source import Progress
from rnnpipe.sources.vqa.source import VqaSource
from rnnpipe.sources.vqa.vqa_v2 import VqaV2

_CODE = Path(__file__).with_name("shapes")


class Shapes(GeneratedSource, VqaSource):
    """Scenes of coloured shapes, written as real VQA v2.0 files where they are not there yet.

    All choices of settings have folders of their own below `path`, whose names hold the settings
    and a hash of the drawing code: others write another data set and leave the first alone.

    Example:
        >>> source = Shapes(path=Path("data/shapes"), images=100)
        >>> source.prepare(lambda done, total: None)
        >>> first = next(source.read(source.partitions()[0]))
    """

    kind: Literal["shapes"] = "shapes"
    images: int = setting(4000, "scenes that are drawn", ge=10)
    size: int = setting(64, "height and width of their images, in pixels", ge=32)
    seed: int = setting(1, "of the scenes and the questions")
    questions_per_image: int = setting(8, "questions about each scene", ge=1)
    disagreement: float = fraction(0.1, "how often a person gives another answer")

    @property
    def folder_name(self) -> str:
        """E.g. `shapes-4000x8-64px-0.1-seed1-c0ffee42`."""
        return (
            f"{self.kind}-{self.images}x{self.questions_per_image}-{self.size}px"
            f"-{self.disagreement}-seed{self.seed}-{hash_code(_CODE)}"
        )

    def write(self, folder: Path, progress: Progress) -> None:
        """Draws the scenes, asks about them and writes both."""
        from rnnpipe.sources.generated.shapes import write_shapes

        write_shapes(folder, **self.settings, progress=progress)

    def open(self, folder: Path) -> VqaV2:
        """The reader of these files."""
        return VqaV2(path=folder)
