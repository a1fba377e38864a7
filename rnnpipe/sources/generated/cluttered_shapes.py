"""Drawn shapes among fragments of others: images with classes that need no download."""

import random
from pathlib import Path
from typing import Literal

from rnnpipe.settings import setting
from rnnpipe.sources.folder import hash_code
from rnnpipe.sources.generated.source import GeneratedSource
from rnnpipe.sources.images.image_folders import ImageFolders
from rnnpipe.sources.images.source import ImageClassSource
from rnnpipe.sources.source import Progress

_PROGRESS_EVERY = 50


class ClutteredShapes(GeneratedSource, ImageClassSource):
    """Pictures of one whole shape among fragments of others, in a folder for each kind of shape.

    Example:
        >>> source = ClutteredShapes(path="data/shapes", images=60)
        >>> source.prepare(lambda done, total: None)  # doctest: +SKIP
        >>> sorted({reference.fields["label"] for reference in source.read(source.partitions()[0])})
        ... # doctest: +SKIP
        ['circle']

    Source: Mnih et al., Recurrent Models of Visual Attention, 2014, section 4.1, whose translated
    digits lie among fragments of other digits.
    """

    kind: Literal["cluttered_shapes"] = "cluttered_shapes"
    images: int = setting(9000, "how many are drawn", ge=1)
    size: int = setting(64, "height and width of the images, in pixels", ge=16)
    fragments: int = setting(8, "in each image", ge=0)
    seed: int = setting(1, "of everything random")

    @property
    def folder_name(self) -> str:
        """E.g. `cluttered_shapes-9000-64px-8-seed1-c0ffee42`."""
        code = hash_code(Path(__file__).with_name("clutter"))
        sizes = f"{self.images}-{self.size}px-{self.fragments}"
        return f"{self.kind}-{sizes}-seed{self.seed}-{code}"

    def write(self, folder: Path, progress: Progress) -> None:
        """Draws the pictures and writes them as PNG; a larger set begins with the smaller one."""
        from rnnpipe.sources.generated.clutter.drawing import KINDS, draw_cluttered

        for kind in KINDS:
            (folder / kind).mkdir()
        for number in range(1, self.images + 1):
            rng = random.Random(f"{self.seed}/{number}")
            kind = rng.choice(KINDS)
            picture = draw_cluttered(rng, kind, self.size, self.fragments)
            picture.save(folder / kind / f"{number:06d}.png")
            if number % _PROGRESS_EVERY == 0 or number == self.images:
                progress(number, self.images)

    def open(self, folder: Path) -> ImageFolders:
        """The reader of these files."""
        return ImageFolders(path=folder)
