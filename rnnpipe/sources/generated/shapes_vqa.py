"""Drawn scenes of coloured shapes with questions: data that needs no download."""

from pathlib import Path

from rnnpipe.sources.folder import hash_code
from rnnpipe.sources.generated import shapes
from rnnpipe.sources.generated.shapes import write_shapes
from rnnpipe.sources.generated.source import GeneratedSource
from rnnpipe.sources.source import Progress
from rnnpipe.sources.vqa.vqa_v2 import VqaV2


class Shapes(GeneratedSource):
    """Scenes of coloured shapes, written as real VQA v2.0 files where they are not there yet.

    Every choice of arguments has a folder of its own below `path`, whose name tells them and which
    version of the drawing code it is: others write another data set and leave the first alone.

    Args:
        path: where the data sets go: a folder that is missing, empty or holds such data sets only.
        images: how many scenes are drawn.
        size: height and width of their images, in pixels.
        seed: of the scenes and the questions.
        questions_per_image: how many questions each is asked.
        disagreement: how often an annotator gives another answer, from 0 to 1.

    Example:
        >>> amounts = {"images": 100, "questions_per_image": 8, "disagreement": 0.1}
        >>> source = Shapes("data/shapes", size=64, seed=1, **amounts)
        >>> source.prepare(lambda done, total: None)
        >>> first = next(source.read(source.partitions()[0]))
    """

    kind = "shapes"

    def __init__(
        self,
        path: str | Path,
        *,
        images: int,
        size: int,
        seed: int,
        questions_per_image: int,
        disagreement: float,
    ) -> None:
        super().__init__(
            path,
            images=images,
            size=size,
            seed=seed,
            questions_per_image=questions_per_image,
            disagreement=disagreement,
        )

    @property
    def folder_name(self) -> str:
        """E.g. `shapes-4000x8-64px-0.1-seed1-c0ffee42`."""
        s = self._settings
        return (
            f"{self.kind}-{s['images']}x{s['questions_per_image']}-{s['size']}px"
            f"-{s['disagreement']}-seed{s['seed']}-{hash_code(Path(shapes.__file__).parent)}"
        )

    def write(self, folder: Path, progress: Progress) -> None:
        """Draws the scenes, asks about them and writes both."""
        write_shapes(folder, **self._settings, progress=progress)

    def open(self, folder: Path) -> VqaV2:
        """The reader of these files."""
        return VqaV2(folder)
